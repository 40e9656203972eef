import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "#runner": fileURLToPath(new URL("test/suite/runner.vitest.ts", import.meta.url)) } },
  test: {
    globalSetup: "@screentest/client/setup",
    include: ["test/{suite,bridge,control,runners}/*.test.ts"],
    setupFiles: ["test/bridge/before.ts"],
    pool: "threads",
    isolate: false,
    maxWorkers: 2,
  },
});

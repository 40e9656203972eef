import { defineConfig } from "vitest/config";

/** Tests that start other test runners, compilers and npm. */
export default defineConfig({
  test: { include: ["test/package/*.test.ts"], testTimeout: 120_000, fileParallelism: false },
});

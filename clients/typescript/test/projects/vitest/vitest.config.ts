import { defineConfig } from "vitest/config";

export default defineConfig({ test: { globalSetup: "@screentest/client/setup", include: ["*.test.ts"] } });

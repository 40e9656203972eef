export { expect, test } from "@screentest/client/vitest";

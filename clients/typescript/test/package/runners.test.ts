/** What the users of each test runner see. */

import { describe, expect, test } from "vitest";
import { bin, PACKAGE, run } from "./spawn.js";

const RUNNERS: [string, () => ReturnType<typeof run>][] = [
  ["vitest", () => run(bin("vitest"), ["run", "findings"], `${PACKAGE}/test/projects/vitest`)],
  ["jest", () => run(bin("jest"), ["findings", "--verbose"], `${PACKAGE}/test/projects/jest`)],
  ["node:test", () => run(process.execPath, ["--import", "@screentest/client/register", "--test", "test/projects/node/findings.test.mjs"])],
];

describe.each(RUNNERS)("%s", (_, start) => {
  test("a test with a finding fails with the fix, also if it failed already, and not if the finding is allowed", async () => {
    const { code, output } = await start();

    expect(code).toBe(1);
    expect(output).toMatch(/(×|✕|not ok 1 -|✖) a mistake fails the test/);
    expect(output).toMatch(/(✓|ok 2 -|✔) an allowed mistake does not/);
    expect(output).toContain("SC104 error in request req_1 ozor listVideos");
    expect(output).toContain("fix: send `X-API-Key: KEY`");
    expect(output).toContain("If the test means it: world.allow('SC104')");
    expect(output.match(/expected 401 to be 200|401 !== 200|Expected: 200\s+Received: 401/)).not.toBeNull();
    expect(output.split("screentest has 1 finding about this code").length - 1).toBeGreaterThanOrEqual(2);
  });
});

test("jest's fake timers can be installed and removed in any order", async () => {
  const { code, output } = await run(bin("jest"), ["fake-timers"], `${PACKAGE}/test/projects/jest`);

  expect(output).toContain("2 passed");
  expect(code).toBe(0);
});

test.each(["vitest", "jest"])("a mock that cannot start fails %s with its reason", async (runner) => {
  const words = runner === "vitest" ? ["run", "findings"] : ["findings"];

  const { code, output } = await run(bin(runner), words, `${PACKAGE}/test/projects/${runner}`, { SCREENTEST_SEED: "many" });

  expect(code).toBe(1);
  expect(output).toMatch(/the mock did not start: it ended with exit code 2\n.*'many' is not a valid integer/s);
});

test.each([
  ["dies", "SIGKILL", /ECONNREFUSED|ECONNRESET|socket hang up/],
  ["stops", "SIGSTOP", /no answer for 3\.5 s/],
])("a mock that %s fails the test within five seconds, with its last lines", async (_, signal, reason) => {
  const { code, output } = await run(bin("vitest"), ["run", "mock-dies"], `${PACKAGE}/test/projects/vitest`, { MOCK_GETS: signal });

  expect(code).toBe(1);
  expect(/MockGoneError: no mock answers at http:\/\/127\.0\.0\.1:\d+ \((.*)\); the last lines of its log/.exec(output)?.[1]).toMatch(reason);
  expect(output).toMatch(/GET {5}ozor {2}\/api\/v1\/videos {2}200/);
  expect(Number(/a signal during a test\D* (\d+)ms/.exec(output)?.[1])).toBeLessThan(5_000);
});

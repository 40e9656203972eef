/** Time that cannot move ends the run with an error that says where. */

import { expect, test } from "@screentest/client/vitest";
import { realSleep } from "./before.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function failure(work: Promise<unknown>): Promise<string> {
  const began = process.hrtime.bigint();
  const error = await work.then(
    () => new Error("it did not fail"),
    (reason: Error) => reason,
  );
  expect(Number(process.hrtime.bigint() - began) / 1e9).toBeLessThan(5);
  return `${error.name}: ${error.message}`;
}

test("a promise that nothing settles", async ({ world }) => {
  const message = await failure(world.run(() => new Promise(() => undefined)));

  expect(message).toMatch(/StuckTimeError: time cannot move: the code waits, and nothing brings it on/);
  expect(message).toContain("no timer is set, nothing is due at the mock, and no request is in flight");
  expect(message).toMatch(/world\.run was called at .*stuck\.test\.ts:\d+/);
});

test("a timer that was taken before the package was imported", async ({ world }) => {
  const message = await failure(world.run(() => realSleep(60_000)));

  expect(message).toMatch(/a timer of 60000 ms runs on the machine's time, set at .*before\.ts:\d+:\d+/);
});

test("a loop that reads the clock and never waits", async ({ world }) => {
  const message = await failure(
    world.run(() => {
      const until = Date.now() + 1_000;
      while (Date.now() < until);
    }),
  );

  expect(message).toContain("never let the event loop turn");
});

test("a loop without an end", { timeout: 8_000 }, async ({ world }) => {
  const message = await failure(
    world.run(async () => {
      for (;;) await sleep(5_000);
    }),
  );

  expect(message).toMatch(/world\.run took 4\.\d s of real time, in which the world's clock moved/);
  expect(message).toMatch(/\d+ timers were set at .*stuck\.test\.ts:\d+:\d+/);
});

test("an answer that never comes", async ({ world }) => {
  await world.fault("timeout", { delay: "60s" });

  const message = await failure(world.run(() => fetch(`${world.ozor.baseUrl}/api/v1/videos`)));

  expect(message).toMatch(/GET \/w\/w_\d+\/ozor\/api\/v1\/videos has no answer; does a fault delay it\?/);
});

test("a mock that does not answer, before a run and in it", { timeout: 20_000 }, async ({ world }) => {
  const { startMock, createWorld } = await import("@screentest/client");
  const mock = await startMock();
  const [before, during] = [await createWorld({}, mock.url), await createWorld({}, mock.url)];
  const stop = (): boolean => process.kill(mock.pid, "SIGSTOP");

  const inRun = await failure(during.run(async () => (await sleep(1_000), stop(), await sleep(1_000))));
  const atOnce = await failure(before.run(() => sleep(1_000)));
  process.kill(mock.pid, "SIGCONT");
  await before.run(() => sleep(1_000));

  await mock.stop();
  const message = `MockGoneError: no mock answers at ${mock.url} (no answer for 3.5 s)`;
  expect(inRun).toContain(message);
  expect(atOnce).toContain(message);
  expect(await world.requests()).toEqual([]);
});

test("a world that is deleted while code runs in it", async ({ world }) => {
  const { createWorld } = await import("@screentest/client");
  const other = await createWorld({ label: "short" });
  const running = failure(other.run(() => new Promise(() => undefined)));
  await new Promise((resolve) => setTimeout(resolve, 50));

  await other.delete();

  expect(await running).toBe(`StuckTimeError: world ${other.id} was deleted while code ran in it`);
  expect(await world.requests()).toEqual([]);
});

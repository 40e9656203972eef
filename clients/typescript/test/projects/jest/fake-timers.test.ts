import { test } from "@screentest/client/jest";
import { setTimeout as wait } from "node:timers/promises";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

afterEach(() => {
  jest.useRealTimers();
});

test("fake timers before, in and after runs leave the world's time alone", async ({ world }) => {
  const start = (await world.clock.now()).getTime();

  jest.useFakeTimers({ now: 0 });
  await world.run(() => sleep(1_000));
  expect(Date.now()).toBe(0);
  await world.run(async () => {
    jest.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    await sleep(1_000);
    jest.useFakeTimers();
    await sleep(1_000);
    await wait(1_000);
  });
  jest.useRealTimers();
  await world.run(() => Promise.all([sleep(500), wait(1_000)]));

  expect((await world.clock.now()).getTime() - start).toBe(5_000);
  await sleep(1);
});

test("an aborted signal and a Date of this realm", async ({ world }) => {
  await world.run(async () => {
    const signal = AbortSignal.timeout(60_000);
    await sleep(60_001);
    expect(signal.reason).toMatchObject({ name: "TimeoutError" });
    expect(new Date()).toBeInstanceOf(Date);
  });
});

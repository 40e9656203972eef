/** Every way to wait moves the world's clock, by exactly its time. */

import timersModule from "node:timers";
import timersPromises, { scheduler, setInterval as ticks, setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { expect, test } from "@screentest/client/vitest";
import { elapsed } from "./elapsed.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** As modules have it that take the function when they are loaded. */
const captured = setTimeout;
const promised = promisify(setTimeout);

const WAYS: [string, () => Promise<unknown>][] = [
  ["setTimeout", () => sleep(5_000)],
  ["a setTimeout that was kept at import", () => new Promise((resolve) => captured(resolve, 5_000))],
  ["setTimeout of node:timers", () => new Promise((resolve) => timersModule.setTimeout(resolve, 5_000))],
  ["a promisified setTimeout", () => promised(5_000)],
  ["setTimeout of timers/promises", () => wait(5_000)],
  ["setTimeout of the default export", () => timersPromises.setTimeout(5_000)],
  ["scheduler.wait", () => scheduler.wait(5_000)],
  ["AbortSignal.timeout", () => new Promise((resolve) => AbortSignal.timeout(5_000).addEventListener("abort", resolve))],
  ["setInterval", () => new Promise<void>((resolve) => {
    let count = 0;
    const interval = setInterval(() => {
      count += 1;
      if (count < 5) return;
      clearInterval(interval);
      resolve();
    }, 1_000);
  })],
  ["setInterval of timers/promises", async () => {
    let count = 0;
    for await (const _ of ticks(1_000)) if ((count += 1) === 5) return;
  }],
  ["a refreshed timer", () => new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 3_000);
    setTimeout(() => timer.refresh(), 2_000);
  })],
];

test.for(WAYS)("%s moves the clock by five seconds", async ([, way], { world }) => {
  expect(await elapsed(world, way)).toBe(5);
});

test("sleeps at the same time count once, and end in their order", async ({ world }) => {
  const order: number[] = [];
  const work = (seconds: number) => sleep(seconds * 1_000).then(() => order.push(seconds));

  expect(await elapsed(world, () => Promise.all([work(3), work(1), work(2)]))).toBe(3);
  expect(order).toEqual([1, 2, 3]);
});

test("a timer gets its arguments and is cleared by its number", async ({ world }) => {
  const seen: unknown[] = [];

  await world.run(async () => {
    const timer = setTimeout(() => seen.push("cleared"), 1_000);
    clearTimeout(Number(timer));
    setTimeout((...args: unknown[]) => seen.push(args), 500, "a", 2);
    await sleep(2_000);
    expect([timer.unref().hasRef(), timer.ref().hasRef()]).toEqual([false, true]);
  });

  expect(seen).toEqual([["a", 2]]);
});

test("an aborted wait rejects at once", async ({ world }) => {
  const took = await elapsed(world, async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1_000);
    await expect(wait(60_000, undefined, { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" });
    await expect(wait(60_000, undefined, { signal: controller.signal })).rejects.toThrow("aborted");
  });

  expect(took).toBe(1);
});

test("a request is given up when AbortSignal.timeout says so", async ({ world }) => {
  await world.fault("timeout", { delay: "20s" });

  const request = world.run(() => fetch(`${world.ozor.baseUrl}/api/v1/videos`, { signal: AbortSignal.timeout(100) }));

  await expect(request).rejects.toMatchObject({ name: "TimeoutError" });
});

test("Date and performance.now are the world's in a run, and the machine's outside", async ({ world }) => {
  const outside = [Date.now(), performance.now()] as const;

  await world.run(async () => {
    const start = [Date.now(), performance.now()] as const;
    await sleep(3_600_000);
    expect(Date.now() - start[0]).toBe(3_600_000);
    expect(performance.now() - start[1]).toBeGreaterThanOrEqual(3_600_000);
    expect(new Date()).toEqual(await world.clock.now());
    expect(new Date(0).getTime()).toBe(0);
    expect(new Date()).toBeInstanceOf(Date);
    expect(Date()).toBe(new Date(Date.now()).toString());
  });

  expect(Date.now() - outside[0]).toBeLessThan(60_000);
  expect(performance.now() - outside[1]).toBeLessThan(60_000);
});

test("clock.advance fires timers that the code has left behind", async ({ world }) => {
  const seen: string[] = [];
  await world.run(() => void setTimeout(() => seen.push("refreshed the token"), 600_000));

  await world.clock.advance("9m");
  expect(seen).toEqual([]);
  await world.clock.advance("1m");

  expect(seen).toEqual(["refreshed the token"]);
});

test("an error in a timer rejects the run, if the code waits for it", async ({ world }) => {
  const failing = world.run(async () => {
    await sleep(1_000);
    throw new Error("the code failed");
  });

  await expect(failing).rejects.toThrow("the code failed");
});

test("a run needs a manual clock", async ({ world }) => {
  await world.control.patch("/worlds/{world}/clock", { path: { world: world.id }, body: { mode: "auto" } });

  await expect(world.run(() => sleep(1))).rejects.toThrow(`world ${world.id} needs the clock 'manual', not 'auto'`);
});

/** The bridge beside the fake timers of vitest, installed and removed in any order. */

import { afterEach, vi } from "vitest";
import { expect, test } from "@screentest/client/vitest";
import { elapsed } from "./elapsed.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const NAMES = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
const before = NAMES.map((name) => globalThis[name]);

afterEach(() => {
  vi.useRealTimers();
  expect(NAMES.map((name) => globalThis[name])).toEqual(before);
  expect(new Date().getFullYear()).toBeGreaterThan(2020);
});

test("fake timers before a run: the run has the world's time, and fake time stays where it was", async ({ world }) => {
  vi.useFakeTimers({ now: new Date("2020-01-01T00:00:00Z") });

  expect(await elapsed(world, () => sleep(5_000))).toBe(5);
  expect(new Date().toISOString()).toBe("2020-01-01T00:00:00.000Z");

  const fired = vi.fn();
  setTimeout(fired, 1_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(fired).toHaveBeenCalledOnce();
});

test("fake timers that are installed in a run do not stop it", async ({ world }) => {
  const took = await elapsed(world, async () => {
    await sleep(1_000);
    vi.useFakeTimers();
    await sleep(2_000);
    await sleep(3_000);
  });

  expect(took).toBe(6);
});

test("fake timers that are the first thing in a run do not stop it", async ({ world }) => {
  const took = await elapsed(world, async () => {
    vi.useFakeTimers();
    await sleep(2_000);
  });

  expect(took).toBe(2);
});

test("fake timers that are removed in a run leave it the world's time", async ({ world }) => {
  vi.useFakeTimers();

  const took = await elapsed(world, async () => {
    await sleep(1_000);
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    await sleep(1_000);
  });

  expect(took).toBe(2);
});

test("fake timers that outlast a run are removed after it", async ({ world }) => {
  await world.run(() => sleep(1_000));
  vi.useFakeTimers();
  await world.run(() => sleep(1_000));
  vi.useRealTimers();

  expect(await elapsed(world, () => sleep(1_000))).toBe(1);
  await new Promise((resolve) => setTimeout(resolve, 1));
});

test("a mocked system time is back after a run", async ({ world }) => {
  vi.setSystemTime("2020-01-01T00:00:00Z");

  await world.run(() => sleep(1_000));

  expect(new Date().getFullYear()).toBe(2020);
});

/** Several runs at the same time: each has the time of its world. */

import { createWorld, type World } from "@screentest/client";
import { expect, test, testInWorldTime } from "@screentest/client/vitest";
import { Ozor } from "../app/ozor.js";
import { elapsed } from "./elapsed.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const minutes of [1, 5, 60]) {
  test.concurrent(`a concurrent test sleeps for ${minutes} min of its own world`, async ({ world, expect: expectHere }) => {
    const took = await elapsed(world, async () => {
      const start = Date.now();
      for (let minute = 0; minute < minutes; minute += 1) await sleep(60_000);
      expectHere(Date.now() - start).toBe(minutes * 60_000);
    });

    expectHere(took).toBe(minutes * 60);
  });
}

test("two worlds in one test keep their times apart", async ({ world }) => {
  const other = await createWorld({ label: "the other" });
  const render = async ({ ozor }: World): Promise<number> => {
    const client = new Ozor({ baseUrl: ozor.baseUrl, apiKey: ozor.apiKey });
    return client.waitForJob(await client.generate("A lamp"));
  };

  const [first, second] = await Promise.all([
    elapsed(world, () => render(world)),
    elapsed(other, async () => {
      await sleep(7_200_000);
      await render(other);
    }),
  ]);

  expect(first).toBeLessThan(600);
  expect(second).toBeGreaterThan(7_200);
  await other.delete();
});

test("two runs in one world share its time", async ({ world }) => {
  const start = await world.clock.now();

  await Promise.all([world.run(() => sleep(5_000)), world.run(() => sleep(8_000))]);

  expect((await world.clock.now()).getTime() - start.getTime()).toBe(8_000);
});

testInWorldTime("a whole test is on the world's clock", async ({ world }) => {
  const start = Date.now();

  await sleep(86_400_000);

  expect(Date.now() - start).toBe(86_400_000);
  expect(Date.now()).toBe((await world.clock.now()).getTime());
});

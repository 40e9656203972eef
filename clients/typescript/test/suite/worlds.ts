/** What the suites of all providers share. */

import type { World } from "@screentest/client";

export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** The seconds of the world that *work* takes. */
export async function elapsed(world: World, work: () => Promise<unknown>): Promise<number> {
  const start = await world.clock.now();
  await world.run(work);
  return ((await world.clock.now()).getTime() - start.getTime()) / 1_000;
}

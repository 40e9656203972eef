import type { World } from "@screentest/client";

/** The seconds of the world that *work* takes. */
export async function elapsed(world: World, work: () => unknown): Promise<number> {
  const start = await world.clock.now();
  await world.run(work);
  return ((await world.clock.now()).getTime() - start.getTime()) / 1_000;
}

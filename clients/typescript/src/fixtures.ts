/** One world for one test, for runners without fixtures. */

import { createWorld, type World, type WorldOptions } from "./world.js";

export interface Fixtures {
  /** A world of the test's own: accounts, keys, a clock, a journal. */
  world: World;
}

export type Body<Context extends unknown[] = []> = (fixtures: Fixtures, ...context: Context) => unknown;

/** Run *body* with a world; fails when the mock has findings of the severity `error`. */
export async function withWorld(
  label: string,
  options: WorldOptions,
  body: (fixtures: Fixtures) => unknown,
  isInWorldTime = false,
): Promise<void> {
  const world = await createWorld({ label, ...options });
  try {
    await (isInWorldTime ? world.run(() => body({ world })) : body({ world }));
  } catch (error) {
    throw await withFindings(world, error);
  }
  await finish(world);
}

/** Check the findings of *world*, then delete it. */
export async function finish(world: World): Promise<void> {
  try {
    await world.check();
  } finally {
    await world.delete();
  }
}

/** *error* with the findings, which may explain it. Deletes the world. */
async function withFindings(world: World, error: unknown): Promise<unknown> {
  try {
    await finish(world);
  } catch (finding) {
    if (error instanceof Error) {
      const { message } = error;
      error.message = `${message}\n\n${(finding as Error).message}`;
      error.stack = (error.stack ?? "").replace(message, () => error.message);
    }
  }
  return error;
}

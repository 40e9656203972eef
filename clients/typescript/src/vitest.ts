/** `test` and `expect` of vitest, with a world for each test. */

import { expect, test as base } from "vitest";
import { finish } from "./fixtures.js";
import { ensureMock } from "./mock.js";
import { matchers, type Matchers as OurMatchers } from "./matchers.js";
import { createWorld, type World, type WorldOptions } from "./world.js";

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type
  interface Assertion<T = any> extends OurMatchers {}
}

expect.extend(matchers);
// Not by the first test, whose time is limited.
await ensureMock();

export interface Fixtures {
  /** Options of the world: `test.extend({ worldOptions: { credits: { ozor: 5 } } })`. */
  worldOptions: WorldOptions;
  /** A world of the test's own. The test fails when the mock has findings about its code. */
  world: World;
}

export const test = base.extend<Fixtures>({
  worldOptions: {},
  world: async ({ task, worldOptions }, use) => {
    const world = await createWorld({ label: task.name, ...worldOptions });
    await use(world);
    await finish(world);
  },
});

/** A test whose whole body is on the world's clock, as if it were inside `world.run`. */
export const testInWorldTime = test.extend<{ worldTime: void }>({
  worldTime: [
    async ({ world }, use) => {
      const end = await world.keepRunning();
      await use();
      await end();
    },
    { auto: true },
  ],
});

export const it = test;
export { expect };
export { createWorld, type World, type WorldOptions } from "./world.js";

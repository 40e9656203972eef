/** `test` of node:test, with a world for each test. */

import { test as base, type TestContext, type TestOptions } from "node:test";
import { withWorld, type Body } from "./fixtures.js";
import type { WorldOptions } from "./world.js";

export interface Test {
  (name: string, body: Body<[TestContext]>): Promise<void>;
  only(name: string, body: Body<[TestContext]>): Promise<void>;
  skip(name: string, body: Body<[TestContext]>): Promise<void>;
  /** The same test function, with worlds of these options. */
  with(options: WorldOptions): Test;
}

function makeTest(options: WorldOptions, isInWorldTime: boolean): Test {
  const registering =
    (how: TestOptions = {}) =>
    async (name: string, body: Body<[TestContext]>): Promise<void> => {
      await base(name, how, (context) =>
        withWorld(name, options, (fixtures) => body(fixtures, context), isInWorldTime),
      );
    };
  return Object.assign(registering(), {
    only: registering({ only: true }),
    skip: registering({ skip: true }),
    with: (more: WorldOptions) => makeTest({ ...options, ...more }, isInWorldTime),
  });
}

export const test = makeTest({}, false);
/** A test whose whole body is on the world's clock, as if it were inside `world.run`. */
export const testInWorldTime = makeTest({}, true);
export const it = test;
export { assertions } from "./matchers.js";
export { createWorld, type World, type WorldOptions } from "./world.js";

/** `test` and `expect` of jest, with a world for each test. */

import { withWorld, type Body } from "./fixtures.js";
import { matchers, type Matchers as OurMatchers } from "./matchers.js";
import type { WorldOptions } from "./world.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace jest {
    // eslint-disable-next-line @typescript-eslint/no-unused-vars
    interface Matchers<R, T = {}> extends OurMatchers {}
  }
}

type Register = (name: string, body: () => Promise<void>, timeout?: number) => void;
type JestTest = Register & Record<"only" | "skip" | "failing" | "concurrent", Register>;

export interface Test {
  (name: string, body: Body, timeout?: number): void;
  only(name: string, body: Body, timeout?: number): void;
  skip(name: string, body: Body, timeout?: number): void;
  failing(name: string, body: Body, timeout?: number): void;
  concurrent(name: string, body: Body, timeout?: number): void;
  /** The same test function, with worlds of these options. */
  with(options: WorldOptions): Test;
}

const given = globalThis as unknown as { test: JestTest; expect: { extend(matchers: object): void } };
given.expect.extend(matchers);

function makeTest(options: WorldOptions, isInWorldTime: boolean): Test {
  const registering =
    (kind?: "only" | "skip" | "failing" | "concurrent") =>
    (name: string, body: Body, timeout?: number): void => {
      const register = kind ? given.test[kind] : given.test;
      register(name, () => withWorld(name, options, body, isInWorldTime), timeout);
    };
  return Object.assign(registering(), {
    only: registering("only"),
    skip: registering("skip"),
    failing: registering("failing"),
    concurrent: registering("concurrent"),
    with: (more: WorldOptions) => makeTest({ ...options, ...more }, isInWorldTime),
  });
}

export const test = makeTest({}, false);
/** A test whose whole body is on the world's clock, as if it were inside `world.run`. */
export const testInWorldTime = makeTest({}, true);
export const it = test;
export { createWorld, type World, type WorldOptions } from "./world.js";

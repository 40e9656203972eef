/**
 * What all copies of this package in one process share.
 *
 * There can be several: the ESM and the CommonJS build, and in jest one for each test file. All of
 * them patch the same core modules, so they meet in an object of a core module.
 */

import { AsyncLocalStorage } from "node:async_hooks";
import timersPromises from "node:timers/promises";
import type { Timeline } from "./timeline.js";

/** The part of the code under test that one `world.run` started. */
export interface Scope {
  /** null: on the machine's time, such as the work of this package and of webhook handlers. */
  readonly timeline: Timeline | null;
  /** Its run failed, so that its timers never fire again. */
  isAbandoned: boolean;
}

interface Shared {
  readonly scopes: AsyncLocalStorage<Scope>;
  /** The worlds in which code runs now. */
  readonly running: Set<Timeline>;
  /** Worlds that are open, by the port of the mock and the id of the world. */
  readonly open: Map<string, Timeline>;
  /** Removes the patches of the copy that was loaded before. */
  uninstall: (() => void) | undefined;
}

const KEY = Symbol.for("@screentest/client/1");
const holder = timersPromises as unknown as Record<symbol, Shared | undefined>;

export const shared: Shared = (holder[KEY] ??= {
  scopes: new AsyncLocalStorage<Scope>(),
  running: new Set(),
  open: new Map(),
  uninstall: undefined,
});

const MACHINE: Scope = { timeline: null, isAbandoned: false };

/** Run *work* on the machine's time, whatever its caller is part of. */
export function onMachineTime<T>(work: () => T): T {
  return shared.scopes.run(MACHINE, work);
}

/**
 * The scope of the calling code: that of its `world.run`; without one, that of the only world in
 * which code runs now. Servers and sockets that were opened before the run have none.
 */
export function currentScope(): Scope | undefined {
  const scope = shared.scopes.getStore();
  if (scope !== undefined) return scope;
  if (shared.running.size !== 1) return undefined;
  for (const timeline of shared.running) return timeline.openScope;
  return undefined;
}

/** The world whose time the calling code has, or null for the machine's time. */
export function currentTimeline(): Timeline | null {
  return currentScope()?.timeline ?? null;
}

/**
 * The wrappers of timers and clocks. Outside a world they do what the wrapped function does.
 *
 * They are installed when this package is imported, so that code which is imported later may keep
 * a reference to one. Fake timers can be installed over them and removed again in any order.
 */

import timersModule from "node:timers";
import timersPromises from "node:timers/promises";
import { syncBuiltinESMExports } from "node:module";
import { promisify } from "node:util";
import { isCalledByPlumbing, userPlace } from "./callsite.js";
import { currentScope, shared } from "./shared.js";
import type { Timeline } from "./timeline.js";
import { delayMs, WorldTimer, worldTimer } from "./timers.js";
import { watchTraffic } from "./traffic.js";

type AnyFunction = (...args: any[]) => any;
type Holder = Record<string, any>;

/** The functions that this copy of the package made, so that it knows what is installed. */
const made = new WeakSet<object>();

interface Place {
  holder: Holder;
  name: string;
  wrap: (given: any) => any;
}

// --- Timers ------------------------------------------------------------------------------------

/** The world in which *wrapper* was called; null where its caller needs the machine's time. */
function worldOf(wrapper: AnyFunction): { timeline: Timeline; timer: (work: () => void, delay: unknown, repeats?: boolean) => WorldTimer } | null {
  const scope = currentScope();
  const timeline = scope?.timeline;
  if (!scope || !timeline || isCalledByPlumbing(wrapper)) return null;
  return {
    timeline,
    timer: (work, delay, repeats = false) =>
      new WorldTimer(timeline, scope, work, delayMs(delay), repeats, userPlace(wrapper)),
  };
}

function wrapTimer(given: AnyFunction, repeats: boolean): AnyFunction {
  const wrapper = function (this: unknown, callback: AnyFunction, delay?: unknown, ...args: unknown[]): unknown {
    const world = worldOf(wrapper);
    if (world === null) return given.call(this, callback, delay, ...args);
    if (typeof callback !== "function") {
      throw new TypeError(`The "callback" argument must be of type function. Received ${typeof callback}`);
    }
    return world.timer(() => callback(...args), delay, repeats);
  };
  return wrapper;
}

function wrapSetTimeout(given: AnyFunction): AnyFunction {
  const wrapper = wrapTimer(given, false);
  const sleep = wrapSleep((ms: number, value: unknown, options: object) =>
    ((given as any)[promisify.custom] ?? timersPromises.setTimeout)(ms, value, options),
  );
  Object.defineProperty(wrapper, promisify.custom, { value: sleep, enumerable: true });
  return wrapper;
}

function wrapClear(given: AnyFunction): AnyFunction {
  return (handle?: unknown) => {
    const timer = worldTimer(handle);
    if (timer === undefined) given(handle);
    else timer.close();
  };
}

interface WaitOptions {
  signal?: AbortSignal;
}

/** Wait in a world; rejects as `timers/promises` does when *signal* is aborted. */
function sleepIn<T>(start: (work: () => void) => WorldTimer, value: T, { signal }: WaitOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer?.close();
      reject(Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), { name: "AbortError", code: "ABORT_ERR" }));
    };
    let timer: WorldTimer | undefined;
    if (signal?.aborted) return abort();
    timer = start(() => {
      signal?.removeEventListener("abort", abort);
      resolve(value);
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

function wrapSleep(given: AnyFunction): AnyFunction {
  const wrapper = (ms?: number, value?: unknown, options: WaitOptions = {}): Promise<unknown> => {
    const world = worldOf(wrapper);
    if (world === null) return given(ms, value, options);
    return sleepIn((work) => world.timer(work, ms), value, options);
  };
  return wrapper;
}

function wrapWait(given: AnyFunction): AnyFunction {
  const wrapper = (ms: number, options: WaitOptions = {}): Promise<unknown> => {
    const world = worldOf(wrapper);
    if (world === null) return given.call(timersPromises.scheduler, ms, options);
    return sleepIn((work) => world.timer(work, ms), undefined, options);
  };
  return wrapper;
}

function wrapTicks(given: AnyFunction): AnyFunction {
  const wrapper = (ms?: number, value?: unknown, options: WaitOptions = {}): AsyncIterable<unknown> => {
    const world = worldOf(wrapper);
    if (world === null) return given(ms, value, options);
    return (async function* () {
      let due = world.timeline.now;
      for (;;) {
        due += delayMs(ms);
        yield await sleepIn((work) => world.timer(work, due - world.timeline.now), value, options);
      }
    })();
  };
  return wrapper;
}

function wrapSignalTimeout(given: AnyFunction): AnyFunction {
  const wrapper = (ms: number): AbortSignal => {
    const world = worldOf(wrapper);
    if (world === null) return given.call(AbortSignal, ms);
    const controller = new AbortController();
    const reason = new DOMException("The operation was aborted due to timeout", "TimeoutError");
    world.timer(() => controller.abort(reason), ms);
    return controller.signal;
  };
  return wrapper;
}

// --- Clocks ------------------------------------------------------------------------------------

function wrapDate(Given: DateConstructor): DateConstructor {
  const now = (): number => {
    const scope = currentScope();
    return scope?.timeline && !isCalledByPlumbing(now) ? scope.timeline.readClock() : Given.now();
  };
  return new Proxy(Given, {
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
    apply: () => new Given(now()).toString(),
    construct: (target, args, newTarget) => {
      const given = args.length === 0 && currentScope()?.timeline ? [now()] : args;
      return Reflect.construct(target, given, newTarget);
    },
  });
}

function wrapPerformanceNow(given: AnyFunction): AnyFunction {
  const real: () => number = given.bind(performance);
  const wrapper = (): number => {
    const timeline = currentScope()?.timeline;
    return timeline && !isCalledByPlumbing(wrapper) ? real() + timeline.elapsed : real();
  };
  return wrapper;
}

// --- Installation ------------------------------------------------------------------------------

const TIMERS: Record<string, (given: any) => any> = {
  setTimeout: wrapSetTimeout,
  setInterval: (given) => wrapTimer(given, true),
  clearTimeout: wrapClear,
  clearInterval: wrapClear,
};

function places(): Place[] {
  const ofGlobals = { ...TIMERS, Date: wrapDate };
  return [
    ...Object.entries(ofGlobals).map(([name, wrap]) => ({ holder: globalThis as Holder, name, wrap })),
    ...Object.entries(TIMERS).map(([name, wrap]) => ({ holder: timersModule as Holder, name, wrap })),
    { holder: timersPromises as Holder, name: "setTimeout", wrap: wrapSleep },
    { holder: timersPromises as Holder, name: "setInterval", wrap: wrapTicks },
    { holder: timersPromises.scheduler as Holder, name: "wait", wrap: wrapWait },
    { holder: AbortSignal as unknown as Holder, name: "timeout", wrap: wrapSignalTimeout },
    { holder: performance as unknown as Holder, name: "now", wrap: wrapPerformanceNow },
  ];
}

/** Put a wrapper over what is at *place* now. Returns what takes it off if it is still on top. */
function cover({ holder, name, wrap }: Place): () => void {
  const given = holder[name];
  const wrapper = wrap(given);
  // Fake timers that are removed delete a function without this mark instead of restoring theirs.
  if (name !== "Date") wrapper.hadOwnProperty = true;
  made.add(wrapper);
  holder[name] = wrapper;
  return () => {
    if (holder[name] === wrapper) holder[name] = given;
  };
}

/** The clock of fake timers, as @sinonjs/fake-timers has it, which vitest and jest use. */
export interface FakeClock {
  now: number;
  /** A map since version 15, an object before. */
  timers?: Map<number, FakeTimer> | Record<string, FakeTimer>;
  tick(ms: number): void;
}

interface FakeTimer {
  callAt: number;
}

/** The milliseconds until each timer of a fake clock. */
export function delaysOf({ now, timers = {} }: FakeClock): number[] {
  const all = typeof timers["values"] === "function" ? [...(timers as Map<number, FakeTimer>).values()] : Object.values(timers);
  return all.map(({ callAt }) => callAt - now);
}

export interface Layers {
  /** Cover what was replaced in the meantime. */
  again(): void;
  /** Restore what was there. */
  all(): void;
  /** Fake clocks that were installed in the run. */
  readonly guests: ReadonlySet<FakeClock>;
}

/**
 * Keep wrappers on top while a world is running, also when a test installs or removes fake timers.
 *
 * Code that called the timers of fake clocks before they were covered must not wait for ever, so
 * the clocks of the run's `guests` move with the world's.
 */
export function keepOnTop(): Layers {
  const removals: (() => void)[] = [];
  const guests = new Set<FakeClock>();
  let isFirst = true;
  return {
    guests,
    again: () => {
      const replaced = places().filter(({ holder, name }) => !made.has(holder[name]));
      for (const { holder, name } of replaced) {
        const { clock } = holder[name] as { clock?: FakeClock };
        if (clock && !isFirst) guests.add(clock);
      }
      isFirst = false;
      removals.push(...replaced.map(cover));
      if (replaced.length) syncBuiltinESMExports();
    },
    all: () => {
      for (const remove of removals.reverse()) remove();
      if (removals.length) syncBuiltinESMExports();
    },
  };
}

/** Install the wrappers of this copy of the package in place of those of another copy. */
export function install(): void {
  shared.uninstall?.();
  const removals = [...places().map(cover), watchTraffic()];
  syncBuiltinESMExports();
  shared.uninstall = () => {
    for (const remove of removals.reverse()) remove();
    syncBuiltinESMExports();
  };
}

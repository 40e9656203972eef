/** The machine's own timers and clock, taken before anything of this package is installed. */

import timers from "node:timers";

type Faked = typeof setTimeout & { clock?: { _setTimeout?: typeof setTimeout } };

// A test may load this package while fake timers are installed, which keep the real ones.
const given = timers.setTimeout as Faked;
export const realSetTimeout: typeof setTimeout = given.clock?._setTimeout ?? given;
export const realSetInterval = timers.setInterval;
export const realClearInterval = timers.clearInterval;
export const realClearTimeout = timers.clearTimeout;
export const realSetImmediate = timers.setImmediate;

// hrtime and not performance.now, which this package and fake timers replace.
const hrtime = process.hrtime.bigint.bind(process.hrtime);

/** Milliseconds of the machine's monotonic clock. */
export function realNow(): number {
  return Number(hrtime()) / 1e6;
}

/** Whether `pause` is setting its timer now, which is not one of the user's code. */
export const pauses = { isStarting: false };

/** Wait *ms* milliseconds of the machine's time. *keepsAlive*: the process does not end meanwhile. */
export function pause(ms: number, keepsAlive = true): Promise<void> {
  return new Promise((resolve) => {
    pauses.isStarting = true;
    const timer = realSetTimeout(resolve, ms);
    pauses.isStarting = false;
    if (!keepsAlive) timer.unref();
  });
}

/** Let everything happen that is ready: callbacks, microtasks, input and output. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    realSetImmediate(resolve);
  });
}

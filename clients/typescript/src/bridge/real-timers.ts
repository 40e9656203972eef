/** Timers on the machine's time that the user's code has set while a world is running. */

import { createHook } from "node:async_hooks";
import { type UserPlace, userPlace } from "./callsite.js";

interface RealTimer {
  delay: number;
  place: UserPlace;
}

const alive = new Map<number, RealTimer>();
let watchers = 0;

function noteTimer(id: number, type: string, _trigger: number, resource: object): void {
  if (type !== "Timeout") return;
  const place = userPlace(noteTimer);
  if (place) alive.set(id, { place, delay: (resource as { _idleTimeout?: number })._idleTimeout ?? 0 });
}

const hook = createHook({ init: noteTimer, destroy: (id) => void alive.delete(id) });

/** Watch until the returned function is called. */
export function watchRealTimers(): () => void {
  watchers += 1;
  if (watchers === 1) hook.enable();
  return () => {
    watchers -= 1;
    if (watchers > 0) return;
    hook.disable();
    alive.clear();
  };
}

/** The timers of the user's code that the world's clock does not move. */
export function outOfReach(): RealTimer[] {
  return [...alive.values()];
}

/** Timers on the machine's time that the user's code has set while a world is running. */

import { createHook } from "node:async_hooks";
import { type UserPlace, userPlace } from "./callsite.js";
import { pauses } from "./real.js";

interface RealTimer {
  delay: number;
  place: UserPlace;
}

interface Timeout {
  _idleTimeout?: number;
  _destroyed?: boolean;
}

const seen: { timer: Timeout; place: UserPlace }[] = [];
let watchers = 0;

function noteTimer(_id: number, type: string, _trigger: number, timer: Timeout): void {
  if (type !== "Timeout" || pauses.isStarting) return;
  const place = userPlace(noteTimer);
  if (place) seen.push({ timer, place });
}

// Without `destroy`, for which Node.js would follow every promise until it is collected.

const hook = createHook({ init: noteTimer });

/** Watch until the returned function is called. */
export function watchRealTimers(): () => void {
  watchers += 1;
  if (watchers === 1) hook.enable();
  return () => {
    watchers -= 1;
    if (watchers > 0) return;
    hook.disable();
    seen.length = 0;
  };
}

/** The timers of the user's code that the world's clock does not move. */
export function outOfReach(): RealTimer[] {
  const alive = seen.filter(({ timer }) => !timer._destroyed);
  return alive.map(({ timer, place }) => ({ place, delay: timer._idleTimeout ?? 0 }));
}

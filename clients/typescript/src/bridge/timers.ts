/** A timer on the clock of a world, with the methods of a timer of Node.js. */

import { AsyncResource } from "node:async_hooks";
import type { UserPlace } from "./callsite.js";
import { realClearInterval, realSetInterval } from "./real.js";
import type { Scope } from "./shared.js";
import type { Timeline } from "./timeline.js";

/** The longest delay that Node.js accepts; a longer one counts as 1 ms. */
const DELAY_MAX_MS = 2 ** 31 - 1;
/** Ids that do not meet those of Node.js. */
let lastId = 1_000_000_000;

const byId = new Map<number, WorldTimer>();

/** The delay that Node.js makes of *delay*. */
export function delayMs(delay: unknown): number {
  const asked = Math.trunc(Number(delay));
  return asked >= 1 && asked <= DELAY_MAX_MS ? asked : 1;
}

export class WorldTimer {
  readonly id = (lastId += 1);
  /** The instant of the world at which it fires next. */
  at: number;
  private readonly resource = new AsyncResource("ScreentestTimer");
  private hasReference = true;
  /** Keeps a program alive, as a timer of Node.js does. */
  private holder: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeline: Timeline,
    private readonly scope: Scope | undefined,
    private readonly callback: () => void,
    readonly delay: number,
    private readonly repeats: boolean,
    readonly place: UserPlace | undefined,
  ) {
    this.at = timeline.now + delay;
    this.start();
  }

  get isAbandoned(): boolean {
    return this.scope?.isAbandoned ?? false;
  }

  /** Call the callback, in the asynchronous context in which the timer was set. */
  fire(): void {
    if (this.repeats) this.at += this.delay;
    else this.close();
    this.resource.runInAsyncScope(this.callback);
  }

  private start(): void {
    byId.set(this.id, this);
    this.timeline.add(this);
    if (!this.timeline.options.isProgram) return;
    this.holder ??= realSetInterval(() => undefined, DELAY_MAX_MS);
    if (!this.hasReference) this.holder.unref();
  }

  close(): this {
    byId.delete(this.id);
    realClearInterval(this.holder);
    this.holder = undefined;
    this.timeline.remove(this);
    return this;
  }

  refresh(): this {
    this.at = this.timeline.now + this.delay;
    this.start();
    return this;
  }

  ref(): this {
    this.hasReference = true;
    this.holder?.ref();
    return this;
  }

  unref(): this {
    this.hasReference = false;
    this.holder?.unref();
    return this;
  }

  hasRef(): boolean {
    return this.hasReference;
  }

  [Symbol.toPrimitive](): number {
    return this.id;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The timer of a world that *handle* names, whichever copy of this package made it. */
export function worldTimer(handle: unknown): { close(): void } | undefined {
  if (typeof handle === "object" && handle !== null) {
    const isOurs = typeof (handle as WorldTimer).id === "number" && "isAbandoned" in handle;
    return isOurs ? (handle as WorldTimer) : undefined;
  }
  return byId.get(Number(handle));
}

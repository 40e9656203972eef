/** The clock of a world. */

import type { Control, Schemas } from "./control/control.js";
import type { Timeline } from "./bridge/timeline.js";
import { milliseconds, type Duration } from "./durations.js";

/** How far to advance: a duration, an instant, the next event, or until nothing is due. */
export type Advance =
  | Duration
  | { to: Date | string; until?: never }
  | { until: "next" | "idle"; to?: never };

/** Something that happened during an advance. */
export interface Fired {
  at: string;
  type: string;
  subject: string;
}

export class Clock {
  constructor(
    private readonly control: Control,
    private readonly world: string,
    private readonly timeline: Timeline,
  ) {}

  /** The clock as the mock shows it, with what is due next. */
  read(): Promise<Schemas["Clock"]> {
    const path = { world: this.world };
    return this.timeline.during(() => this.control.get("/worlds/{world}/clock", { path }));
  }

  /** The current instant of the world. */
  async now(): Promise<Date> {
    return new Date((await this.read()).now);
  }

  /**
   * Advance the clock: `"5m"`, `{ to: date }`, `{ until: "next" }` or `{ until: "idle" }`.
   *
   * What was due on the way has happened when this returns, and is listed: job states, credits,
   * webhooks. Timers that the code under test has set in this world fire as well.
   */
  async advance(by: Advance): Promise<Fired[]> {
    const path = { world: this.world };
    const answer = await this.timeline.during(() =>
      this.control.post("/worlds/{world}/clock/advance", { path, body: wireAdvance(by) }),
    );
    await this.timeline.moved(Date.parse(answer.now));
    return answer.fired;
  }
}

function wireAdvance(by: Advance): { by_ms: number } | { to: string } | { until: "next" | "idle" } {
  if (typeof by !== "object") return { by_ms: milliseconds(by) };
  if (by.until !== undefined) return { until: by.until };
  return { to: new Date(by.to).toISOString() };
}

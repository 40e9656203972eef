/** One `world.run`. */

import type { UserPlace } from "./callsite.js";
import type { Scope } from "./shared.js";
import type { Timeline } from "./timeline.js";

export class Run {
  readonly scope: Scope;
  readonly failure: Promise<never>;
  private reject!: (error: Error) => void;

  constructor(
    private readonly timeline: Timeline,
    readonly realStart: number,
    readonly start: number,
    readonly limit_ms: number,
    readonly caller: UserPlace | undefined,
  ) {
    this.scope = { timeline, isAbandoned: false };
    this.failure = new Promise<never>((_, reject) => {
      this.reject = reject;
    });
    this.failure.catch(() => undefined);
  }

  /** End the run with *error*. Its timers never fire again. */
  fail(error: Error): void {
    this.scope.isAbandoned = true;
    this.end();
    this.reject(error);
  }

  end(): void {
    this.timeline.end(this);
  }
}

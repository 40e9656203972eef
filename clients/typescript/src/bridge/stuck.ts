/** What is said about time that does not move, or does not end: where the code waits, and for what. */

import { inWords } from "../durations.js";
import { StuckTimeError } from "../errors.js";
import type { UserPlace } from "./callsite.js";
import { outOfReach } from "./real-timers.js";
import type { Run } from "./run.js";
import { isWaitingElsewhere, type Traffic } from "./traffic.js";

const PLACES_MAX = 3;

/** What the timeline of a world knows when its time does not move. */
export interface Situation {
  readonly world: string;
  readonly now: number;
  readonly traffic: Traffic;
  readonly runs: ReadonlySet<Run>;
  /** The mock has not answered an advance of the clock yet. */
  readonly isAdvancing: boolean;
  readonly fired: number;
  /** How many of the timers that fired were set at each place. */
  readonly places: ReadonlyMap<UserPlace, number>;
}

/** Nothing brings the code on. */
export function standstill(situation: Situation): StuckTimeError {
  const reasons = [
    ...situation.traffic.unanswered.map((it) => `${it} has no answer; does a fault delay it?`),
    ...(isWaitingElsewhere() ? ["a request to another server than the mock has no answer"] : []),
    ...outOfReach().map(
      ({ delay, place }) =>
        `a timer of ${delay} ms runs on the machine's time, set at ${place}: this code took setTimeout before ` +
        "@screentest/client was imported; import it first, such as in a set-up file",
    ),
  ];
  if (reasons.length === 0) reasons.push("no timer is set, nothing is due at the mock, and no request is in flight");
  return report("time cannot move: the code waits, and nothing brings it on", reasons, situation);
}

/** A run took *took_ms* of the machine's time. */
export function endless(situation: Situation, run: Run, took_ms: number): StuckTimeError {
  const often = [...situation.places].sort((a, b) => b[1] - a[1]).slice(0, PLACES_MAX);
  const details = often.map(([place, count]) => `${count} timers were set at ${place}`);
  if (situation.isAdvancing) {
    details.push("the mock has not answered an advance of the clock; is a receiver of webhooks slow?");
  }
  details.push(...situation.traffic.unanswered.map((it) => `${it} has no answer`));
  const summary =
    `world.run took ${(took_ms / 1_000).toFixed(1)} s of real time, in which the world's clock moved ` +
    `${inWords(situation.now - run.start)} and ${situation.fired} timers fired; is there a loop without an end? ` +
    "(the option realTimeLimit allows more)";
  return report(summary, details, situation);
}

function report(summary: string, details: readonly string[], { world, now, traffic, runs }: Situation): StuckTimeError {
  const callers = [...runs].flatMap(({ caller }) => (caller ? [`world.run was called at ${caller}`] : []));
  const last = traffic.last ? [`the last answer: ${traffic.last}`] : [];
  const clock = `the clock of ${world}: ${new Date(now).toISOString()}`;
  return new StuckTimeError([summary, ...[...details, ...last, clock, ...callers].map((it) => `  - ${it}`)].join("\n"));
}

/**
 * The time of one world, as the code under test sees it.
 *
 * While code runs in `world.run`, the pump waits until nothing is in flight and nothing happens any
 * more. Then it advances the world's clock to what comes first, a timer of the code or something
 * that is due at the mock, and fires the timers.
 */

import { StuckTimeError } from "../errors.js";
import { delaysOf, type FakeClock, keepOnTop, type Layers } from "./install.js";
import type { UserPlace } from "./callsite.js";
import { pause, realClearInterval, realNow, realSetInterval, turn } from "./real.js";
import { watchRealTimers } from "./real-timers.js";
import { Run } from "./run.js";
import { onMachineTime, shared, type Scope } from "./shared.js";
import { endless, type Situation, standstill } from "./stuck.js";
import type { WorldTimer } from "./timers.js";
import { isServing, isWaitingElsewhere, Traffic } from "./traffic.js";

/** What the pump needs of a world. Instants are milliseconds since 1970. */
export interface WorldClock {
  readonly name: string;
  readonly port: string;
  read(): Promise<{ mode: string; now: number }>;
  /**
   * Until when faults delay the answers of all of *requests*, such as `GET /w/w_1/ozor/api/v1/videos`:
   * Infinity for a delay on the machine's clock; undefined if there is one that no fault delays.
   */
  delayedUntil(requests: readonly string[]): Promise<number | undefined>;
  /** Advances to the next event, by *limit_ms* at most; the new time, and how much has happened. */
  advance(limit_ms: number | undefined): Promise<{ now: number; events: number }>;
}

/** Without any event for this long, the code waits for something that cannot come. */
const STUCK_MS = 3_000;
/** The machine's time that one run may take. Test runners stop a test after 5 s. */
export const LIMIT_MS = 4_000;
/** How long nothing must happen before time moves; more before a long jump. */
const QUIET_MS = 1;
const LONG_JUMP_MS = 30_000;
const QUIET_BEFORE_LONG_JUMP_MS = 6;
/** File reads and name lookups that do not end within this time are not waited for. */
const FILES_MS = 100;
/** Time moves in such steps while an event stream is open: the clock does not list its events. */
const STREAM_STEP_MS = 5_000;
/** The same while a timer is set, which an event could clear. */
const WATCHED_STREAM_STEP_MS = 1_000;
/** The events of a stream arrive this long after the answer of the advance. */
const STREAM_MS = 2;
/** Calls of `Date.now` in one turn of the event loop after which the time that it took is checked. */
const CALLS_MAX = 4_096;

/** A request without an answer for this long may be delayed by a fault: the mock knows. */
const HELD_MS = 150;

/** How long a receiver of webhooks may take before timers that it has set fire. */
const RECEIVER_MS = 20;
const LOOK_EVERY_MS = 100;

const FILE_REQUESTS = /^(FSReq|GetAddrInfo|GetNameInfo|TCPConnect|PipeConnect|WriteWrap)/;

export class Timeline {
  now = 0;
  readonly traffic = new Traffic();
  readonly openScope: Scope = { timeline: this, isAbandoned: false };
  private readonly queue = new Set<WorldTimer>();
  private readonly runs = new Set<Run>();
  private started = 0;
  private fired = 0;
  private activity = 0;
  private progressAt = realNow();
  private turnAt = realNow();
  private dateCalls = 0;
  private isAdvancing = false;
  /** When a fault lets an answer go that the code waits for. */
  private heldUntil = Infinity;
  /** Calls of this package by the code in the run, which time must not overtake. */
  private ownCalls = 0;
  private readonly places = new Map<UserPlace, number>();
  private wake: () => void = () => undefined;
  private guests: ReadonlySet<FakeClock> = new Set();

  /**
   * *isProgram*: this is the time of a whole program, which ends by itself. It has no limits, does not
   * outlive its last timer, and stays as it is until the program has called the mock or set a timer.
   */
  constructor(
    private readonly clock: WorldClock,
    readonly options: { isProgram: boolean } = { isProgram: false },
  ) {}

  get port(): string {
    return this.clock.port;
  }

  // --- What the wrappers call ------------------------------------------------------------------

  add(timer: WorldTimer): void {
    this.queue.add(timer);
    this.noteActivity();
  }

  remove(timer: WorldTimer): void {
    this.queue.delete(timer);
    this.noteActivity();
  }

  noteActivity(): void {
    this.activity += 1;
    this.progressAt = realNow();
    this.wake();
  }

  /** The world's time. Throws when code reads it for ever without letting it move. */
  readClock(): number {
    this.dateCalls += 1;
    if (this.dateCalls % CALLS_MAX === 0 && realNow() - this.turnAt > STUCK_MS) {
      throw new StuckTimeError(
        `time cannot move: this code read the clock ${this.dateCalls} times and never let the event loop turn, ` +
          `so the clock of ${this.clock.name} stays at ${new Date(this.now).toISOString()}; await something in the loop`,
      );
    }
    return this.now;
  }

  /** Milliseconds of the world since the first run. */
  get elapsed(): number {
    return this.started === 0 ? 0 : this.now - this.started;
  }

  // --- What the world calls --------------------------------------------------------------------

  /** The world's time became *now*, by a call of the test: fire what is due. */
  async moved(now: number): Promise<void> {
    this.now = Math.max(this.now, now);
    await onMachineTime(() => this.fireDue());
  }

  /** Run *call*, a call of the test to the mock, while time does not move. */
  async during<T>(call: () => Promise<T>): Promise<T> {
    this.ownCalls += 1;
    try {
      return await onMachineTime(call);
    } finally {
      this.ownCalls -= 1;
      this.noteActivity();
    }
  }

  /** Forget the world: its timers never fire. */
  close(): void {
    this.openScope.isAbandoned = true;
    this.queue.clear();
    for (const run of this.runs) run.fail(new StuckTimeError(`${this.clock.name} was deleted while code ran in it`));
  }

  /** Begin a run: until it ends, the world's clock moves when the code waits. */
  async begin(limit_ms: number, caller: UserPlace | undefined): Promise<Run> {
    const { mode, now } = await onMachineTime(() => this.clock.read());
    if (mode !== "manual" && mode !== "warp") {
      throw new StuckTimeError(`world.run moves the clock, so ${this.clock.name} needs the clock 'manual', not '${mode}'`);
    }
    this.now = Math.max(this.now, now);
    if (this.started === 0) this.started = this.now;
    const run = new Run(this, realNow(), this.now, limit_ms, caller);
    this.runs.add(run);
    this.noteActivity();
    if (this.runs.size === 1) {
      shared.running.add(this);
      this.places.clear();
      this.fired = 0;
      void onMachineTime(() => this.pump());
    }
    return run;
  }

  end(run: Run): void {
    this.runs.delete(run);
    if (this.runs.size === 0) shared.running.delete(this);
  }

  // --- The pump --------------------------------------------------------------------------------

  private async pump(): Promise<void> {
    const unwatch = watchRealTimers();
    // Also while the mock itself does not answer.
    const limits = realSetInterval(() => this.checkLimit(), LOOK_EVERY_MS);
    if (this.options.isProgram) limits.unref();
    const restore = keepOnTop();
    this.guests = restore.guests;
    try {
      while (this.runs.size > 0) await this.step(restore);
    } catch (error) {
      for (const run of [...this.runs]) run.fail(error as Error);
    } finally {
      realClearInterval(limits);
      restore.all();
      unwatch();
    }
  }

  private async step(layers: Layers): Promise<void> {
    layers.again();
    await this.quiet(QUIET_MS);
    if (this.wait_ms > LONG_JUMP_MS) await this.quiet(QUIET_BEFORE_LONG_JUMP_MS);
    if (this.runs.size === 0) return;
    const before = this.activity;
    if (this.wait_ms > 0 && !(this.mayMove && (await this.advance()))) await this.waitForEvent(before, layers);
    await this.fireDue();
  }

  /** False for a process such as npm, which waits for another process and calls no mock. */
  private get mayMove(): boolean {
    return !this.options.isProgram || this.traffic.last !== "" || this.wait_ms < Infinity;
  }

  /** How far time may move; Infinity if the code waits for no timer. */
  private get wait_ms(): number {
    const step = this.queue.size > 0 ? WATCHED_STREAM_STEP_MS : STREAM_STEP_MS;
    const stream = this.traffic.hasStream ? step : Infinity;
    const faked = [...this.guests].flatMap(delaysOf);
    const held = Math.max(1, this.heldUntil - this.now);
    return Math.min((this.earliest()?.at ?? Infinity) - this.now, held, stream, ...faked);
  }

  /** Move time to what comes first. False if nothing is scheduled. */
  private async advance(): Promise<boolean> {
    const limit_ms = this.wait_ms === Infinity ? undefined : this.wait_ms;
    const { now, events } = await this.whileAdvancing(this.clock.advance(limit_ms));
    const hasMoved = now > this.now || events > 0;
    for (const guest of this.guests) guest.tick(now - this.now);
    this.now = Math.max(this.now, now);
    if (hasMoved) this.progressAt = realNow();
    if (this.traffic.hasStream) await pause(STREAM_MS);
    return hasMoved;
  }

  /**
   * The answer to an advance. During it, the mock waits for receivers of webhooks, and the clock
   * cannot move: timers that such a receiver sets before it answers fire at once.
   */
  private async whileAdvancing<T>(answer: Promise<T>): Promise<T> {
    const before = new Set(this.queue);
    let isPending = true;
    const done = answer.finally(() => (isPending = false));
    done.catch(() => undefined);
    this.isAdvancing = true;
    while (isPending) {
      await Promise.race([done, pause(RECEIVER_MS)]).catch(() => undefined);
      if (!isPending || !isServing()) continue;
      const set = [...this.queue].filter((it) => !before.has(it)).sort((a, b) => a.at - b.at);
      set[0]?.fire();
    }
    this.isAdvancing = false;
    return done;
  }

  private earliest(): WorldTimer | undefined {
    let first: WorldTimer | undefined;
    for (const timer of this.queue) {
      if (timer.isAbandoned) this.queue.delete(timer);
      else if (first === undefined || timer.at < first.at) first = timer;
    }
    return first;
  }

  private async fireDue(): Promise<void> {
    for (let timer = this.earliest(); timer && timer.at <= this.now; timer = this.earliest()) {
      this.fired += 1;
      this.progressAt = realNow();
      if (timer.place) this.places.set(timer.place, (this.places.get(timer.place) ?? 0) + 1);
      try {
        timer.fire();
      } catch (error) {
        // As with a timer of Node.js, the error of a callback is an uncaught exception.
        queueMicrotask(() => {
          throw error;
        });
      }
      await turn();
    }
  }

  /** Wait until no request is in flight and nothing has happened for *quiet_ms*. */
  private async quiet(quiet_ms: number): Promise<void> {
    const began = realNow();
    this.heldUntil = Infinity;
    for (;;) {
      const before = this.activity;
      await turn();
      await this.activityWithin(quiet_ms);
      await turn();
      this.turnAt = realNow();
      this.dateCalls = 0;
      if (this.runs.size === 0) return;
      if (this.isBusy || this.activity !== before) {
        this.checkProgress();
        if (await this.isHeld()) return;
        continue;
      }
      if (realNow() - began > FILES_MS || !readsFiles()) return;
    }
  }

  private get isBusy(): boolean {
    return this.traffic.isBusy || this.ownCalls > 0 || isWaitingElsewhere();
  }

  /** Wait *ms* of the machine's time. A program may end meanwhile: its own timers keep it alive. */
  private pause(ms: number): Promise<void> {
    return pause(ms, !this.options.isProgram);
  }

  /** Wait until something happens, for *ms* of the machine's time at most. */
  private activityWithin(ms: number): Promise<void> {
    return Promise.race([this.pause(ms), new Promise<void>((resolve) => (this.wake = resolve))]);
  }

  /** Whether everything in flight waits for a fault, so that timers such as deadlines may fire. */
  private async isHeld(): Promise<boolean> {
    const { unanswered } = this.traffic;
    const isEarly = realNow() - this.progressAt < HELD_MS;
    if (isEarly || unanswered.length === 0 || this.ownCalls > 0) return false;
    const until = await this.clock.delayedUntil(unanswered);
    this.heldUntil = until ?? Infinity;
    // A program waits for a delay of the machine's time, as programs in other languages do.
    return until !== undefined && (until < Infinity || (this.queue.size > 0 && !this.options.isProgram));
  }

  /** Nothing is scheduled: wait for the code to do something else than wait for time. */
  private async waitForEvent(before: number, layers: Layers): Promise<void> {
    while (this.activity === before && this.runs.size > 0) {
      await this.pause(QUIET_MS);
      // Code that installed fake timers may wait for one of them.
      layers.again();
      if (this.wait_ms < Infinity) return;
      this.turnAt = realNow();
      this.checkProgress();
    }
  }

  // --- Time that does not move -----------------------------------------------------------------

  private checkProgress(): void {
    if (!this.options.isProgram && realNow() - this.progressAt >= STUCK_MS) throw standstill(this.situation);
  }

  private checkLimit(): void {
    for (const run of this.runs) {
      const took_ms = realNow() - run.realStart;
      if (took_ms >= run.limit_ms) run.fail(endless(this.situation, run, took_ms));
    }
  }

  private get situation(): Situation {
    const { now, traffic, runs, isAdvancing, fired, places } = this;
    return { world: this.clock.name, now, traffic, runs, isAdvancing, fired, places };
  }
}

function readsFiles(): boolean {
  return process.getActiveResourcesInfo().some((it) => FILE_REQUESTS.test(it));
}

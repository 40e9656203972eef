/** A world: accounts, keys, a clock, jobs and a journal that belong to one test. */

import { install } from "./bridge/install.js";
import { shared } from "./bridge/shared.js";
import { LIMIT_MS, Timeline } from "./bridge/timeline.js";
import { userPlace } from "./bridge/callsite.js";
import { Clock } from "./clock.js";
import { Control, type Schemas } from "./control/control.js";
import { everyItem } from "./control/pages.js";
import { milliseconds, type Duration } from "./durations.js";
import { faultOrder, type FaultAttributes, type FaultOptions, type FaultPlace } from "./faults.js";
import { complaint, type Finding } from "./findings.js";
import { Provider } from "./provider.js";
import { Webhooks } from "./webhooks.js";
import { worldClock } from "./world-clock.js";

install();

export interface WorldOptions {
  /** Same seed, same calls: same ids, bodies and videos. Default: 1. */
  seed?: number;
  /** Default: `manual`, which `world.run` needs. */
  clock?: { mode?: "manual" | "auto" | "real" | `real:${number}`; now?: Date | string };
  /** How long jobs take: `documented`, `fast`, `instant`, or a factor. */
  pace?: "documented" | "fast" | "instant" | number;
  /** The credits of the first account, by provider. */
  credits?: Record<string, number>;
  /** Whether directives such as `[[screentest:fail]]` in a prompt act. Default: yes. */
  magic?: boolean;
  /** Whether a request can order a fault for itself, by the header `X-Screentest-Fault`. */
  fault_header?: boolean;
  /** Shown in logs and lists, such as the name of the test. */
  label?: string;
  /** Readings of interpretations, by `provider.name`. */
  readings?: Record<string, string>;
}

export interface RunOptions {
  /** The real time that the run may take. Default: 4 s. */
  realTimeLimit?: Duration;
}

/** What requests have to be like; `body` has fields that each has to have. */
export interface WantedRequests {
  times?: number;
  provider?: string;
  status?: number;
  path?: string;
  body?: Record<string, unknown>;
}

/** Whether requests are as wanted. */
export interface Verification {
  holds: boolean;
  detail: string;
  requests: string[];
}

/** A saved state of a world. It can be restored into any world of any mock. */
export interface Snapshot {
  name: string;
  document: string;
}

const LABEL_MAX = 500;

export class World {
  readonly id: string;
  readonly clock: Clock;
  readonly webhooks: Webhooks;
  /** The variables that point clients at this world, such as `OZOR_BASE_URL`. */
  env: Record<string, string>;
  private readonly providers: Map<string, Provider>;
  private readonly timeline: Timeline;
  private readonly allowed = new Set<string>();
  private readonly key: string;

  /** @internal Use `createWorld`. */
  constructor(
    /** The whole control API, typed. */
    readonly control: Control,
    shown: Schemas["World"],
  ) {
    this.id = shown.id;
    this.env = shown.env;
    this.timeline = new Timeline(worldClock(control, this.id));
    this.key = `${this.timeline.port}/${this.id}`;
    shared.open.set(this.key, this.timeline);
    this.clock = new Clock(control, this.id, this.timeline);
    this.webhooks = new Webhooks(control, this.id, this.timeline);
    this.providers = new Map(
      Object.entries(shown.providers).map(([id, it]) => [id, new Provider(id, control, this.id, this.timeline, it)]),
    );
  }

  // --- Clients ---------------------------------------------------------------------------------

  /** The provider *id*, such as `ozor`. */
  provider(id: string): Provider {
    const found = this.providers.get(id);
    if (found) return found;
    throw new Error(`no provider '${id}' (there are: ${[...this.providers.keys()].join(", ")})`);
  }

  get ozor(): Provider {
    return this.provider("ozor");
  }

  get znapai(): Provider {
    return this.provider("znapai");
  }

  get ugcCopilot(): Provider {
    return this.provider("ugc_copilot");
  }

  get ulazai(): Provider {
    return this.provider("ulazai");
  }

  get oshara(): Provider {
    return this.provider("oshara");
  }

  /** Options of `new OpenAI(…)` for ZnapAI, which is OpenAI-compatible. */
  get openai(): { baseURL: string; apiKey: string } {
    return { baseURL: this.env["OPENAI_BASE_URL"] ?? "", apiKey: this.env["OPENAI_API_KEY"] ?? "" };
  }

  // --- Time ------------------------------------------------------------------------------------

  /**
   * The result of *work*, whose time is the world's: when it sleeps, the world's clock moves.
   *
   * This covers `setTimeout`, `setInterval`, `timers/promises`, `AbortSignal.timeout`, `Date` and
   * `performance.now`. Throws a `StuckTimeError` when the code waits for what time cannot bring.
   */
  async run<T>(work: () => T | Promise<T>, options: RunOptions = {}): Promise<T> {
    const caller = userPlace(this.run);
    const run = await this.timeline.begin(milliseconds(options.realTimeLimit ?? LIMIT_MS), caller);
    try {
      const working = shared.scopes.run(run.scope, async () => work());
      return await Promise.race([working, run.failure]);
    } finally {
      run.end();
    }
  }

  /**
   * Begin a run that lasts until the returned function is called. Code without a run of its own is
   * part of it, unless code runs in another world at the same time.
   */
  async keepRunning(options: RunOptions = {}): Promise<() => Promise<void>> {
    const run = await this.timeline.begin(milliseconds(options.realTimeLimit ?? LIMIT_MS), undefined);
    let failure: Error | undefined;
    run.failure.catch((error: Error) => {
      failure = error;
    });
    return async () => {
      run.end();
      await Promise.resolve();
      if (failure) throw failure;
    };
  }

  // --- Failures --------------------------------------------------------------------------------

  /** Inject a failure: `world.fault("http_error", { provider: "znapai", status: 429, retryAfter: "30s" })`. */
  fault<T extends keyof FaultAttributes>(
    type: T,
    options: FaultOptions<T> = {} as FaultOptions<T>,
  ): Promise<Schemas["Fault"]> {
    const body = faultOrder(type, options);
    return this.timeline.during(() => this.control.post("/worlds/{world}/faults", { path: { world: this.id }, body }));
  }

  /** The next matching call is done and paid for, and its answer is lost. */
  lostAnswer(place: Omit<FaultPlace, "phase"> = {}): Promise<Schemas["Fault"]> {
    return this.fault("reset_peer", { ...place, phase: "after_commit" });
  }

  /** Remove all faults. */
  async clearFaults(): Promise<void> {
    await this.timeline.during(() => this.control.delete("/worlds/{world}/faults", { path: { world: this.id } }));
  }

  // --- What happened ---------------------------------------------------------------------------

  /** The journal, oldest first. */
  requests(filter: { provider?: string; operation?: string; status?: number; code?: string } = {}): Promise<Schemas["RequestLine"][]> {
    return this.timeline.during(() =>
      everyItem<Schemas["RequestLine"]>(this.control, "/worlds/{world}/requests", this.id, filter),
    );
  }

  /**
   * Whether the requests are as wanted. One operation has to come `times` times (0: never; without it,
   * at least once). Several have to come in this order, with any requests between them. `detail` says
   * what is different and names the nearest request; `requests` are the ids of those that fit.
   */
  verifyRequests(operations: string | readonly string[], wanted: WantedRequests = {}): Promise<Verification> {
    const path = { world: this.id };
    const body = { ...wanted, operations: typeof operations === "string" ? [operations] : [...operations] };
    return this.timeline.during(() => this.control.post("/worlds/{world}/requests/verify", { path, body }));
  }

  /** What the mock says about the code under test, without the codes that `allow` allows. */
  async findings(filter: { severity?: "error" | "warning"; final?: boolean } = {}): Promise<Finding[]> {
    const found = await this.timeline.during(() =>
      everyItem<Finding>(this.control, "/worlds/{world}/findings", this.id, filter),
    );
    return found.filter((it) => !this.allowed.has(it.code));
  }

  /** Findings with these codes do not fail the test. */
  allow(...codes: string[]): void {
    for (const code of codes) {
      if (!/^SC\d{3}$/.test(code)) throw new Error(`'${code}' is not the code of a finding, such as 'SC104'`);
      this.allowed.add(code);
    }
  }

  /** Throw a `FindingsError` if there are findings of the severity `error` that are not allowed. */
  async check(): Promise<void> {
    const error = complaint(this.id, await this.findings({ severity: "error", final: true }));
    if (error) throw error;
  }

  // --- States ----------------------------------------------------------------------------------

  /** Save the state of the world. */
  async snapshot(name = "snapshot"): Promise<Snapshot> {
    return this.timeline.during(async () => {
      await this.control.post("/worlds/{world}/snapshots", { path: { world: this.id }, body: { name } });
      const path = { world: this.id, snapshot: name };
      const document = await this.control.get("/worlds/{world}/snapshots/{snapshot}", { path });
      return { name, document };
    });
  }

  /** Put the world into a saved state, of this or another world. Keys and `env` may change. */
  async restore(snapshot: Snapshot): Promise<void> {
    const path = { world: this.id, snapshot: snapshot.name };
    const shown = await this.timeline.during(async () => {
      await this.control.post("/worlds/{world}/snapshots", { path: { world: this.id }, body: snapshot });
      return this.control.post("/worlds/{world}/snapshots/{snapshot}/restore", { path });
    });
    this.env = shown.env;
    for (const [id, it] of Object.entries(shown.providers)) this.provider(id).renew(it);
    await this.timeline.moved(Date.parse(shown.clock.now));
  }

  /** Delete the world, and stop its webhook receivers. */
  async delete(): Promise<void> {
    this.timeline.close();
    shared.open.delete(this.key);
    await this.webhooks.close();
    await this.timeline.during(() => this.control.delete("/worlds/{world}", { path: { world: this.id } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete();
  }
}

/** A new world at the mock at *url*; without it, at the one of the global set-up, or at one of this process. */
export async function createWorld(options: WorldOptions = {}, url?: string): Promise<World> {
  const { ensureMock } = await import("./mock.js");
  const control = new Control(url ?? (await ensureMock()));
  const { clock = {}, label, readings, ...rest } = options;
  const { mode = "manual", now } = clock;
  const shown = await control.post("/worlds", {
    body: {
      ...rest,
      clock: { mode, ...(now === undefined ? {} : { now: new Date(now).toISOString() }) },
      ...(label === undefined ? {} : { label: label.slice(0, LABEL_MAX) }),
    },
  });
  if (readings) await control.patch("/worlds/{world}/interpretations", { path: { world: shown.id }, body: readings });
  return new World(control, shown);
}

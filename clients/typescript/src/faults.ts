/** Injected failures, typed by what each one takes. */

import type { Schemas } from "./control/control.js";
import { milliseconds, type Duration } from "./durations.js";

type Type = Schemas["FaultType"];

interface DelayClock {
  /** The clock that the delay follows. Default: `machine`. */
  clock?: "machine" | "world";
}

/** What each type of fault takes. Durations can be written as `"30s"`. */
export interface FaultAttributes {
  http_error: { status?: number; retryAfter?: Duration; body?: unknown };
  latency: { delay?: Duration; jitter?: Duration; p50?: Duration; p99?: Duration } & DelayClock;
  timeout: { delay?: Duration } & DelayClock;
  reset_peer: object;
  limit_data: { bytes?: number };
  slicer: { size?: number; delay?: Duration };
  malformed_json: object;
  wrong_content_type: { contentType?: string };
  empty: object;
  garbage: { size?: number };
  changed_field: { pointer?: string; value?: unknown };
  stream_cut: { afterEvents?: number };
  stream_stall: { afterEvents?: number; stall?: Duration } & DelayClock;
  stream_malformed: { afterEvents?: number };
  stream_duplicate: { afterEvents?: number };
  stream_no_end: object;
  stream_error: { afterEvents?: number; reason?: string };
  job_failure: { reason?: string; at?: number };
  job_at_once: { delay?: Duration };
  job_stall: object;
  url_expired: object;
  credits_end: object;
  key_revoked: object;
  webhook_drop: object;
  webhook_duplicate: { copies?: number };
  webhook_reorder: { delay?: Duration };
  webhook_bad_signature: object;
  model_retired: { model?: string; status?: number };
}

/** Which calls a fault applies to, and when. Without a place, it applies to the next call. */
export interface FaultPlace {
  provider?: string;
  operation?: string;
  account?: string;
  /** Of deliveries alone. */
  event?: string;
  endpoint?: string;
  /** A kind of URL of the contract, for a fault of downloads of stored files. */
  file?: string;
  /** Apply to the n-th matching call, counted from 1. */
  nth?: number;
  /** `calls`: count all calls of the place, also those that another fault or a refusal ended first. */
  counts?: "matches" | "calls";
  /** How often to apply; `null` is always. Default: once. */
  times?: number | null;
  probability?: number;
  /** The instants of the world between which the fault applies; `for` in place of `until`. */
  from?: Date | string;
  until?: Date | string;
  for?: Duration;
  /** `after_commit`: the work is done and paid for, and the answer is lost. */
  phase?: "before" | "after_commit" | "during_body";
}

export type FaultOptions<T extends Type> = FaultPlace & FaultAttributes[T];

/** How a fault attribute is called on the wire, and what becomes of its value. */
const WIRE: Record<string, [string, (value: never) => unknown]> = {
  retryAfter: ["retry_after_s", (value: Duration) => Math.round(milliseconds(value) / 1_000)],
  delay: ["delay_ms", milliseconds],
  jitter: ["jitter_ms", milliseconds],
  p50: ["p50_ms", milliseconds],
  p99: ["p99_ms", milliseconds],
  stall: ["stall_ms", milliseconds],
  afterEvents: ["after_events", same],
  contentType: ["content_type", same],
};
const PLACES = ["provider", "operation", "account", "event", "endpoint", "file"] as const;
const SCHEDULE: Record<string, [string, (value: never) => unknown]> = {
  nth: ["nth", same],
  counts: ["counts", same],
  times: ["times", same],
  probability: ["probability", same],
  phase: ["phase", same],
  from: ["from", instant],
  until: ["until", instant],
  for: ["for_ms", milliseconds],
};

function same<T>(value: T): T {
  return value;
}

function instant(value: Date | string): string {
  return new Date(value).toISOString();
}

/** The body of `POST /worlds/{world}/faults`. */
export function faultOrder<T extends Type>(type: T, options: FaultOptions<T>): Schemas["FaultOrder"] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const order: Record<string, unknown> = { type };
  const where: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of given) {
    if ((PLACES as readonly string[]).includes(name)) where[name] = value;
    else {
      const [target, known] = name in SCHEDULE ? [order, SCHEDULE] : [attributes, WIRE];
      const [wireName, read] = known[name] ?? [name, same];
      target[wireName] = read(value as never);
    }
  }
  return { ...order, where, attributes } as Schemas["FaultOrder"];
}

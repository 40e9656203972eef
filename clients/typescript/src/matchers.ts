/** Matchers about payments, results and retries, for `expect` of vitest and jest, and as functions. */

import type { Schemas } from "./control/control.js";
import { Provider } from "./provider.js";
import { type WantedRequests, World } from "./world.js";

interface Verdict {
  pass: boolean;
  message: () => string;
}

/** The matchers, as `expect` has them. */
export interface Matchers<R = Promise<void>> {
  /** Of a provider: its account has paid for exactly one job, and was not paid back. */
  toHavePaidOnce(): R;
  /** Of a world: every result that was paid for was fetched. */
  toHaveFetched(): R;
  /** Of a world: it got requests to this operation, or to these in this order; `times: 2` is exactly twice. */
  toHaveRequested(operations: string | readonly string[], wanted?: WantedRequests): R;
  /** Of a world: after each answer with `Retry-After`, the next call waited for that long. */
  toRespectRetryAfter(): R;
}

/** Ledger entries that take credits for a job, and those that give them back. */
const PAYS = ["hold", "charge"];
const PAYS_BACK = ["release", "refund"];

async function paidOnce(provider: Provider): Promise<Verdict> {
  const { entries } = await provider.ledger();
  const jobs = await provider.jobs();
  const isFree = !entries.some((it) => PAYS.includes(it.kind));
  const payments = isFree
    ? jobs.map((it) => `job ${it.id} of ${it.created_at}, for which the provider names no price`)
    : unreturned(entries).map((it) => `${it.amount} credits at ${it.at} for job ${it.job}, by ${it.request}`);
  return {
    pass: payments.length === 1,
    message: () => `expected one payment to ${provider.id}, found ${payments.length}${payments.map((it) => `\n  ${it}`).join("")}`,
  };
}

/** The entries that took credits which never came back. */
function unreturned(entries: readonly Schemas["Entry"][]): Schemas["Entry"][] {
  const returned = new Set(entries.filter((it) => PAYS_BACK.includes(it.kind)).map((it) => it.job));
  return entries.filter((it) => PAYS.includes(it.kind) && !returned.has(it.job));
}

/** Findings about what was paid for and never fetched. */
const NEVER_FETCHED = ["SC212", "SC213"];

async function fetched(world: World): Promise<Verdict> {
  const findings = await world.findings({ final: true });
  const lost = findings.filter((it) => NEVER_FETCHED.includes(it.code));
  return {
    pass: lost.length === 0,
    message: () =>
      lost.length === 0
        ? "expected a result that was paid for and never fetched, found none"
        : `expected every result that was paid for to be fetched:${lost.map((it) => `\n  ${it.code} ${it.where.job ?? it.where.id}: ${it.actual}\n    fix: ${it.fix}`).join("")}`,
  };
}

async function requested(
  world: World,
  operations: string | readonly string[],
  wanted?: WantedRequests,
): Promise<Verdict> {
  const { holds, detail, requests } = await world.verifyRequests(operations, wanted);
  return {
    pass: holds,
    message: () => (holds ? `expected no such requests to ${[operations].flat().join(", ")}, found ${requests.join(", ")}` : detail),
  };
}

async function respectsRetryAfter(world: World): Promise<Verdict> {
  const lines = await world.requests();
  const early: string[] = [];
  let asked = 0;
  lines.forEach((line, index) => {
    const wait_s = Number(header(line, "retry-after"));
    if (!(wait_s > 0)) return;
    asked += 1;
    const next = lines.slice(index + 1).find((it) => it.provider === line.provider && it.operation === line.operation);
    const waited_s = next ? (Date.parse(next.at) - Date.parse(line.at)) / 1_000 : Infinity;
    if (waited_s < wait_s) early.push(`${line.operation} was asked to wait ${wait_s} s by ${line.id}, and came again after ${waited_s} s`);
  });
  return {
    pass: asked > 0 && early.length === 0,
    message: () =>
      asked === 0
        ? "expected calls to wait as Retry-After says, but no answer had that header; inject one with world.fault('http_error', { status: 429, retryAfter: '30s' })"
        : early.length
          ? `expected calls to wait as Retry-After says:${early.map((it) => `\n  ${it}`).join("")}`
          : `expected a call that comes earlier than Retry-After says, found none in ${asked} answers`,
  };
}

function header(line: Schemas["RequestLine"], name: string): string | undefined {
  const headers = (line.response as { headers?: Record<string, string> }).headers ?? {};
  return Object.entries(headers).find(([it]) => it.toLowerCase() === name)?.[1];
}

function mustBe<T>(received: unknown, kind: new (...args: never[]) => T, matcher: string, example: string): T {
  if (received instanceof kind) return received;
  throw new TypeError(`${matcher} is for ${example}, got ${typeof received}`);
}

export const matchers = {
  toHavePaidOnce: (received: unknown) =>
    paidOnce(mustBe(received, Provider, "toHavePaidOnce", "a provider, such as world.ozor")),
  toHaveFetched: (received: unknown) => fetched(mustBe(received, World, "toHaveFetched", "a world")),
  toHaveRequested: (received: unknown, operations: string | readonly string[], wanted?: WantedRequests) =>
    requested(mustBe(received, World, "toHaveRequested", "a world"), operations, wanted),
  toRespectRetryAfter: (received: unknown) =>
    respectsRetryAfter(mustBe(received, World, "toRespectRetryAfter", "a world")),
};

/** The matchers as functions that throw, for node:assert and other libraries. */
export const assertions = {
  paidOnce: (provider: Provider): Promise<void> => demand(matchers.toHavePaidOnce(provider)),
  fetched: (world: World): Promise<void> => demand(matchers.toHaveFetched(world)),
  requested: (world: World, operations: string | readonly string[], wanted?: WantedRequests): Promise<void> =>
    demand(matchers.toHaveRequested(world, operations, wanted)),
  respectsRetryAfter: (world: World): Promise<void> => demand(matchers.toRespectRetryAfter(world)),
};

async function demand(verdict: Promise<Verdict>): Promise<void> {
  const { pass, message } = await verdict;
  if (!pass) throw new Error(message());
}

/**
 * Which requests to the mock have no answer yet, by the diagnostics channels of Node.js.
 *
 * They see every client, also one that took `fetch` before it could be wrapped. A request counts
 * until its headers: an event stream waits for the world's clock, which waits for the requests.
 */

import diagnostics from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Timeline } from "./timeline.js";
import { realNow } from "./real.js";
import { onMachineTime, shared } from "./shared.js";

/** A short answer arrives within this time of its headers; a client may never read a long one. */
const BODY_MS = 50;

interface UndiciRequest {
  origin?: string | URL;
  path: string;
  method: string;
}

/** The requests of one world. */
export class Traffic {
  private readonly waiting = new Map<object, string>();
  private readonly bodies = new Map<object, number>();
  private readonly streams = new Set<object>();
  /** The last request that was answered, for messages. */
  last = "";

  get isBusy(): boolean {
    const now = realNow();
    for (const [request, until] of this.bodies) if (until < now) this.bodies.delete(request);
    return this.waiting.size > 0 || this.bodies.size > 0;
  }

  /** Whether an event stream is open. Its events are not among what is due on the clock. */
  get hasStream(): boolean {
    return this.streams.size > 0;
  }

  /** The requests that have no answer, such as `GET /w/w_1/ozor/api/v1/videos`. */
  get unanswered(): string[] {
    return [...this.waiting.values()];
  }

  begin(request: object, name: string): void {
    this.waiting.set(request, name);
  }

  headers(request: object, status: number, contentType: string): void {
    const name = this.waiting.get(request);
    if (name === undefined) return;
    this.last = `${name} ${status}`;
    this.waiting.delete(request);
    if (contentType.startsWith("text/event-stream")) this.streams.add(request);
    else this.bodies.set(request, realNow() + BODY_MS);
  }

  end(request: object): void {
    this.waiting.delete(request);
    this.bodies.delete(request);
    this.streams.delete(request);
  }
}

/** Requests that in-process servers are answering: what waits for them is not the mock. */
let served = 0;
const elsewhere = new Set<object>();
const owners = new WeakMap<object, Timeline>();

/** Whether a request to another process than the mock has no answer yet. */
export function isWaitingElsewhere(): boolean {
  return elsewhere.size > 0 && served === 0;
}

/** Whether a server of this process, such as a receiver of webhooks, has not answered a request yet. */
export function isServing(): boolean {
  return served > 0;
}

/** The world that a request to *host* is for; null for a call of this package; else undefined. */
function ownerOf(host: string, path: string): Timeline | null | undefined {
  if (path.startsWith("/_screentest")) return null;
  const port = /:(\d+)$/.exec(host)?.[1] ?? "80";
  const world = /^\/w\/([^/?]+)/.exec(path)?.[1] ?? "default";
  const owner = shared.open.get(`${port}/${world}`);
  if (owner !== undefined) return owner;
  // A client that knows the address of the default world alone: its key names its world.
  const isOurs = [...shared.open.values()].find((it) => it.port === port);
  return isOurs === undefined ? undefined : (shared.scopes.getStore()?.timeline ?? isOurs);
}

function noteActivity(): void {
  for (const timeline of shared.running) timeline.noteActivity();
}

/** False for a call of this package, which is not counted. */
function begin(request: object, method: string, host: string, path: string): boolean {
  const owner = ownerOf(host, path);
  if (owner === null) return false;
  noteActivity();
  if (owner === undefined) elsewhere.add(request);
  else {
    owners.set(request, owner);
    owner.traffic.begin(request, `${method} ${path}`);
  }
  return true;
}

const isCounted = (request: object): boolean => owners.has(request) || elsewhere.has(request);

function headers(request: object, status: number, contentType: string): void {
  if (!isCounted(request)) return;
  noteActivity();
  elsewhere.delete(request);
  owners.get(request)?.traffic.headers(request, status, contentType);
}

function end(request: object): void {
  if (!isCounted(request)) return;
  noteActivity();
  elsewhere.delete(request);
  owners.get(request)?.traffic.end(request);
}

function contentTypeOf(raw: readonly (Buffer | string)[]): string {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (String(raw[i]).toLowerCase() === "content-type") return String(raw[i + 1]);
  }
  return "";
}

const LISTENERS: Record<string, (message: never) => void> = {
  "undici:request:create": ({ request }: { request: UndiciRequest }) => {
    begin(request, request.method, new URL(String(request.origin ?? "http://_")).host, request.path);
  },
  "undici:request:headers": (message: { request: object; response: { statusCode: number; headers: Buffer[] } }) => {
    headers(message.request, message.response.statusCode, contentTypeOf(message.response.headers));
  },
  "undici:request:trailers": ({ request }: { request: object }) => end(request),
  "undici:request:error": ({ request }: { request: object }) => end(request),
  "http.client.request.start": ({ request }: { request: ClientRequest }) => {
    const host = String(request.getHeader("host") ?? request.host);
    if (begin(request, request.method, host, request.path)) request.once("close", () => end(request));
  },
  "http.client.response.finish": (message: { request: ClientRequest; response: IncomingMessage }) => {
    const type = message.response.headers["content-type"] ?? "";
    headers(message.request, message.response.statusCode ?? 0, type);
  },
  "http.server.request.start": ({ response }: { response: ServerResponse }) => {
    served += 1;
    noteActivity();
    response.once("close", () => {
      served -= 1;
      noteActivity();
    });
  },
};

/** Listen to the channels. Returns what ends that. */
export function watchTraffic(): () => void {
  const listeners = Object.entries(LISTENERS) as [string, (message: unknown) => void][];
  onMachineTime(() => listeners.forEach(([name, listener]) => diagnostics.subscribe(name, listener)));
  return () => listeners.forEach(([name, listener]) => diagnostics.unsubscribe(name, listener));
}

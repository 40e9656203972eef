/**
 * JSON over node:http, on connections of its own.
 *
 * The code under test may replace `fetch`, and the bridge counts requests of undici: control calls
 * must neither be intercepted nor counted.
 */

import http from "node:http";
import type { AddressInfo } from "node:net";
import { realClearInterval, realSetInterval } from "../bridge/real.js";

const request = http.request;
/**
 * A call may last as long as the mock lives: an advance waits for receivers of webhooks. A mock that
 * is silent for so long is asked for its health, and has so long to answer that: less than a run has.
 */
const SILENCE_MS = 2_000;
const HEALTH_MS_MAX = 1_500;
/** How long a mock that was silent before has for that. */
const HEALTH_AGAIN_MS_MAX = 300;
const silent = new Set<string>();
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

/** The answer to one call. Rejects with the error of the socket. */
export async function send(
  method: string,
  url: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Answer> {
  const { origin } = new URL(url);
  if (silent.has(origin) && !(await isAlive(origin))) throw new SilentError();
  try {
    return await sendOnce(method, url, headers, body);
  } catch (error) {
    // The server closed an idle connection at the moment when it was used again.
    if (error instanceof StaleConnectionError) return sendOnce(method, url, headers, body);
    throw error;
  }
}

class StaleConnectionError extends Error {}

class SilentError extends Error {
  constructor() {
    super(`no answer for ${(SILENCE_MS + HEALTH_MS_MAX) / 1_000} s`);
  }
}

/** Whether the server at *origin* answers anything, on a connection of its own. */
function isAlive(origin: string): Promise<boolean> {
  return new Promise((resolve) => {
    const timeout = silent.has(origin) ? HEALTH_AGAIN_MS_MAX : HEALTH_MS_MAX;
    const decide = (alive: boolean): void => {
      if (alive) silent.delete(origin);
      else silent.add(origin);
      call.destroy();
      resolve(alive);
    };
    const call = request(`${origin}/_screentest/health`, { agent: false, timeout }, () => decide(true));
    call.on("timeout", () => decide(false));
    call.on("error", () => decide(false));
    call.end();
  });
}

function sendOnce(
  method: string,
  url: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const call = request(url, { method, agent, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
      });
    });
    const { origin } = new URL(url);
    const watch = realSetInterval(() => {
      void isAlive(origin).then((alive) => void (alive || call.destroy(new SilentError())));
    }, SILENCE_MS).unref();
    call.on("close", () => realClearInterval(watch));
    call.on("error", (error: NodeJS.ErrnoException) => {
      const isStale = call.reusedSocket && (error.code === "ECONNRESET" || error.code === "EPIPE");
      reject(isStale ? new StaleConnectionError(error.message) : error);
    });
    call.end(body);
  });
}

/** The port on which *server* listens. */
export function portOf(server: http.Server): number {
  return (server.address() as AddressInfo).port;
}

/**
 * JSON over node:http, on connections of its own.
 *
 * The code under test may replace `fetch`, and the bridge counts requests of undici: control calls
 * must neither be intercepted nor counted.
 */

import http from "node:http";
import type { AddressInfo } from "node:net";

const request = http.request;
/** Longer than any receiver of webhooks may take, for which an advance waits. */
const SILENCE_MS = 60_000;
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
  try {
    return await sendOnce(method, url, headers, body);
  } catch (error) {
    // The server closed an idle connection at the moment when it was used again.
    if (error instanceof StaleConnectionError) return sendOnce(method, url, headers, body);
    throw error;
  }
}

class StaleConnectionError extends Error {}

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
    call.setTimeout(SILENCE_MS, () => call.destroy(new Error(`no answer within ${SILENCE_MS / 1_000} s`)));
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

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpError, sleep } from "./http.js";

const RETRIES = 3;

/** A client of UGC Copilot that repeats calls whose answer is lost or 429, with one idempotency key. */
export class Ugc {
  constructor(private readonly options: { baseUrl: string; apiKey: string }) {}

  private async call<T>(operation: string, body: object, key?: string): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      let response: Response;
      try {
        response = await fetch(`${this.options.baseUrl}/${operation}`, {
          method: "POST",
          headers: {
            Authorization: `Bearer ${this.options.apiKey}`,
            "Content-Type": "application/json",
            ...(key ? { "Idempotency-Key": key } : {}),
          },
          body: JSON.stringify(body),
        });
      } catch (error) {
        if (attempt > RETRIES) throw error;
        await sleep(500);
        continue;
      }
      if (response.status === 429 && attempt <= RETRIES) {
        await sleep(1_000 * Number(response.headers.get("retry-after") ?? 1));
        continue;
      }
      if (!response.ok) throw new HttpError(response.status, await response.text());
      return (await response.json()) as T;
    }
  }

  /** The name of the operation that renders the video. */
  async start(prompt: string, key: string | undefined = randomUUID()): Promise<string> {
    const body = { visualPrompt: prompt, engine: "veo", duration: 8, sceneImageUrl: "https://example.org/mug.png" };
    const { operation } = await this.call<{ operation: { name: string } }>("proxyStartVideoGeneration", body, key);
    return operation.name;
  }

  async isDone(operationName: string): Promise<boolean> {
    const { done } = await this.call<{ done?: boolean }>("proxyCheckVideoStatus", { operationName, engine: "veo" });
    return done === true;
  }
}

const TOLERANCE_S = 300;

/** A webhook handler that checks signature and age, and keeps the events that it believes. */
export function receiver(secret: () => string, events: { type: string }[]) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const timestamp = String(request.headers["x-ugc-timestamp"]);
      const expected = createHmac("sha256", secret()).update(`${timestamp}.`).update(body).digest();
      const given = Buffer.from(String(request.headers["x-ugc-signature"]), "hex");
      const isSigned = given.length === expected.length && timingSafeEqual(given, expected);
      const isFresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) <= TOLERANCE_S;
      if (isSigned && isFresh) events.push(JSON.parse(body.toString("utf8")));
      response.writeHead(!isSigned ? 401 : isFresh ? 204 : 400).end();
    });
  };
}

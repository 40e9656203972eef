/** HTTP clients of every kind: what they have in flight is awaited, and their own timers are left alone. */

import http from "node:http";
import type { AddressInfo } from "node:net";
import axios from "axios";
import OpenAI from "openai";
import { fetch as undiciFetch, request as undiciRequest } from "undici";
import type { World } from "@screentest/client";
import { expect, test } from "@screentest/client/vitest";
import { Ozor } from "../app/ozor.js";
import { elapsed } from "./elapsed.js";

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Job {
  videoId: string;
  jobId: string;
  status: string;
}
type Send = (method: "GET" | "POST", url: string, headers: Record<string, string>, body?: string) => Promise<Job>;

const overHttp: Send = (method, url, headers, body) =>
  new Promise((resolve, reject) => {
    const call = http.request(url, { method, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    });
    call.on("error", reject);
    call.end(body);
  });

const CLIENTS: [string, Send][] = [
  ["fetch", async (method, url, headers, body) => (await fetch(url, { method, headers, body: body ?? null })).json() as Promise<Job>],
  ["fetch of undici", async (method, url, headers, body) => (await undiciFetch(url, { method, headers, body: body ?? null })).json() as Promise<Job>],
  ["request of undici", async (method, url, headers, body) => (await undiciRequest(url, { method, headers, body: body ?? null })).body.json() as Promise<Job>],
  ["axios", async (method, url, headers, data) => (await axios.request<Job>({ method, url, headers, data })).data],
  ["node:http", overHttp],
];

test.for(CLIENTS)("%s polls every five seconds until the job is done", async ([, send], { world }) => {
  const { baseUrl, apiKey } = world.ozor;
  const headers = { "X-API-Key": apiKey, "Content-Type": "application/json" };

  await world.run(async () => {
    const { videoId, jobId } = await send("POST", `${baseUrl}/api/v1/videos/generate`, headers, '{"prompt": "A lamp"}');
    const job = `${baseUrl}/api/v1/videos/${videoId}/jobs/${jobId}`;
    while ((await send("GET", job, headers)).status !== "completed") await sleep(5_000);
    await (await fetch(`${baseUrl}/api/v1/videos/${videoId}`, { headers })).json();
  });
  const polls = await world.requests({ operation: "getJob" });
  const times = polls.map((it) => Date.parse(it.at));

  expect(polls.length).toBeGreaterThan(3);
  expect(new Set(times.slice(1).map((it, index) => it - times[index]!))).toEqual(new Set([5_000]));
});

test("a client that took fetch before the run is seen, and its own time-out does not end its calls", async ({ world }) => {
  const taken = globalThis.fetch;
  const client = new OpenAI({ ...world.openai, fetch: taken, timeout: 600_000 });

  const took = await elapsed(world, async () => {
    for (let number = 0; number < 10; number += 1) await client.videos.create({ prompt: `Lamp ${number}`, model: "sora-2" });
  });

  expect(took).toBe(0);
  expect(await world.requests()).toHaveLength(10);
});

test("a slow answer is awaited: a deadline of ten minutes does not pass meanwhile", async ({ world }) => {
  await world.fault("slicer", { size: 64, delay: 5, times: null });
  const deadline = new AbortController();

  await world.run(async () => {
    const timer = setTimeout(() => deadline.abort(), 600_000);
    const ozor = new Ozor({ baseUrl: world.ozor.baseUrl, apiKey: world.ozor.apiKey });
    await ozor.generate("A lamp");
    clearTimeout(timer);
  });

  expect(deadline.signal.aborted).toBe(false);
});

test("a delay on the world's clock passes with it", async ({ world }) => {
  await world.fault("latency", { delay: "8s", clock: "world" });
  const { baseUrl, apiKey } = world.ozor;

  const took = await elapsed(world, async () => {
    await (await fetch(`${baseUrl}/api/v1/videos`, { headers: { "X-API-Key": apiKey } })).json();
  });

  expect(took).toBe(8);
});

test("connections that are kept alive are not closed by the world's time", async ({ world }) => {
  const { baseUrl, apiKey } = world.ozor;

  await world.run(async () => {
    for (let hour = 0; hour < 5; hour += 1) {
      await (await fetch(`${baseUrl}/api/v1/videos`, { headers: { "X-API-Key": apiKey } })).json();
      await sleep(3_600_000);
    }
  });

  expect(await world.requests()).toHaveLength(5);
});

test("the events of a stream keep an idle time-out from firing", async ({ world }) => {
  const ozor = new Ozor({ baseUrl: world.ozor.baseUrl, apiKey: world.ozor.apiKey });
  const planId = await ozor.analyze("https://www.example.org/about");

  const idle = await world.run(async () => {
    const controller = new AbortController();
    const response = await fetch(`${world.ozor.baseUrl}/api/v1/documents/plans/${planId}/generate`, {
      method: "POST",
      headers: { "X-API-Key": world.ozor.apiKey, Accept: "text/event-stream" },
      signal: controller.signal,
    });
    let timer = setTimeout(() => controller.abort(), 45_000);
    for await (const _ of response.body!) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), 45_000);
    }
    clearTimeout(timer);
    return controller.signal.aborted;
  });

  expect(idle).toBe(false);
});

/** An application of the test's own, whose handler renders a video and answers when it is done. */
async function application(world: World): Promise<{ url: string; close: () => void }> {
  const ozor = new Ozor({ baseUrl: world.ozor.baseUrl, apiKey: world.ozor.apiKey });
  const server = http.createServer(async (_, response) => {
    const started = await ozor.generate("A lamp");
    await ozor.waitForJob(started);
    await ozor.exportAndDownload(started.videoId);
    response.end("done");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

test("an application that was started before the run sleeps on the world's clock", async ({ world }) => {
  const { url, close } = await application(world);

  const answer = await world.run(async () => (await fetch(url)).text());

  expect(answer).toBe("done");
  close();
});

test("a receiver that sleeps before it answers a webhook does not stop the clock", async ({ world }) => {
  const received: string[] = [];
  const server = http.createServer(async (request, response) => {
    for await (const _ of request);
    await sleep(2_000);
    received.push("after two seconds");
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const hook = await world.webhooks.deliverTo("ugc_copilot", `http://127.0.0.1:${port}/`);
  const { baseUrl, apiKey } = world.ugcCopilot;

  await world.run(async () => {
    const response = await fetch(`${baseUrl}/proxyStartVideoGeneration`, {
      method: "POST",
      headers: { Authorization: `Bearer ${apiKey}`, "Content-Type": "application/json" },
      body: JSON.stringify({ visualPrompt: "A mug", engine: "veo", duration: 8, sceneImageUrl: "https://example.org/a.png" }),
    });
    await response.text();
    while (received.length === 0) await sleep(10_000);
  });

  expect(received).toEqual(["after two seconds"]);
  expect((await hook.deliveries()).map((it) => it.state)).toEqual(["delivered"]);
  server.close();
});

test("work that was queued before the run is part of it", async ({ world }) => {
  const ozor = new Ozor({ baseUrl: world.ozor.baseUrl, apiKey: world.ozor.apiKey });
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const rendering = begun.then(async () => ozor.waitForJob(await ozor.generate("A lamp")));

  const polls = await world.run(() => {
    begin();
    return rendering;
  });

  expect(polls).toBeGreaterThan(1);
});

/**
 * Four providers, as an application tests its clients. The same file runs in vitest and in jest.
 */

import OpenAI, { toFile } from "openai";
import { expect, test } from "#runner";
import type { World } from "@screentest/client";
import { sleep } from "../app/http.js";
import { Oshara } from "../app/oshara.js";
import { Ozor } from "../app/ozor.js";
import { receiver, Ugc } from "../app/ugc.js";

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const ozorOf = ({ ozor }: World): Ozor => new Ozor({ baseUrl: ozor.baseUrl, apiKey: ozor.apiKey });
const ugcOf = ({ ugcCopilot }: World): Ugc => new Ugc({ baseUrl: ugcCopilot.baseUrl, apiKey: ugcCopilot.apiKey });
const openaiOf = ({ openai }: World): OpenAI => new OpenAI(openai);

async function elapsed(world: World, work: () => Promise<unknown>): Promise<number> {
  const start = await world.clock.now();
  await world.run(work);
  return ((await world.clock.now()).getTime() - start.getTime()) / 1_000;
}

// --- Ozor --------------------------------------------------------------------------------------

test("a video is generated, exported and downloaded", async ({ world }) => {
  const ozor = ozorOf(world);

  const file = await world.run(async () => {
    const started = await ozor.generate("A lamp ad");
    await ozor.waitForJob(started);
    return ozor.exportAndDownload(started.videoId);
  });

  expect(file.subarray(4, 8).toString()).toBe("ftyp");
  await expect(world.ozor).toHavePaidOnce();
});

test("the client gives up on a stalled job after ten minutes", async ({ world }) => {
  const ozor = ozorOf(world);

  const took = await elapsed(world, async () => {
    const started = await ozor.generate("[[screentest:stall]]");
    await expect(ozor.waitForJob(started)).rejects.toThrow("the job took too long");
  });

  expect(took).toBeGreaterThan(600);
  expect(took).toBeLessThan(610);
});

test("a failed job is reported with its reason", async ({ world }) => {
  const ozor = ozorOf(world);

  await world.run(async () => {
    const started = await ozor.generate("[[screentest:fail=GPU lost]]");
    await expect(ozor.waitForJob(started)).rejects.toThrow("GPU lost");
  });
});

test("four jobs are awaited at the same time", async ({ world }) => {
  await world.ozor.setCredits(100);
  const ozor = ozorOf(world);

  const polls = await world.run(() =>
    Promise.all([1, 2, 3].map(async (number) => ozor.waitForJob(await ozor.generate(`Lamp ${number}`)))),
  );

  expect(polls).toHaveLength(3);
  expect((await world.ozor.ledger()).spent).toBe(3);
});

test("the events of a plan are read to the end", async ({ world }) => {
  const ozor = ozorOf(world);

  const events = await world.run(async () => ozor.generatePlan(await ozor.analyze("https://www.example.org/about")));

  expect(events.at(-1)).toMatchObject({ step: "done", pct: 100 });
});

test("a cut stream is an error", async ({ world }) => {
  await world.fault("stream_cut", { afterEvents: 2 });
  const ozor = ozorOf(world);

  await world.run(async () => {
    const planId = await ozor.analyze("https://www.example.org/about");
    await expect(ozor.generatePlan(planId)).rejects.toThrow("terminated");
  });
});

// --- UGC Copilot -------------------------------------------------------------------------------

test("a signed webhook is believed, and the job is paid for once", async ({ world }) => {
  const events: { type: string }[] = [];
  const hook = await world.webhooks.listen("ugc_copilot", receiver(() => hook.secret, events));
  const ugc = ugcOf(world);

  const first = await ugc.start("A hand turns a mug", "key-1");
  const again = await ugc.start("A hand turns a mug", "key-1");
  await world.clock.advance({ until: "idle" });

  expect(again).toBe(first);
  expect(events.map((it) => it.type)).toEqual(["video.completed"]);
  expect((await hook.deliveries()).map((it) => it.state)).toEqual(["delivered"]);
  await expect(world.ugcCopilot).toHavePaidOnce();
});

test("a receiver that answers 503 twice believes the third attempt, although minutes passed", async ({ world }) => {
  const events: { type: string }[] = [];
  const believe = receiver(() => hook.secret, events);
  let attempts = 0;
  const hook = await world.webhooks.listen("ugc_copilot", (request, response) => {
    attempts += 1;
    if (attempts <= 2) response.writeHead(503).end();
    else believe(request, response);
  });

  await world.run(async () => {
    await ugcOf(world).start("A mug");
    for (let waits = 0; waits < 100 && events.length === 0; waits += 1) await sleep(60_000);
  });

  expect(hook.statuses).toEqual([503, 503, 204]);
  world.allow("SC301");
});

test("a receiver with a wrong secret refuses every attempt", async ({ world }) => {
  const hook = await world.webhooks.listen("ugc_copilot", receiver(() => "wrong", []));

  await ugcOf(world).start("A mug");
  await world.clock.advance({ until: "idle" });

  expect(new Set(hook.statuses)).toEqual(new Set([401]));
  expect((await hook.deliveries()).map((it) => it.state)).toEqual(["exhausted"]);
  world.allow("SC305");
});

test("a lost answer is not paid for twice", async ({ world }) => {
  await world.lostAnswer({ operation: "proxyStartVideoGeneration" });

  await world.run(() => ugcOf(world).start("A mug"));

  await expect(world.ugcCopilot).toHavePaidOnce();
});

test("a 429 is repeated after the time that it names", async ({ world }) => {
  await world.fault("http_error", { provider: "ugc_copilot", status: 429, retryAfter: "30s" });

  const took = await elapsed(world, () => ugcOf(world).start("A mug"));

  expect(took).toBe(30);
  await expect(world).toRespectRetryAfter();
});

// --- ZnapAI, by the OpenAI SDK -----------------------------------------------------------------

test("the OpenAI SDK renders and downloads a video", async ({ world }) => {
  const client = openaiOf(world);

  const file = await world.run(async () => {
    let video = await client.videos.create({ prompt: "A lamp", model: "sora-2", seconds: "4" });
    while (!["completed", "failed"].includes(video.status)) {
      await sleep(5_000);
      video = await client.videos.retrieve(video.id);
    }
    return Buffer.from(await (await client.videos.downloadContent(video.id)).arrayBuffer());
  });

  expect(file.subarray(4, 8).toString()).toBe("ftyp");
});

test("the OpenAI SDK waits as long as a 429 says", async ({ world }) => {
  await world.fault("http_error", { provider: "znapai", status: 429, retryAfter: "20s" });

  const took = await elapsed(world, () => openaiOf(world).videos.create({ prompt: "A lamp", model: "sora-2" }));

  expect(took).toBe(20);
  await expect(world).toRespectRetryAfter();
});

test("the OpenAI SDK repeats a call whose answer is lost, and pays twice", async ({ world }) => {
  await world.lostAnswer({ operation: "createVideo" });

  await world.run(() => openaiOf(world).videos.create({ prompt: "A lamp", model: "sora-2" }));

  expect(await world.requests({ operation: "createVideo" })).toHaveLength(2);
  expect(await world.znapai.jobs()).toHaveLength(2);
  await expect(expect(world.znapai).toHavePaidOnce()).rejects.toThrow("expected one payment to znapai, found 2");
  world.allow("SC210");
});

test("the OpenAI SDK uploads a reference picture", async ({ world }) => {
  const picture = await toFile(PNG, "a.png", { type: "image/png" });

  const video = await openaiOf(world).videos.create({ prompt: "A lamp", model: "sora-2", input_reference: picture });

  expect(video.id).toMatch(/^video_/);
});

// --- Oshara ------------------------------------------------------------------------------------

test("a multipart job ends with a video", async ({ world }) => {
  const oshara = new Oshara({ baseUrl: world.oshara.baseUrl, token: world.env["OSHARA_TOKEN"]! });

  const { id } = await oshara.create("T", "Welcome", new Blob([PNG], { type: "image/png" }));
  await world.clock.advance({ until: "idle" });
  const job = await oshara.get(id);
  const url = Object.values(job).find((it) => typeof it === "string" && it.includes(".mp4")) as string;

  const file = await (await fetch(url)).blob();

  expect(file.type).toBe("video/mp4");
});

// --- Mistakes and states -----------------------------------------------------------------------

test("mistakes have findings with a fix", async ({ world }) => {
  const url = `${world.ozor.baseUrl}/api/v1/videos/generate`;
  const send = async (headers: Record<string, string>, body: string): Promise<string> =>
    (await fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body })).text();

  await send({ Authorization: `Bearer ${world.ozor.apiKey}` }, '{"prompt": "x"}');
  await send({ "X-API-Key": world.ozor.apiKey }, '{"prompt": "x", "aspect_ratio": "16:9"}');
  const findings = await world.findings();

  expect(findings.map((it) => it.code)).toEqual(["SC104", "SC103"]);
  expect(findings[1]!.fix).toContain('"aspect"');
  world.allow("SC104");
});

test("a snapshot goes into another world", async ({ world }) => {
  const { createWorld } = await import("@screentest/client");
  const started = await ozorOf(world).generate("A lamp");
  await world.clock.advance({ until: "idle" });
  const other = await createWorld({ label: "restored" });

  await other.restore(await world.snapshot("ready"));

  expect(await ozorOf(other).waitForJob(started)).toBe(1);
  await other.delete();
});

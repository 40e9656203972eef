import { expect, test } from "#runner";
import type { World } from "@screentest/client";
import { Ozor } from "../app/ozor.js";

const ozorOf = ({ ozor }: World): Ozor => new Ozor({ baseUrl: ozor.baseUrl, apiKey: ozor.apiKey });

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

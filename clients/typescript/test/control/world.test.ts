/** What a world offers besides its clock. */

import { milliseconds } from "../../src/durations.js";
import { assertions, type FaultAttributes, type Schemas } from "@screentest/client";
import { expect, test } from "@screentest/client/vitest";

type SameKeys<A, B> = [A, B] extends [B, A] ? true : never;
/** Does not compile unless every type of fault of the contract is typed here. */
const everyFaultIsTyped: SameKeys<keyof FaultAttributes, Schemas["FaultType"]> = true;

const FAULTS: { [T in keyof FaultAttributes]: Required<FaultAttributes[T]> } = {
  http_error: { status: 429, retryAfter: "30s", body: { error: "busy" } },
  latency: { delay: "1s", jitter: 5, p50: "1s", p99: "2s", clock: "world" },
  timeout: { delay: "1s", clock: "world" },
  reset_peer: {},
  limit_data: { bytes: 5 },
  slicer: { size: 5, delay: 1 },
  malformed_json: {},
  wrong_content_type: { contentType: "text/html" },
  empty: {},
  garbage: { size: 8 },
  stream_cut: { afterEvents: 1 },
  stream_stall: { afterEvents: 1, stall: "1s", clock: "world" },
  stream_malformed: { afterEvents: 1 },
  stream_duplicate: { afterEvents: 1 },
  stream_no_end: {},
  stream_error: { afterEvents: 1, reason: "GPU lost" },
  job_failure: { reason: "GPU lost", at: 0.5 },
  webhook_drop: {},
  webhook_duplicate: { copies: 3 },
  webhook_reorder: { delay: "10m" },
  webhook_bad_signature: {},
  model_retired: { model: "sora-2", status: 410 },
};

test.for(Object.entries(FAULTS) as [keyof FaultAttributes, object][])(
  "the mock takes every attribute of the fault %s",
  async ([type, attributes], { world }) => {
    expect(everyFaultIsTyped).toBe(true);

    const fault = await world.fault(type, { ...attributes, times: 2 });

    expect(fault).toMatchObject({ type, times: 2 });
    expect(Object.keys(fault.attributes)).toHaveLength(Object.keys(attributes).length);
  },
);

test("a fault has a window of the world's time", async ({ world }) => {
  const now = await world.clock.now();

  const fault = await world.fault("http_error", { from: now, for: "5m", times: null });

  expect([fault.from, fault.until].map((it) => Date.parse(it!) - now.getTime())).toEqual([0, 300_000]);
});

test("an unknown place is refused with the nearest known one", async ({ world }) => {
  await expect(world.fault("empty", { operation: "generateVidoe" })).rejects.toThrow("did you mean 'generateVideo'?");
});

test.for([
  [250, 250],
  ["250ms", 250],
  ["1.5s", 1_500],
  ["5m", 300_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
] as const)("the duration %s has %d milliseconds", ([duration, expected]) => {
  expect(milliseconds(duration)).toBe(expected);
});

test.for(["5 m", "5min", "-1s", "", NaN, -1])("the duration %s is refused", (duration) => {
  expect(() => milliseconds(duration as "5m")).toThrow(/must be milliseconds, or a number with ms, s, m, h or d/);
});

test("the label of a world is the name of its test", async ({ world }) => {
  const { items } = await world.control.get("/worlds");

  expect(items.find((it) => it.id === world.id)?.label).toBe("the label of a world is the name of its test");
});

test("the clock goes to an instant, to the next event, and until nothing is due", async ({ world }) => {
  const { clock, ozor } = world;
  const start = await clock.now();
  const target = new Date(start.getTime() + 60_000);
  await clock.advance({ to: target });
  expect(await clock.now()).toEqual(target);

  await fetch(`${ozor.baseUrl}/api/v1/videos/generate`, {
    method: "POST",
    headers: { "X-API-Key": ozor.apiKey, "Content-Type": "application/json" },
    body: '{"prompt": "A lamp"}',
  }).then((response) => response.text());
  const [next] = await clock.advance({ until: "next" });
  expect(next?.type).toBe("job.running");
  await ozor.changeJob((await ozor.jobs())[0]!.id, { outcome: "failed", reason: "GPU lost" });
  await clock.advance({ until: "idle" });

  expect((await ozor.jobs()).map((it) => [it.state, it.reason])).toEqual([["failed", "GPU lost"]]);
  expect(await ozor.ledger()).toMatchObject({ available: 10, held: 0, spent: 0 });
});

test("an unknown provider is refused with those that exist", ({ world }) => {
  expect(() => world.provider("klign")).toThrow("no provider 'klign' (there are: oshara, ozor,");
});

test("allow takes codes of findings alone", ({ world }) => {
  expect(() => world.allow("404")).toThrow("'404' is not the code of a finding, such as 'SC104'");
});

test("a webhook handler of the web platform gets a Request and answers with a Response", async ({ world }) => {
  const seen: string[] = [];
  const hook = await world.webhooks.listen(
    "ugc_copilot",
    async (request: Request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname} ${((await request.json()) as { type: string }).type}`);
      return new Response(null, { status: 204 });
    },
    { path: "/hooks/ugc" },
  );
  await fetch(`${world.ugcCopilot.baseUrl}/proxyStartVideoGeneration`, {
    method: "POST",
    headers: { Authorization: `Bearer ${world.ugcCopilot.apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ visualPrompt: "A mug", engine: "veo", duration: 8, sceneImageUrl: "https://example.org/a.png" }),
  }).then((response) => response.text());

  await world.clock.advance({ until: "idle" });

  expect(seen).toEqual(["POST /hooks/ugc video.completed"]);
  expect(hook.statuses).toEqual([204]);
});

test("requests are verified by count, order and absence, with the nearest one in the message", async ({ world }) => {
  const headers = { "X-API-Key": world.ozor.apiKey, "Content-Type": "application/json" };
  const videos = `${world.ozor.baseUrl}/api/v1/videos`;
  const body = JSON.stringify({ prompt: "A lamp" });
  await (await fetch(`${videos}/generate`, { method: "POST", headers, body })).text();
  await (await fetch(videos, { headers })).text();

  await expect(world).toHaveRequested("generateVideo", { times: 1, body: { prompt: "A lamp" } });
  await expect(world).toHaveRequested(["generateVideo", "listVideos"]);
  await expect(world).not.toHaveRequested("deleteVideo");
  await assertions.requested(world, "deleteVideo", { times: 0 });
  await expect(expect(world).toHaveRequested("generateVideo", { times: 2 })).rejects.toThrow(
    "expected 2 requests to generateVideo, got 1; nearest: req_2 GET /api/v1/videos: operation was listVideos",
  );
  await expect(assertions.requested(world, ["listVideos", "generateVideo"])).rejects.toThrow(
    "expected generateVideo after req_2 (listVideos); the order was: generateVideo -> listVideos",
  );
  await expect(assertions.requested(world, "generateVideo", { body: { prompt: "A lamb" } })).rejects.toThrow(
    "nearest: req_1 POST /api/v1/videos/generate: body.prompt was 'A lamp'",
  );
  await expect(expect(world).not.toHaveRequested("listVideos")).rejects.toThrow(
    "expected no such requests to listVideos, found req_2",
  );
  await expect(world.verifyRequests("generateVidoe")).rejects.toThrow("did you mean 'generateVideo'?");
  expect(await world.verifyRequests("listVideos")).toEqual({ holds: true, detail: "", requests: ["req_2"] });
});

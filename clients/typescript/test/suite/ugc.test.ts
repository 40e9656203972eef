import { expect, test } from "#runner";
import type { World } from "@screentest/client";
import { sleep } from "../app/http.js";
import { receiver, Ugc } from "../app/ugc.js";
import { elapsed } from "./worlds.js";

const ugcOf = ({ ugcCopilot }: World): Ugc => new Ugc({ baseUrl: ugcCopilot.baseUrl, apiKey: ugcCopilot.apiKey });

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

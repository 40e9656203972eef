/** The package in node:test. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { assertions, test, testInWorldTime } from "@screentest/client/node-test";

async function render({ ozor }) {
  const headers = { "X-API-Key": ozor.apiKey, "Content-Type": "application/json" };
  const send = async (method, path, body) =>
    (await fetch(ozor.baseUrl + path, { method, headers, body })).json();
  const { videoId, jobId } = await send("POST", "/api/v1/videos/generate", '{"prompt": "A lamp"}');
  while ((await send("GET", `/api/v1/videos/${videoId}/jobs/${jobId}`)).status !== "completed") await sleep(5_000);
  return send("GET", `/api/v1/videos/${videoId}`);
}

test("a video is rendered on the world's clock", async ({ world }) => {
  const start = await world.clock.now();

  await world.run(() => render(world));

  assert.ok((await world.clock.now()) - start > 10_000);
  await assertions.paidOnce(world.ozor);
  await assertions.fetched(world);
});

testInWorldTime("a whole test is on the world's clock", async ({ world }, context) => {
  const start = Date.now();

  await sleep(86_400_000);

  assert.equal(Date.now() - start, 86_400_000);
  assert.equal(context.name, "a whole test is on the world's clock");
  const { items } = await world.control.get("/worlds");
  assert.equal(items.find((it) => it.id === world.id).label, context.name);
});

test.with({ credits: { ozor: 3 } })("a world has the options of its test", async ({ world }) => {
  assert.equal((await world.ozor.ledger()).available, 3);
});

test.skip("a skipped test does not run", () => assert.fail());

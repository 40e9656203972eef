import assert from "node:assert/strict";
import { test } from "@screentest/client/node-test";

async function wrongKey({ baseUrl, apiKey }) {
  const response = await fetch(`${baseUrl}/api/v1/videos`, { headers: { Authorization: `Bearer ${apiKey}` } });
  await response.text();
  return response.status;
}

test("a mistake fails the test", async ({ world }) => {
  assert.equal(await wrongKey(world.ozor), 401);
});

test("an allowed mistake does not", async ({ world }) => {
  world.allow("SC104");
  assert.equal(await wrongKey(world.ozor), 401);
});

test("a failing test shows the mistake as well", async ({ world }) => {
  assert.equal(await wrongKey(world.ozor), 200);
});

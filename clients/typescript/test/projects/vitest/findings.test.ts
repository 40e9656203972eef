import { expect, test } from "@screentest/client/vitest";

const wrongKey = async (baseUrl: string, apiKey: string): Promise<number> => {
  const headers = { Authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${baseUrl}/api/v1/videos`, { headers });
  await response.text();
  return response.status;
};

test("a mistake fails the test", async ({ world }) => {
  expect(await wrongKey(world.ozor.baseUrl, world.ozor.apiKey)).toBe(401);
});

test("an allowed mistake does not", async ({ world }) => {
  world.allow("SC104");
  expect(await wrongKey(world.ozor.baseUrl, world.ozor.apiKey)).toBe(401);
});

test("a failing test shows the mistake as well", async ({ world }) => {
  expect(await wrongKey(world.ozor.baseUrl, world.ozor.apiKey)).toBe(200);
});

/** ZnapAI, by the OpenAI SDK. */

import OpenAI, { toFile } from "openai";
import { expect, test } from "#runner";
import type { World } from "@screentest/client";
import { sleep } from "../app/http.js";
import { elapsed, PNG } from "./worlds.js";

const openaiOf = ({ openai }: World): OpenAI => new OpenAI(openai);

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

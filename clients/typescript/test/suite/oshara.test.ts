import { expect, test } from "#runner";
import { Oshara } from "../app/oshara.js";
import { PNG } from "./worlds.js";

test("a multipart job ends with a video", async ({ world }) => {
  const oshara = new Oshara({ baseUrl: world.oshara.baseUrl, token: world.env["OSHARA_TOKEN"]! });

  const { id } = await oshara.create("T", "Welcome", new Blob([PNG], { type: "image/png" }));
  await world.clock.advance({ until: "idle" });
  const job = await oshara.get(id);
  const url = Object.values(job).find((it) => typeof it === "string" && it.includes(".mp4")) as string;

  const file = await (await fetch(url)).blob();

  expect(file.type).toBe("video/mp4");
});

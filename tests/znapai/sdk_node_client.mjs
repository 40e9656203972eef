// What a user of openai-node writes, as a script: it prints what the library gave back.
// SDK_FOLDER is where the library is installed; address and key come from the usual variables.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(`${process.env.SDK_FOLDER}/`);
const OpenAI = require("openai");
const { toFile } = OpenAI;

const client = new OpenAI();
const PROMPT = "A paper boat crosses a puddle";
const POLLS_MAX = 10;

async function polled(id) {
  for (let count = 0; count < POLLS_MAX; count += 1) {
    const video = await client.videos.retrieve(id);
    if (video.status === "completed" || video.status === "failed") return video;
  }
  throw new Error(`${id} has not ended`);
}

async function caught(act) {
  try {
    await act();
  } catch (error) {
    return [error.constructor.name, error.status, error.code];
  }
  throw new Error("nothing was thrown");
}

const made = await client.videos.create({
  model: "sora-2",
  prompt: PROMPT,
  seconds: "8",
  size: "1280x720",
});
const done = await polled(made.id);
const picture = await toFile(readFileSync(process.env.PICTURE), "boat.png", { type: "image/png" });
const withFile = await client.videos.create({
  model: "sora-2",
  prompt: PROMPT,
  input_reference: picture,
});
const withMetadata = await client.videos.create({
  model: "sora-2",
  prompt: PROMPT,
  metadata: { a: { b: "c" } },
});

const files = {};
for (const variant of ["video", "thumbnail", "spritesheet"]) {
  const answer = await client.videos.downloadContent(made.id, { variant });
  const bytes = Buffer.from(await answer.arrayBuffer());
  files[variant] = [answer.headers.get("content-type"), bytes.subarray(0, 8).toString("hex")];
}

const listed = [];
for await (const video of client.videos.list({ limit: 2, order: "asc" })) listed.push(video.id);
const remix = await client.videos.remix(made.id, { prompt: "At night" });
const deleted = await client.videos.delete(made.id);

const stranger = client.withOptions({ apiKey: "sk-nobody-has-this" });
const video = { model: "sora-2", prompt: PROMPT };
const errors = {
  size: await caught(() => client.videos.create({ ...video, size: "1920x1080" })),
  key: await caught(() => stranger.videos.create(video)),
  id: await caught(() => client.videos.retrieve(made.id)),
};

console.log(
  JSON.stringify({
    made,
    done: [done.id, done.status, done.progress],
    withFile: [withFile.id, withFile.status],
    withMetadata: withMetadata.id,
    files,
    listed,
    remix: [remix.remixed_from_video_id, remix.status],
    deleted,
    errors,
  }),
);

// ZnapAI's video API as a developer would fake it with Express, from the provider's page alone.
// A program of its own: `node znapai_express.mjs PORT SPEED MEDIA [DEFECT]`.

import { randomBytes } from "node:crypto";
import { createRequire } from "node:module";

// Express is where EXPRESS_FROM says, since this file is in no npm package.
const express = createRequire(process.env.EXPRESS_FROM ?? import.meta.url)("express");

const [port, speed, media, defect = ""] = process.argv.slice(2);
const SIZES = ["720x1280", "1280x720", "1024x1792", "1792x1024"];
const SECONDS = ["4", "8", "12"];
const FIELDS = ["model", "prompt", "seconds", "size", "input_reference", "metadata"];
const LASTS_S = 120;
const WAITS_S = 15;

const began = Date.now();
const videos = new Map();
const now = () => Math.floor((began + (Date.now() - began) * Number(speed)) / 1000);

function account(request) {
  const [scheme, key] = (request.get("Authorization") ?? "").split(" ");
  if (scheme !== "Bearer" || !key) return undefined;
  if (defect === "any_key_works") return key;
  return ["key-one", "key-two"].includes(key) ? key : undefined;
}

function refuse(response, status, message, param = null) {
  response.status(status).json({
    error: { message, type: "invalid_request_error", param, code: String(status) },
  });
}

function problem(body) {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return ["body", "an object"];
  const { model, prompt, seconds, size, input_reference: image, metadata } = body;
  if (model !== "sora-2" && !(defect === "any_model" && typeof model === "string")) {
    return ["model", "sora-2"];
  }
  if (typeof prompt !== "string" || prompt === "") {
    if (!(defect === "prompt_is_optional" && prompt === undefined)) return ["prompt", "a text"];
  }
  const asText = defect === "accepts_seconds_as_number" ? String(seconds) : seconds;
  if (seconds !== undefined && !SECONDS.includes(asText)) return ["seconds", "4, 8 or 12"];
  const isAnySize = defect === "accepts_any_size" && /^\d+x\d+$/.test(size);
  if (size !== undefined && !SIZES.includes(size) && !isAnySize) return ["size", "a known size"];
  if (image !== undefined && typeof image !== "string") return ["input_reference", "a text"];
  const isObject = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (metadata !== undefined && !isObject) return ["metadata", "an object"];
  const unknown = Object.keys(body).find((name) => !FIELDS.includes(name));
  if (unknown !== undefined && defect !== "ignores_duration") return [unknown, "no such parameter"];
  return undefined;
}

function shown(video) {
  const passed = now() - video.created;
  const isDone = passed >= LASTS_S;
  let progress = Math.min(99, Math.floor((100 * passed) / LASTS_S));
  if (defect === "progress_falls" && progress > 50) progress = 100 - progress;
  const done = defect === "completed_is_called_done" ? "done" : "completed";
  const seconds = video.seconds;
  return {
    id: video.id,
    object: "video",
    model: "sora-2",
    status: isDone ? done : passed >= WAITS_S ? "in_progress" : "queued",
    progress: isDone ? 100 : progress,
    created_at: defect === "created_at_moves" ? now() : video.created,
    completed_at: isDone ? video.created + LASTS_S : null,
    expires_at: isDone ? video.created + LASTS_S + 86_400 : null,
    error: null,
    prompt: video.prompt,
    remixed_from_video_id: null,
    seconds: defect === "answers_seconds_as_number" ? Number(seconds) : seconds,
    size: video.size,
  };
}

const app = express();
app.disable("x-powered-by");
app.use(express.json({ limit: "50mb", strict: false }));
app.use((failure, request, response, next) => {
  refuse(response, failure.status ?? 500, failure.message);
});
app.use("/v1/videos", (request, response, next) => {
  response.locals.who = account(request);
  if (response.locals.who === undefined) refuse(response, 401, "Invalid API key");
  else next();
});
app.param("id", (request, response, next, id) => {
  const video = videos.get(id);
  const isOwn = video?.who === response.locals.who || defect === "other_account_reads";
  if (video === undefined || !isOwn) return refuse(response, 404, "Video not found");
  response.locals.video = video;
  next();
});
app.post("/v1/videos", (request, response) => {
  const found = problem(request.body ?? null);
  if (found !== undefined) return refuse(response, 400, `${found[0]} must be ${found[1]}`, found[0]);
  const { prompt, seconds = "4", size = "720x1280" } = request.body;
  const id = `video_${randomBytes(16).toString("hex")}`;
  const who = response.locals.who;
  const video = { id, who, created: now(), prompt: prompt ?? null, seconds: String(seconds), size };
  videos.set(id, video);
  response.json(shown(video));
});
app.get("/v1/videos/:id", (request, response) => {
  response.json(shown(response.locals.video));
});
app.get("/v1/videos/:id/content", (request, response) => {
  const video = response.locals.video;
  const isEarly = now() - video.created < LASTS_S;
  if (isEarly && defect !== "content_is_early") return refuse(response, 400, "Video is not ready");
  const size = defect === "content_has_one_size" ? "1280x720" : video.size;
  response.type("video/mp4").sendFile(`${media}/${size}-24fps-${video.seconds}s.mp4`);
});
app.listen(Number(port), "127.0.0.1");

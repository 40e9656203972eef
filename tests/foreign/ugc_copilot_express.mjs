// UGC Copilot's API as a developer would fake it with Express, from the provider's page and from the
// provider's own public client, which has the names and bodies that the page leaves out.
// A program of its own: `node ugc_copilot_express.mjs PORT SPEED MEDIA [DEFECT]`.

import { createHash, randomBytes } from "node:crypto";
import { createRequire } from "node:module";

// Express is where EXPRESS_FROM says, since this file is in no npm package.
const express = createRequire(process.env.EXPRESS_FROM ?? import.meta.url)("express");

const [port, speed, media, defect = ""] = process.argv.slice(2);
const RATIOS = { "9:16": "720x1280", "16:9": "1280x720", "1:1": "1080x1080" };
const QUALITIES = ["standard", "hq"];
// Credits in standard and high quality, and the seconds that they pay for; 0 for any number.
const ENGINES = { sora: [18, 65, 8], veo: [40, 130, 0], kling: [25, 50, 6.4], seedance: [18, 35, 4] };
const LIMITS = { video: 10, images: 40, scripts: 20, analysis: 10, general: 60 };
const AT_ONCE = 3;
const RENDER_S = 90;

const credits = { "key-one": 1_000_000, "key-two": 1_000_000, "key-empty": 0 };
const renders = new Map();
const replies = new Map();
const calls = new Map();
const began = Date.now();
const now = () => (began + (Date.now() - began) * Number(speed)) / 1000;

class Refusal extends Error {
  constructor(status, type, code, message, more = {}) {
    super(message);
    this.status = status;
    this.error = { type, code, message, request_id: randomBytes(6).toString("hex"), ...more };
  }
}

const invalid = (field, message) =>
  new Refusal(400, "validation", "invalid-argument", `${field}: ${message}`, { field });

function account(request) {
  const [scheme, key] = (request.get("Authorization") ?? "").split(" ");
  if (scheme === "Bearer" && key in credits) return key;
  if (defect === "any_key_works" && key) return "key-one";
  throw new Refusal(401, "authentication", "unauthenticated", "The API key is missing or unknown");
}

function countCall(who, kind) {
  const most = LIMITS[kind];
  const name = `${who} ${kind}`;
  const recent = (calls.get(name) ?? []).filter((at) => at > now() - 60);
  calls.set(name, recent);
  if (recent.length >= most && defect !== "no_rate_limit") {
    const retryAfter = Math.max(1, Math.ceil(recent[recent.length - most] + 60 - now()));
    throw new Refusal(429, "rate_limit", "rate-limited", "Too many calls", { retryAfter });
  }
  recent.push(now());
}

const isRunning = (render) => now() < render.created + RENDER_S;

function countRenders(who) {
  const running = [...renders.values()].filter((it) => it.who === who && isRunning(it));
  if (running.length < AT_ONCE || defect === "no_concurrency_cap") return;
  const retryAfter = Math.max(1, Math.ceil(running[0].created + RENDER_S - now()));
  throw new Refusal(429, "rate_limit", "concurrency-exceeded", "Too many renders", { retryAfter });
}

function take(who, cost) {
  if (credits[who] < cost && defect !== "empty_account_renders") {
    throw new Refusal(402, "permission", "insufficient-credits", `This costs ${cost} credits`);
  }
  credits[who] -= cost;
}

function text(body, name, { least = 1, most = 10_000, optional = false } = {}) {
  const value = body[name];
  if (value === undefined && optional) return;
  if (typeof value !== "string") throw invalid(name, "must be a string");
  if (value.length < least || value.length > most) throw invalid(name, `has ${least} to ${most} characters`);
}

function choice(body, name, known, optional = true) {
  if (body[name] === undefined && optional) return;
  if (!known.includes(body[name])) throw invalid(name, `must be one of ${known.join(", ")}`);
}

function url(value, name) {
  if (typeof value !== "string" || !/^https?:\/\//.test(value)) throw invalid(name, "must be a URL");
}

function price(body) {
  const [standard, hq, baseline] = ENGINES[body.engine];
  const base = body.quality === "hq" && defect !== "hq_costs_as_standard" ? hq : standard;
  return baseline === 0 ? base : Math.ceil((base * (body.duration ?? baseline)) / baseline);
}

const start = {
  kind: "video",
  check(body) {
    const known = defect === "any_engine" && typeof body.engine === "string" ? [body.engine] : Object.keys(ENGINES);
    choice(body, "engine", known, false);
    choice(body, "quality", QUALITIES);
    if (defect !== "any_ratio") choice(body, "aspectRatio", Object.keys(RATIOS));
    const { duration, scene } = body;
    if (duration !== undefined && !(typeof duration === "number" && duration >= 1 && duration <= 60)) {
      throw invalid("duration", "must be a number of seconds");
    }
    if (scene !== undefined && (typeof scene !== "object" || scene === null || Array.isArray(scene))) {
      throw invalid("scene", "must be an object");
    }
    text(scene ?? body, "visualPrompt");
    text(scene ?? body, "scriptText", { least: 0, optional: true });
  },
  cost: (body) => (body.engine in ENGINES ? price(body) : 18),
  run(body, { who }) {
    countRenders(who);
    return () => {
      const name = `operations/${randomBytes(8).toString("hex")}`;
      renders.set(name, { who, created: now(), engine: body.engine, ratio: body.aspectRatio ?? "9:16" });
      return { operation: { name }, assembledPrompt: (body.scene ?? body).visualPrompt };
    };
  },
};

const check = {
  kind: "general",
  check(body) {
    text(body, "operationName");
    choice(body, "engine", Object.keys(ENGINES), false);
  },
  run(body, { who }) {
    const render = renders.get(body.operationName);
    if (render === undefined || (render.who !== who && defect !== "other_account_reads")) {
      throw new Refusal(404, "validation", "not-found", "There is no such operation");
    }
    const progress = Math.min(99, Math.floor((100 * (now() - render.created)) / RENDER_S));
    if (isRunning(render)) {
      return () => ({ done: false, progress: defect === "progress_falls" ? 99 - progress : progress });
    }
    const video = { uri: `renders/${body.operationName.slice(11)}` };
    const response = { generatedVideos: defect === "no_uri" ? [] : [{ video }] };
    return () => ({ done: true, response });
  },
};

const fetchVideo = {
  kind: "general",
  check(body) {
    if (typeof body.uri !== "string" || typeof body.engine !== "string") {
      throw invalid("uri", "a valid 'uri' string and 'engine' string are needed");
    }
    choice(body, "engine", Object.keys(ENGINES), false);
  },
  run(body, { who, host }) {
    const render = renders.get(`operations/${body.uri.slice(8)}`);
    if (render === undefined || render.who !== who) {
      throw new Refusal(404, "validation", "not-found", "There is no such video");
    }
    const until = Math.floor(now()) + 7 * 86_400;
    const videoUrl = `${host}/files/${RATIOS[render.ratio]}-24fps-8s.mp4?expires=${until}`;
    return () => ({ videoUrl, mimeType: "video/mp4" });
  },
};

const simple = (kind, cost, judge, answer) => ({
  kind,
  cost,
  check: judge,
  run: (body, { host }) => () => answer(body, host),
});
const SCRIPT = { hooks: ["Wait for it"], scenes: [{ visualPrompt: "A hand" }], callToActions: ["Try it"] };
const industry = (body) => text(body, "industry");
const described = (body) => text(body, "productDescription", { most: 4000 });

const FUNCTIONS = {
  proxyStartVideoGeneration: start,
  proxyCheckVideoStatus: check,
  proxyFetchVideo: fetchVideo,
  proxyStitchVideos: simple(
    "general",
    () => 0,
    ({ videoUrls }) => {
      if (!Array.isArray(videoUrls) || videoUrls.length < 1 || videoUrls.length > 10) {
        throw invalid("videoUrls", "must be 1 to 10 URLs");
      }
      videoUrls.forEach((it) => url(it, "videoUrls"));
    },
    (body, host) => ({ videoUrl: `${host}/files/720x1280-24fps-8s.mp4`, mimeType: "video/mp4" }),
  ),
  proxyApplyTextOverlay: simple(
    "general",
    () => 1,
    (body) => {
      url(body.videoUri, "videoUri");
      const { overlays } = body;
      if (!Array.isArray(overlays) || overlays.length < 1 || overlays.length > 5) {
        throw invalid("overlays", "must be 1 to 5 overlays");
      }
      overlays.forEach((it) => text(it ?? {}, "text", { most: 50 }));
    },
    (body, host) => ({ overlayVideoUrl: `${host}/files/720x1280-24fps-8s.mp4` }),
  ),
  proxyGenerateSceneImage: simple(
    "images",
    (body) => (body.quality === "hq" ? 2 : 1),
    (body) => {
      text(body, "visualPrompt", { most: 4000 });
      text(body, "productDescription", { least: 0 });
      choice(body, "quality", QUALITIES);
      choice(body, "aspectRatio", [...Object.keys(RATIOS), "4:5"]);
    },
    (body, host) => `${host}/files/poster-360x640.jpg`,
  ),
  proxyGenerateViralScript: simple("scripts", () => 1, described, () => SCRIPT),
  proxyParseOwnScript: simple(
    "scripts",
    () => 1,
    (body) => text(body, "rawScript", { least: 10 }),
    () => SCRIPT,
  ),
  proxyRegenerateScriptWithTone: simple("scripts", () => 1, (body) => text(body, "tone"), () => SCRIPT),
  proxyGenerateIdealInfluencer: simple("analysis", () => 0, described, () => ({ description: "A runner" })),
  proxyFetchTopSellingProducts: simple("analysis", () => 1, industry, () => ({ topSellingProducts: [] })),
  proxyFetchFullMarketAnalysis: simple("analysis", () => 0, industry, () => ({
    trends: ["Short hooks"],
    personas: [{ name: "Ana", description: "Runs" }],
    topKeywords: ["bottle"],
    viralHooks: [{ type: "question", description: "Ask" }],
    strategyRecommendations: ["Post daily"],
  })),
};

const FREE = {
  freeTrendAnalyzer: ["industry"],
  freeGenerateHooks: ["productDescription", "platform"],
  freeGenerateCreatorPersona: ["niche", "platform", "targetAudience"],
  freeGenerateScript: ["productDescription", "industry"],
};

// The steps of a call, in this order; the cost is taken last.
function call(name, request) {
  const { kind, cost = () => 0, check: judge, run } = FUNCTIONS[name];
  const who = account(request);
  const { data } = request.body ?? {};
  const body = typeof data === "object" && data !== null ? data : request.body;
  if (typeof body !== "object" || body === null || Array.isArray(body)) throw invalid("data", "must be an object");
  judge(body);
  const key = request.get("Idempotency-Key");
  const digest = createHash("sha256").update(JSON.stringify(body)).digest("hex");
  const kept = replies.get(`${who} ${name} ${key}`);
  if (key !== undefined && kept !== undefined && defect !== "key_is_ignored") {
    if (kept.digest === digest) return kept.reply;
    throw new Refusal(409, "idempotency", "idempotency-conflict", "The key was used for another body");
  }
  countCall(who, kind);
  const finish = run(body, { who, host: `http://${request.get("Host")}` });
  take(who, cost(body));
  const reply = finish();
  if (key !== undefined) replies.set(`${who} ${name} ${key}`, { digest, reply });
  return reply;
}

const app = express();
app.disable("x-powered-by");
app.use(express.json({ limit: "50mb", strict: false }));
for (const name of Object.keys(FUNCTIONS)) {
  app.post(`/${name}`, (request, response) => response.json(call(name, request)));
}
for (const [name, fields] of Object.entries(FREE)) {
  app.post(`/${name}`, (request, response) => {
    const { data } = request.body ?? {};
    if (typeof data !== "object" || data === null) throw invalid("data", "must be an object");
    fields.forEach((it) => text(data, it));
    const most = name === "freeGenerateHooks" ? 5 : 3;
    const today = (calls.get(name) ?? []).filter((at) => at > now() - 86_400);
    if (today.length >= most) {
      const retryAfter = Math.ceil(today[0] + 86_400 - now());
      throw new Refusal(429, undefined, "resource-exhausted", "Too many free calls", { retryAfter });
    }
    calls.set(name, [...today, now()]);
    response.json({ data: { trends: [], hooks: [], persona: {}, scenes: [], callToAction: "Try it" } });
  });
}
app.get("/docs/openapi.yaml", (request, response) => {
  response.type("application/yaml").send("openapi: 3.1.0\ninfo: {title: UGC Copilot, version: '1'}\npaths: {}\n");
});
app.use("/files", express.static(media));
app.use((request) => {
  throw new Refusal(404, "validation", "not-found", `There is no ${request.path}`);
});
app.use((failure, request, response, next) => {
  const { status = 500, error } = failure;
  const { retryAfter } = error ?? {};
  if (retryAfter !== undefined) response.set("Retry-After", String(retryAfter));
  const shown = error ?? { type: "validation", code: "invalid-argument", message: failure.message, request_id: "r" };
  response.status(status).json({ error: defect === "error_is_text" ? shown.message : shown });
});
app.listen(Number(port), "127.0.0.1");

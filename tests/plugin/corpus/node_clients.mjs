// Clients for Node.js, bad ones with one mistake each and good ones. test_node_clients.py says which
// code each bad one is found with. Every client gets a `world`, whose clock `sleep` moves.

import { createServer } from "node:http";
import { createRequire } from "node:module";

const OPEN = new Set(["pending", "queued", "processing", "in_progress", "rendering"]);
const PROMPT = "A 15-second ad for a desk lamp";
const RENDER = {
  engine: "sora",
  scene: { visualPrompt: "A potter turns a mug in the light", scriptText: "Look at that blue." },
};
const PROVIDERS = {
  ozor: { path: "/ozor/api/v1", headers: (key) => ({ "X-API-Key": key }) },
  znapai: { path: "/znapai/v1", headers: (key) => ({ Authorization: `Bearer ${key}` }) },
  ulazai: { path: "/ulazai/api/v1", headers: (key) => ({ Authorization: `Token ${key}` }) },
  ugc_copilot: { path: "/ugc_copilot", headers: (key) => ({ Authorization: `Bearer ${key}` }) },
};
const CREATE = {
  ozor: ["/videos/generate", { prompt: PROMPT }],
  znapai: ["/videos", { model: "sora-2", prompt: PROMPT, seconds: "4" }],
  ulazai: ["/sora/generate/text-to-video/", { prompt: PROMPT }],
  ugc_copilot: ["/proxyStartVideoGeneration", RENDER],
};

function library(name, folder = name) {
  return createRequire(`${JSON.parse(process.env.FOLDERS)[folder]}/index.js`)(name);
}

class World {
  constructor({ origin, id, accounts, keys, code }) {
    this.origin = origin;
    this.id = id;
    this.accounts = accounts;
    this.keys = keys;
    this.code = code; // that of an explanation, to be run as it is printed
  }

  async control(path, body) {
    const answer = await fetch(`${this.origin}/_screentest/worlds/${this.id}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  }

  sleep = (ms) => this.control("/clock/advance", { by_ms: Math.round(ms) });

  fault(type, operation, { times = 1, phase, ...attributes } = {}) {
    return this.control("/faults", { type, where: { operation }, times, phase, attributes });
  }

  api(provider) {
    return new Api(this, provider);
  }
}

class Api {
  constructor(world, provider) {
    const { path, headers } = PROVIDERS[provider];
    this.provider = provider;
    this.key = world.keys[provider];
    this.base = `${world.origin}/w/${world.id}${path}`;
    this.headers = headers(this.key);
  }

  get = async (path) => (await fetch(this.base + path, { headers: this.headers })).json();

  send = (method, path, body, headers = {}) =>
    fetch(this.base + path, {
      method,
      headers: { ...this.headers, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  post = (path, body, headers) => this.send("POST", path, body, headers);

  upload = (path, file) => {
    const body = new FormData();
    body.append("file", new Blob([file], { type: "application/pdf" }), "deck.pdf");
    return fetch(this.base + path, { method: "POST", headers: this.headers, body });
  };

  async create(headers) {
    const answer = await this.post(...CREATE[this.provider], headers);
    if (!answer.ok) throw new Error(`${answer.status}`);
    return answer.json();
  }

  async status(made) {
    switch (this.provider) {
      case "ozor":
        return (await this.get(`/videos/${made.videoId}/jobs/${made.jobId}`)).status;
      case "znapai":
        return (await this.get(`/videos/${made.id}`)).status;
      case "ulazai":
        return (await this.get(`/sora/status/${made.data.task_id}/`)).data.status;
      default: {
        const asked = { engine: "sora", operationName: made.operation.name };
        const job = await (await this.post("/proxyCheckVideoStatus", asked)).json();
        return job.done ? "completed" : "processing";
      }
    }
  }
}

async function wait(world, own, made, pauseMs = 30_000, times = 60) {
  for (let polls = 0; polls < times; polls++) {
    await world.sleep(pauseMs);
    const status = await own.status(made);
    if (!OPEN.has(status)) return status;
  }
  throw new Error("the job is still running; its id is stored");
}

async function again(call) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 2) throw error;
    }
  }
}

// A finished export of Ozor.
async function exported(world, own) {
  const { videoId, jobId } = await own.create();
  await wait(world, own, { videoId, jobId }, 5_000);
  await own.post(`/videos/${videoId}/export`, {});
  await world.sleep(60_000);
  return own.get(`/videos/${videoId}`);
}

// Run the code of an explanation, with these names.
function explained(world, names) {
  const run = new Function(...Object.keys(names), `return (async () => {\n${world.code}\n})();`);
  return run(...Object.values(names));
}

// A hook that hands each event to `handle`, until `use` has returned.
async function listening(world, provider, handle, use) {
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    await handle(JSON.parse(text));
    response.writeHead(204).end();
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  try {
    const url = `http://127.0.0.1:${server.address().port}/hook`;
    const account = world.accounts[provider];
    await world.control("/webhooks/endpoints", { provider, account, url });
    await use();
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

export const clients = {
  // --- bad ------------------------------------------------------------------------------------

  async repeatsAFetchThatFailed(world) {
    const own = world.api("ozor");
    await world.fault("reset_peer", "generateVideo", { phase: "after_commit" });
    await wait(world, own, await again(() => own.create()), 5_000);
  },

  async leavesPostsToAxiosRetry(world) {
    const own = world.api("ulazai");
    const axios = library("axios", "axios-retry");
    const client = axios.create({ baseURL: own.base, headers: own.headers });
    library("axios-retry").default(client, { retries: 3 });
    await world.fault("reset_peer", "generateTextToVideo", { phase: "after_commit" });
    const { data } = await client.post(...CREATE.ulazai);
    await wait(world, own, data);
  },

  async leavesPostsToTheOpenaiSdk(world) {
    const own = world.api("znapai");
    const OpenAI = library("openai").default;
    const client = new OpenAI({ apiKey: own.key, baseURL: own.base });
    await world.fault("reset_peer", "createVideo", { phase: "after_commit" });
    const made = await client.videos.create({ model: "sora-2", prompt: PROMPT });
    await wait(world, own, made, 5_000);
  },

  async startsARenderForEachClick(world) {
    const own = world.api("ozor");
    const jobs = await Promise.all([own.create(), own.create()]);
    await wait(world, own, jobs[1], 5_000);
  },

  async doesNotKeepTheAnswer(world) {
    await world.api("znapai").create();
    await world.sleep(3_600_000);
  },

  async givesUpAfterAMinute(world) {
    const own = world.api("ulazai");
    const made = await own.create();
    try {
      await wait(world, own, made, 30_000, 2);
    } catch {
      await world.sleep(600_000);
    }
  },

  async waitsForAWordOfAnotherProvider(world) {
    const own = world.api("ulazai");
    const made = await own.create();
    for (let polls = 0; polls < 60; polls++) {
      await world.sleep(30_000);
      if ((await own.status(made)) === "completed") return;
    }
  },

  async pollsWithoutAPause(world) {
    const own = world.api("ozor");
    const made = await own.create();
    while (OPEN.has(await own.status(made))) await world.sleep(200);
  },

  async neverClearsItsInterval(world) {
    const own = world.api("znapai");
    const made = await own.create();
    for (let polls = 0; polls < 60; polls++) {
      await world.sleep(5_000);
      await own.status(made);
    }
  },

  async sendsJsonAsText(world) {
    const own = world.api("ozor");
    const body = JSON.stringify({ prompt: PROMPT });
    await fetch(`${own.base}/videos/generate`, { method: "POST", headers: own.headers, body });
  },

  async sendsTheKeyInTheHeaderOfAnotherProvider(world) {
    const own = world.api("znapai");
    await fetch(`${own.base}/videos`, { headers: { "X-API-Key": own.key } });
  },

  async repeatsWhateverFailed(world) {
    const own = world.api("ozor");
    for (let attempt = 0; attempt < 3; attempt++) {
      if ((await own.post("/videos/generate", { prompt: "" })).ok) return;
      await world.sleep(1_000);
    }
  },

  async downloadsWithTheClientOfTheApi(world) {
    const own = world.api("ozor");
    const { downloadUrl } = await exported(world, own);
    const client = library("axios", "axios-retry").create({ headers: own.headers });
    await client.get(downloadUrl, { responseType: "arraybuffer" });
  },

  async keepsHalfAFile(world) {
    const own = world.api("znapai");
    const made = await own.create();
    await wait(world, own, made, 5_000);
    await world.fault("limit_data", "downloadVideo", { bytes: 900 });
    const { body } = await fetch(`${own.base}/videos/${made.id}/content`, { headers: own.headers });
    const file = [];
    try {
      for await (const piece of body) file.push(piece);
    } catch {
      console.error("the connection broke");
    }
  },

  // --- good -----------------------------------------------------------------------------------

  async pollsWithFetch(world) {
    for (const provider of ["ozor", "ulazai"]) {
      const own = world.api(provider);
      await wait(world, own, await own.create());
    }
  },

  async readsAgainWithAxiosRetry(world) {
    const own = world.api("znapai");
    const client = library("axios", "axios-retry").create({
      baseURL: own.base,
      headers: own.headers,
    });
    library("axios-retry").default(client, { retries: 3 });
    const { data } = await client.post(...CREATE.znapai, { "axios-retry": { retries: 0 } });
    await world.fault("http_error", "getVideo", { times: 2 });
    for (let status = "queued"; OPEN.has(status); ) {
      await world.sleep(10_000);
      status = (await client.get(`/videos/${data.id}`)).data.status;
    }
  },

  async usesTheOpenaiSdkWithoutRetriesOfPosts(world) {
    const own = world.api("znapai");
    const OpenAI = library("openai").default;
    const client = new OpenAI({ apiKey: own.key, baseURL: own.base });
    const body = { model: "sora-2", prompt: PROMPT };
    const made = await client.videos.create(body, { maxRetries: 0 });
    for (let video = made; OPEN.has(video.status); ) {
      await world.sleep(10_000);
      video = await client.videos.retrieve(made.id);
    }
    await (await client.videos.downloadContent(made.id)).arrayBuffer();
  },

  async repeatsWithItsIdempotencyKey(world) {
    const own = world.api("ugc_copilot");
    await world.fault("reset_peer", "proxyStartVideoGeneration", { phase: "after_commit" });
    const made = await again(() => own.create({ "Idempotency-Key": "video-1" }));
    await wait(world, own, made);
  },

  async rendersABatchAndUsesAllOfIt(world) {
    const own = world.api("ulazai");
    const takes = [];
    for (let take = 0; take < 3; take++) {
      const answer = await own.post(CREATE.ulazai[0], { prompt: `${PROMPT} ${take}` });
      takes.push(await answer.json());
    }
    for (const made of takes) await wait(world, own, made);
  },

  async downloadsWithoutHeaders(world) {
    const { downloadUrl } = await exported(world, world.api("ozor"));
    await (await fetch(downloadUrl)).arrayBuffer();
  },

  // --- explanations, wrong and right -----------------------------------------------------------

  async SC215(world) {
    const own = world.api("ozor");
    await world.fault("http_error", "generateVideo", { times: 2, status: 429, retry_after_s: 20 });
    const answer = await explained(world, { ...own, sleep: world.sleep, body: CREATE.ozor[1] });
    if (answer.ok) await wait(world, own, await answer.json(), 5_000);
  },

  async SC216(world) {
    const own = world.api("ozor");
    await world.fault("job_stall", "generateVideo");
    const { videoId, jobId } = await own.create();
    let now = 0;
    const sleep = async (ms) => void (await world.sleep(ms), (now += ms));
    const path = `/videos/${videoId}/jobs/${jobId}`;
    await explained(world, { get: own.get, path, sleep, Date: { now: () => now } });
  },

  async SC217(world) {
    const own = world.api("ozor");
    await world.fault("http_error", "updatePlan", { times: 2 });
    const scenePrompt = "A title card on a plain wall";
    const scene = { order: 1, sceneTitle: "Scene 1", scenePrompt, voiceoverText: "Welcome." };
    const changes = { scenes: [scene] };
    const patch = (path, body) => own.send("PATCH", path, body);
    const file = `%PDF-1.4\n%%EOF\n`;
    await explained(world, { upload: own.upload, patch, sleep: world.sleep, file, changes });
  },

  async SC218(world) {
    const own = world.api("ugc_copilot");
    const jobs = new Set();
    const database = { insertIfNew: async (job) => !jobs.has(job) && !!jobs.add(job) };
    const statusOf = async (job) =>
      (await own.post("/proxyCheckVideoStatus", { engine: "sora", operationName: job })).json();
    const addCaptions = async (job) => {
      const { uri } = (await statusOf(job)).response.generatedVideos[0].video;
      const overlays = [{ text: "Back in stock", position: "top" }];
      await own.post("/proxyApplyTextOverlay", { videoUri: uri, overlays });
    };
    world.code += "\nreturn { onWebhook, onPoll };";
    const { onWebhook, onPoll } = await explained(world, { database, addCaptions });
    let handled = () => {};
    const wasHandled = new Promise((done) => (handled = done));
    const handle = async (event) => handled(await onWebhook(event));
    await listening(world, "ugc_copilot", handle, async () => {
      const made = await own.create({ "Idempotency-Key": "video-1" });
      await world.sleep(600_000);
      await wasHandled;
      await onPoll(made.operation.name, await statusOf(made.operation.name));
    });
  },

  async SC219(world) {
    const own = world.api("znapai");
    const made = await own.create();
    await wait(world, own, made, 5_000);
    await world.fault("garbage", "downloadVideo");
    const url = `${own.base}/videos/${made.id}/content`;
    await explained(world, { url, headers: own.headers, store: async () => {} });
  },

  async SC408(world) {
    const own = world.api("ozor");
    await explained(world, { job: await exported(world, own), key: own.key });
  },
};

// What each client ended with, by the name that it was asked for under.
const ended = {};
for (const order of JSON.parse(process.env.ORDERS)) {
  try {
    await clients[order.client](new World(order));
    ended[order.name] = null;
  } catch (error) {
    ended[order.name] = `${error.stack}`;
  }
}
console.log(JSON.stringify(ended));

// Loaded before a program of Node.js: its sleeps move the clock of its world instead of waiting.
const { request } = require("node:http");

const clock = `${process.env.SCREENTEST_URL}/_screentest/worlds/${process.env.SCREENTEST_WORLD}/clock`;
// Longer waits are deadlines of requests, and shorter ones are turns of the event loop.
const SLEEP_MS = 100;
const SLEEP_MS_MAX = 60_000;
const later = globalThis.setTimeout;

function send(method, path, body) {
  const headers = { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const sent = request(clock + path, { method, headers }, (answer) => answer.resume().on("end", resolve));
    sent.on("error", reject).end(JSON.stringify(body));
  });
}

const warped = send("PATCH", "", { mode: "warp" });

globalThis.setTimeout = (act, ms = 0, ...rest) => {
  // The timers of fetch itself need the machine's time.
  const isPlumbing = new Error().stack.includes("node:internal/deps");
  if (isPlumbing || ms < SLEEP_MS || ms > SLEEP_MS_MAX) return later(act, ms, ...rest);
  warped.then(() => send("POST", "/advance", { by_ms: Math.round(ms) })).then(() => act(...rest));
  return later(() => undefined, 0);
};

// The last line names the exception, as that of a Python program does.
process.on("uncaughtException", (error) => {
  console.error(`${error.stack}\n${error.constructor.name}`);
  process.exit(1);
});

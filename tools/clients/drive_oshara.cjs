// Oshara's published polling function, word for word but for its host.
const { readFileSync } = require("node:fs");

const { OSHARA_BASE_URL, OSHARA_TOKEN, SOURCES } = process.env;
const sample = readFileSync(`${SOURCES}/tests/oshara/samples/wait_for_video.js.txt`, "utf8");
const waitForVideo = eval(`(${sample.replace("https://api.oshara.ai", OSHARA_BASE_URL)})`);

async function render() {
  const body = new FormData();
  body.set("title", "Lamp");
  body.set("text_content", "Look at the lamp.");
  const picture = readFileSync(`${SOURCES}/fixtures/media/page-960x540.png`);
  body.set("avatar", new File([picture], "lamp.png", { type: "image/png" }));
  const headers = { Authorization: `Bearer ${OSHARA_TOKEN}` };
  const made = await fetch(`${OSHARA_BASE_URL}/api/video-jobs/`, { method: "POST", headers, body });
  console.log(await waitForVideo((await made.json()).id, OSHARA_TOKEN));
}

render().catch((error) => {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(1);
});

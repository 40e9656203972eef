// What Magic Hour's own SDK for Node.js gets from the mock, one line of JSON each.
const { default: Client } = require("magic-hour");

const client = new Client({
  token: process.env.MAGIC_HOUR_API_KEY,
  baseUrl: process.env.MAGIC_HOUR_BASE_URL,
});
const print = (...values) => console.log(JSON.stringify(values));
const generate = (prompt) =>
  client.v1.textToVideo.generate(
    { endSeconds: 5, orientation: "landscape", style: { prompt } },
    { waitForCompletion: true, downloadOutputs: false },
  );

async function drive() {
  const done = await generate("a lamp");
  const file = Buffer.from(await (await fetch(done.downloads[0].url)).arrayBuffer());
  print("made", done.status, file.subarray(4, 8).toString());

  const failed = await generate("a lamp [[screentest:fail=the lamp broke]]");
  print("failed", failed.status, failed.error.message);

  await client.v1.videoProjects.delete({ id: done.id });
  await client.v1.videoProjects.get({ id: done.id }).catch((error) => print("gone", error.status ?? error.response?.status));

  for (;;) {
    const refused = await generate("a lamp").then(() => null, (error) => error);
    if (refused !== null) {
      print("refused", refused.status ?? refused.response?.status);
      return;
    }
  }
}

drive();

// What Replicate's own SDK for Node.js gets from the mock, one line of JSON each.
const Replicate = require("replicate");

const client = new Replicate({
  auth: process.env.REPLICATE_API_TOKEN,
  baseUrl: `${process.env.REPLICATE_BASE_URL}/v1`,
  useFileOutput: false,
});
const print = (...values) => console.log(JSON.stringify(values));
const create = (prompt) => client.predictions.create({ model: "google/veo-3", input: { prompt } });

async function drive() {
  const done = await client.wait(await create("a lamp"), { interval: 1 });
  const file = Buffer.from(await (await fetch(done.output)).arrayBuffer());
  print("made", done.status, file.subarray(4, 8).toString());

  const asked = await create("a lamp [[screentest:fail=the lamp broke]]");
  await client.wait(asked, { interval: 1 }).catch((error) => print("failed", error.message));

  const canceled = await create("a lamp");
  print("canceled", (await client.predictions.cancel(canceled.id)).status);

  const { results } = await client.predictions.list();
  print("listed", results.length, results[0].id === canceled.id);

  for (;;) {
    const made = create("a lamp").then((it) => client.wait(it, { interval: 1 }));
    const refused = await made.then(() => null, (error) => error);
    if (refused !== null) {
      print("refused", refused.response.status);
      return;
    }
  }
}

drive();

// What Luma's own SDK for Node.js gets from the mock, one line of JSON each.
const { LumaAI } = require("lumaai");

const client = new LumaAI({
  authToken: process.env.LUMAAI_API_KEY,
  baseURL: process.env.LUMAAI_BASE_URL,
  maxRetries: 0,
});
const print = (...values) => console.log(JSON.stringify(values));
const create = (prompt) => client.generations.create({ model: "ray-2", duration: "5s", prompt });

async function end(made) {
  while (!["completed", "failed"].includes(made.state)) {
    made = await client.generations.get(made.id);
  }
  return made;
}

async function drive() {
  const done = await end(await create("a lamp"));
  const file = Buffer.from(await (await fetch(done.assets.video)).arrayBuffer());
  print("made", done.state, file.subarray(4, 8).toString());

  const failed = await end(await create("a lamp [[screentest:fail=the lamp broke]]"));
  print("failed", failed.state, failed.failure_reason);

  const listed = await client.generations.list({ limit: 1 });
  print("listed", listed.count, listed.has_more, listed.generations[0].id === failed.id);

  await client.generations.delete(failed.id);
  await client.generations.get(failed.id).catch((error) => print("gone", error.status));

  const many = await Promise.allSettled(Array.from({ length: 11 }, () => create("a lamp")));
  const busy = many.filter((it) => it.status === "rejected").map((it) => it.reason.status);
  print("busy", busy);
  await Promise.all(many.flatMap((it) => (it.value ? [end(it.value)] : [])));

  for (;;) {
    const refused = await create("a lamp").then(end).then(() => null, (error) => error);
    if (refused !== null) {
      const { credit_balance } = await client.credits.get();
      print("refused", refused.status, credit_balance);
      return;
    }
  }
}

drive();

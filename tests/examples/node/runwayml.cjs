// What Runway's own SDK for Node.js gets from the mock, one line of JSON each.
const { default: RunwayML, TaskFailedError } = require("@runwayml/sdk");

const client = new RunwayML({
  apiKey: process.env.RUNWAYML_API_SECRET,
  baseURL: process.env.RUNWAYML_BASE_URL,
  maxRetries: 0,
});
const print = (...values) => console.log(JSON.stringify(values));
const create = (promptText) =>
  client.imageToVideo.create({
    model: "gen4_turbo",
    promptImage: "https://example.org/lamp.png",
    promptText,
    ratio: "1280:720",
    duration: 5,
  });

async function drive() {
  const done = await create("a lamp").waitForTaskOutput();
  const file = Buffer.from(await (await fetch(done.output[0])).arrayBuffer());
  print("made", done.status, file.subarray(4, 8).toString());

  await create("a lamp [[screentest:fail=the lamp broke]]")
    .waitForTaskOutput()
    .catch((error) => print("failed", error instanceof TaskFailedError, error.taskDetails.failure));

  const canceled = await create("a lamp");
  await client.tasks.delete(canceled.id);
  print("canceled", (await client.tasks.retrieve(canceled.id)).status);

  for (;;) {
    const refused = await create("a lamp").then(() => null, (error) => error);
    if (refused !== null) {
      const { creditBalance } = await client.organization.retrieve();
      print("refused", refused.status, creditBalance);
      return;
    }
  }
}

drive();

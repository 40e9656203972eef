// OpenAI's own library for Node.js at ZnapAI. It has no call that waits.
const OpenAI = require("openai");

const client = new OpenAI();

async function render() {
  const made = await client.videos.create({ model: "sora-2", prompt: "A lamp", seconds: "4" });
  for (let polls = 0; polls < 100; polls++) {
    const { status } = await client.videos.retrieve(made.id);
    if (status === "completed") break;
    if (status === "failed") throw new Error("the video failed");
    await new Promise((resolve) => setTimeout(resolve, 10_000));
  }
  await (await client.videos.downloadContent(made.id)).arrayBuffer();
}

render().catch((error) => {
  console.error(`${error.constructor.name}: ${error.message}`);
  process.exit(1);
});

import { expect, test } from "#runner";
import { Ozor } from "../app/ozor.js";
import { elapsed } from "./worlds.js";

test("the client gives up on a stalled job after ten minutes", async ({ world }) => {
  const ozor = new Ozor({ baseUrl: world.ozor.baseUrl, apiKey: world.ozor.apiKey });

  const took = await elapsed(world, async () => {
    const started = await ozor.generate("[[screentest:stall]]");
    await expect(ozor.waitForJob(started)).rejects.toThrow("the job took too long");
  });

  expect(took).toBeGreaterThan(600);
  expect(took).toBeLessThan(610);
});

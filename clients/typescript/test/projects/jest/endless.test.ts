import { test } from "@screentest/client/jest";

interface Unused {
  line: 5;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test("a loop without an end", async ({ world }) => {
  const running = world.run(async () => {
    for (;;) await sleep(5_000);
  }, { realTimeLimit: "1s" });
  await expect(running).rejects.toThrow(/timers were set at .*endless\.test\.ts:\d+:\d+/);
  await expect(running).rejects.toThrow(/world\.run was called at .*endless\.test\.ts:\d+:\d+/);
});

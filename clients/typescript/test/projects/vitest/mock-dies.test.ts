import { execFileSync } from "node:child_process";
import { test } from "@screentest/client/vitest";

test("the mock gets a signal during a test", async ({ world }) => {
  await (await fetch(`${world.ozor.baseUrl}/api/v1/videos`, { headers: { "X-API-Key": world.ozor.apiKey } })).text();
  const port = new URL(world.control.url).port;
  const pid = execFileSync("sh", ["-c", `ss -tlnp | grep ':${port} ' | sed 's/.*pid=\\([0-9]*\\).*/\\1/'`], { encoding: "utf8" });
  process.kill(Number(pid), process.env["MOCK_GETS"]);
});

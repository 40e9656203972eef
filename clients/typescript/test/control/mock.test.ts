/** The mock as a child process: it ends with its parent, and its last lines are shown when it dies. */

import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { createWorld, startMock } from "@screentest/client";

const PARENT = `
import { startMock } from "@screentest/client";
const { pid } = await startMock();
console.log(pid);
setInterval(() => undefined, 1_000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that has ended and was not awaited by its new parent is a zombie.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("the mock ends when its parent is killed", async () => {
  const parent = spawn(process.execPath, ["--input-type=module", "-e", PARENT], { stdio: ["ignore", "pipe", "inherit"] });
  const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
  expect(isAlive(pid)).toBe(true);

  parent.kill("SIGKILL");

  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5_000 });
}, 15_000);

test("a parent that has nothing else to do ends, and the mock with it", async () => {
  const script = PARENT.replace(/setInterval.*/, "");
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);

  await vi.waitFor(() => expect(isAlive(Number(stdout))).toBe(false), { timeout: 5_000 });
}, 15_000);

test("a mock that dies fails the next call with the last lines of its log", async () => {
  const mock = await startMock();
  vi.stubEnv("_SCREENTEST_CLIENT_LOG", mock.log);
  const world = await createWorld({}, mock.url);
  await (await fetch(`${world.ozor.baseUrl}/api/v1/videos`)).text();
  // The mock prints its lines several times a second.
  await vi.waitFor(() => expect(readFileSync(mock.log, "utf8")).toContain(" 401 "), { timeout: 5_000 });
  process.kill(mock.pid, "SIGKILL");
  await vi.waitFor(() => expect(isAlive(mock.pid)).toBe(false));

  const failed = await world.run(() => undefined).catch((error: Error) => error);

  expect(failed).toMatchObject({ name: "MockGoneError" });
  expect(String(failed)).toContain(`no mock answers at ${mock.url}`);
  expect(String(failed)).toMatch(/last lines of its log .*\n(.*\n)*.*GET {5}ozor {2}\/api\/v1\/videos {2}401/);
  vi.unstubAllEnvs();
}, 15_000);

test("a command that is no mock is refused with what it printed", async () => {
  await expect(startMock({ command: ["echo"] })).rejects.toThrow(
    'the mock did not start: it printed "serve --port 0',
  );
});

test("a command that fails is refused with its last lines", async () => {
  const script = join(mkdtempSync(join(tmpdir(), "screentest-")), "broken");
  writeFileSync(script, "#!/bin/sh\necho no space left >&2\nexit 3\n", { mode: 0o755 });

  await expect(startMock({ command: [script] })).rejects.toThrow(
    "the mock did not start: it ended with exit code 3\n  no space left",
  );
});

test("without an installation, uvx starts the mock", async () => {
  const folder = mkdtempSync(join(tmpdir(), "screentest-"));
  const installed = process.env["PATH"]!.split(":").map((it) => join(it, "screentest")).find(existsSync);
  writeFileSync(join(folder, "uvx"), `#!/bin/sh\nshift\nexec ${installed} "$@"\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:/bin:/usr/bin`);
  vi.spyOn(process, "cwd").mockReturnValue("/");

  const mock = await startMock();

  expect(mock.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await mock.stop();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test("a missing installation says how to install", async () => {
  vi.stubEnv("PATH", "/nowhere");
  vi.spyOn(process, "cwd").mockReturnValue("/");

  await expect(startMock()).rejects.toThrow("screentest is not installed: `pip install screentest`");
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

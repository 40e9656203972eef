/** Starting the mock as a child process that ends with this one. */

import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LOG_VARIABLE } from "./control/control.js";
import { realClearTimeout, realSetTimeout } from "./bridge/real.js";
import { onMachineTime } from "./bridge/shared.js";

export interface MockOptions {
  /** The command and its first arguments. Default: `screentest` of a `.venv`, of the PATH, or by `uvx`. */
  command?: string[];
  /** Further arguments of `screentest serve`. */
  args?: string[];
}

/** A mock that this process started. */
export interface StartedMock {
  url: string;
  version: string;
  pid: number;
  /** The file with the log of the mock. */
  log: string;
  stop(): Promise<void>;
}

type Readiness = Pick<StartedMock, "url" | "version" | "pid">;

// `uvx` may have to download the package first.
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 5_000;
const FOLDERS_MAX = 64;

/** Start a mock on a free port. It ends when `stop` is called, or when this process ends, however it does. */
export async function startMock(options: MockOptions = {}): Promise<StartedMock> {
  const [program, ...first] = options.command ?? findCommand();
  const folder = mkdtempSync(join(tmpdir(), "screentest-"));
  const log = join(folder, "mock.log");
  const file = openSync(log, "w");
  const serve = ["serve", "--port", "0", "--clock", "manual", "--json", "--exit-on-stdin-eof"];
  const child = onMachineTime(() =>
    spawn(program!, [...first, ...serve, ...(options.args ?? [])], {
      stdio: ["pipe", "pipe", file],
      env: environment(),
    }),
  );
  closeSync(file);
  try {
    const ready = await readiness(child, log);
    letParentEnd(child);
    const { url, version, pid } = ready;
    return { url, version, pid, log, stop: () => stop(child, folder) };
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
}

/** Settings of the user that are meant for a mock that they start themselves would move this one. */
function environment(): NodeJS.ProcessEnv {
  const { SCREENTEST_DB: _, SCREENTEST_CLOCK: __, ...rest } = process.env;
  return { ...rest, SCREENTEST_DB: ":memory:" };
}

/** The words that start `screentest`. Throws when it is not installed. */
function findCommand(): string[] {
  for (let folder = process.cwd(), depth = 0; depth < FOLDERS_MAX; depth += 1) {
    const program = join(folder, ".venv", "bin", "screentest");
    if (isProgram(program)) return [program];
    if (folder === dirname(folder)) break;
    folder = dirname(folder);
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const onPath = (name: string): boolean => folders.some((folder) => isProgram(join(folder, name)));
  if (onPath("screentest")) return ["screentest"];
  if (onPath("uvx")) return ["uvx", "screentest"];
  throw new Error(
    "screentest is not installed: `pip install screentest`, or install uv, or start a mock yourself and set SCREENTEST_URL",
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The line that the mock prints when its port answers. */
function readiness(child: ChildProcess, log: string): Promise<Readiness> {
  return new Promise((resolve, reject) => {
    let printed = "";
    const fail = (reason: string): void => {
      const said = readFileSync(log, "utf8").trim();
      reject(new Error(`the mock did not start: ${reason}${said ? `\n  ${said.split("\n").slice(-12).join("\n  ")}` : ""}`));
    };
    const timer = realSetTimeout(() => fail(`it was not ready within ${START_MS_MAX / 1_000} s`), START_MS_MAX);
    child.once("error", (error) => fail(error.message));
    // Not `exit`, which can come before what was printed.
    child.once("close", (code, signal) => fail(`it ended with ${signal ?? `exit code ${code}`}`));
    child.stdout!.on("data", (chunk: Buffer) => {
      printed += chunk;
      if (!printed.includes("\n")) return;
      realClearTimeout(timer);
      try {
        resolve(JSON.parse(printed.slice(0, printed.indexOf("\n"))) as Readiness);
      } catch {
        fail(`it printed ${JSON.stringify(printed.slice(0, 200))} in place of its address; is it older than this package?`);
      }
    });
  });
}

/** Do not keep this process running for the child. The pipe to it stays open until this process ends. */
function letParentEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const timer = realSetTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
    child.ref();
    child.stdin!.end();
    await ended;
    realClearTimeout(timer);
  }
  rmSync(folder, { recursive: true, force: true });
}

let own: Promise<StartedMock> | undefined;

/** The address of the mock: that of `SCREENTEST_URL`, or of one that this process starts. */
export async function ensureMock(): Promise<string> {
  const given = process.env["SCREENTEST_URL"];
  if (given) return given;
  own ??= startMock();
  const mock = await own;
  process.env["SCREENTEST_URL"] = mock.url;
  process.env[LOG_VARIABLE] = mock.log;
  return mock.url;
}

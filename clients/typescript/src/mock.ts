/** Starting the mock as a child process that ends with this one. */

import { spawn, type ChildProcess } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { LOG_VARIABLE } from "./control/control.js";
import { pause, realClearTimeout, realNow, realSetTimeout } from "./bridge/real.js";
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
const LOOK_EVERY_MS = 5;
const FOLDERS_MAX = 64;

/** A mock that is starting. */
export interface LaunchedMock {
  log: string;
  ready: Promise<StartedMock>;
}

/** Start a mock on a free port. It ends when `stop` is called, or when this process ends, however it does. */
export async function startMock(options: MockOptions = {}): Promise<StartedMock> {
  return launchMock(options).ready;
}

/** The same without waiting: other processes learn by `ensureMock` when it is ready. */
export function launchMock(options: MockOptions = {}): LaunchedMock {
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
  letParentEnd(child);
  const ready = readiness(child, log).then(
    ({ url, version, pid }) => {
      announce(log, { url });
      return { url, version, pid, log, stop: () => stop(child, folder) };
    },
    (error: Error) => {
      child.kill("SIGKILL");
      announce(log, { error: error.message });
      throw error;
    },
  );
  ready.catch(() => undefined);
  return { log, ready };
}

/** What became of a start, in a file beside the log. */
interface Announcement {
  url?: string;
  error?: string;
}

const announcementOf = (log: string): string => `${log}.ready`;

function announce(log: string, announcement: Announcement): void {
  writeFileSync(`${log}.new`, JSON.stringify(announcement));
  renameSync(`${log}.new`, announcementOf(log));
}

/** The address of the mock with this log, which another process is starting. */
async function announced(log: string): Promise<string> {
  const end = realNow() + START_MS_MAX;
  while (!existsSync(announcementOf(log)) && realNow() < end) await pause(LOOK_EVERY_MS);
  const { url, error } = JSON.parse(readFileSync(announcementOf(log), "utf8")) as Announcement;
  if (url === undefined) throw new Error(error);
  return url;
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
    let isDecided = false;
    const fail = (reason: string): void => {
      // The end of a mock that was ready, whose log may be removed by then.
      if (isDecided) return;
      isDecided = true;
      realClearTimeout(timer);
      const said = readFileSync(log, "utf8").trim();
      reject(new Error(`the mock did not start: ${reason}${said ? `\n  ${said.split("\n").slice(-12).join("\n  ")}` : ""}`));
    };
    const timer = realSetTimeout(() => fail(`it was not ready within ${START_MS_MAX / 1_000} s`), START_MS_MAX);
    child.once("error", (error) => fail(error.message));
    // Not `exit`, which can come before what was printed.
    child.once("close", (code, signal) => fail(`it ended with ${signal ?? `exit code ${code}`}`));
    child.stdout!.on("data", (chunk: Buffer) => {
      printed += chunk;
      if (isDecided || !printed.includes("\n")) return;
      try {
        resolve(JSON.parse(printed.slice(0, printed.indexOf("\n"))) as Readiness);
        isDecided = true;
        realClearTimeout(timer);
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

/** The address of the mock: of `SCREENTEST_URL`, of the global set-up, or of one that this process starts. */
export async function ensureMock(): Promise<string> {
  const given = process.env["SCREENTEST_URL"];
  if (given) return given;
  const log = process.env[LOG_VARIABLE];
  if (log) return (process.env["SCREENTEST_URL"] = await announced(log));
  own ??= startMock();
  const mock = await own;
  process.env[LOG_VARIABLE] = mock.log;
  return (process.env["SCREENTEST_URL"] = mock.url);
}

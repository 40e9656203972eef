import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

export interface Ended {
  code: number | null;
  output: string;
}

/** What a command printed, without colours, and its exit code. */
export function run(command: string, args: string[], cwd = PACKAGE, more: Record<string, string> = {}): Promise<Ended> {
  const { NODE_OPTIONS: _, VITEST: __, NODE_ENV: ___, ...rest } = process.env;
  // Names of vitest's own workers would make a vitest inside take itself for one.
  const env = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("VITEST_") && !name.startsWith("NODE_TEST")));
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: { ...env, NO_COLOR: "1", CI: "1", ...more }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}

export const bin = (name: string): string => fileURLToPath(new URL(`../../node_modules/.bin/${name}`, import.meta.url));

/** docs/node.md, and TypeScript on other pages: every block runs in a project with the packed package. */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { bin, PACKAGE, run } from "./spawn.js";

const DOCS = join(PACKAGE, "../../docs");
const PAGE = readFileSync(join(DOCS, "node.md"), "utf8");
/** The pages that show what they do in Python and in TypeScript. */
const OTHERS = readdirSync(DOCS)
  .filter((name) => name.startsWith("pytest-"))
  .map((name) => readFileSync(join(DOCS, name), "utf8"));
/** A block, with the file that the text before it names. */
const BLOCK = /(?:\*\*`([^`]+)`\*\*[^`]*)?```(ts|js)\n([\s\S]*?)```/g;

let project: string;

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "screentest-docs-"));
  mkdirSync(join(project, "node_modules/@screentest"), { recursive: true });
  for (const name of ["vitest", "jest", "babel-jest", "vite", "openai"]) {
    symlinkSync(join(PACKAGE, "node_modules", name), join(project, "node_modules", name));
  }
  symlinkSync(PACKAGE, join(project, "node_modules/@screentest/client"));
  writeFileSync(join(project, "package.json"), '{"type": "module"}');
  let unnamed = 0;
  for (const [, named, , text] of [PAGE, ...OTHERS].flatMap((page) => [...page.matchAll(BLOCK)])) {
    const file = join(project, named ?? `test/page-${(unnamed += 1)}.test.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text!);
  }
});

test("the blocks for vitest pass", async () => {
  const { code, output } = await run(bin("vitest"), ["run"], project);

  expect(output).toContain("Tests  25 passed (25)");
  expect(code).toBe(0);
});

test("the blocks for jest pass", async () => {
  const { code, output } = await run(bin("jest"), ["--testMatch", "**/*.jest.js"], project);

  expect(output).toContain("1 passed, 1 total");
  expect(code).toBe(0);
});

test("the blocks for node:test pass", async () => {
  const words = ["--import", "@screentest/client/register", "--test", "test/ozor.node.mjs"];
  const { code, output } = await run(process.execPath, words, project);

  expect(output).toMatch(/pass 1\n/);
  expect(code).toBe(0);
});

test("the message of the page is that of the package", async () => {
  const { output } = await run(bin("vitest"), ["run", "findings"], `${PACKAGE}/test/projects/vitest`);
  const [, message] = /```text\n([\s\S]*?)```/.exec(PAGE)!;

  for (const line of message!.trim().split("\n")) {
    expect(output).toContain(line.trim().replace(/^FindingsError: /, "").replace(/\(world w_1\):$/, "(world w_"));
  }
});

/** The packed package in a project that has nothing else of this repository. */

import { mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { PACKAGE, run } from "./spawn.js";

let project: string;

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "screentest-fresh-"));
  const packed = await run("npm", ["pack", "--ignore-scripts", "--pack-destination", project]);
  expect(packed.code, packed.output).toBe(0);
  const file = readdirSync(project).find((it) => it.endsWith(".tgz"))!;
  writeFileSync(join(project, "package.json"), '{"name": "fresh", "private": true}');
  const installed = await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${file}`], project);
  expect(installed.code, installed.output).toBe(0);
  // What such a project has besides: a test runner, and the types of Node.js.
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "@types"), { recursive: true });
  for (const name of ["vitest", "@types/node", "@types/jest", "undici-types", "expect", "pretty-format"]) {
    symlinkSync(join(PACKAGE, "node_modules", name), join(modules, name));
  }
}, 120_000);

test("it has no dependencies, and holds code, types, licence and page alone", async () => {
  const { output } = await run("npm", ["ls", "--all", "--omit=peer", "--depth=0"], project);
  const files = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]);
  const paths = (JSON.parse(files.output.slice(files.output.indexOf("["))) as [{ files: { path: string }[] }])[0].files.map((it) => it.path);

  expect(output).toContain("@screentest/client@");
  expect(paths.filter((it) => !it.startsWith("dist/")).sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  expect(paths).toContain("dist/cjs/package.json");
  expect(paths).toContain("dist/esm/vitest.d.ts");
});

const PROGRAM = `
  const { videoId } = await world.run(async () => {
    await new Promise((resolve) => setTimeout(resolve, 60_000));
    const response = await fetch(world.ozor.baseUrl + "/api/v1/videos/generate", {
      method: "POST",
      headers: { "X-API-Key": world.ozor.apiKey, "Content-Type": "application/json" },
      body: '{"prompt": "A lamp"}',
    });
    return response.json();
  });
  console.log(typeof videoId);
  await world.delete();
`;

test.each([
  ["an ES module", "program.mjs", `import { createWorld } from "@screentest/client";\nconst world = await createWorld();\n${PROGRAM}`],
  ["a CommonJS module", "program.cjs", `const { createWorld } = require("@screentest/client");\n(async () => {\nconst world = await createWorld();\n${PROGRAM}})();`],
  ["both in one process", "both.mjs", `import { createRequire } from "node:module";\nimport "@screentest/client";\nconst { createWorld } = createRequire(import.meta.url)("@screentest/client");\nconst world = await createWorld();\n${PROGRAM}`],
])("%s can use it, and ends by itself", async (_, name, text) => {
  writeFileSync(join(project, name), text);

  const { code, output } = await run(process.execPath, [name], project);

  expect(output).toBe("string\n");
  expect(code).toBe(0);
});

const TYPED = `
import { createWorld, type Finding, type Schemas, StuckTimeError, type World } from "@screentest/client";
import { test as nodeTest } from "@screentest/client/node-test";

export async function everything(world: World): Promise<void> {
  const video: { id: number } = await world.run(() => ({ id: 1 }));
  await world.clock.advance("5m");
  await world.clock.advance({ until: "idle" });
  await world.fault("http_error", { provider: "znapai", status: 429, retryAfter: "30s" });
  const findings: Finding[] = await world.findings({ severity: "error" });
  const code: string = findings[0]!.code;
  const jobs: Schemas["Job"][] = await world.ozor.jobs();
  const at: string | undefined = jobs[0]?.script[0]?.at;
  const path: string = (await world.requests())[0]!.request.path;
  const attempts = (await world.webhooks.deliveries())[0]!.attempts;
  const status: number | null | undefined = attempts[0]?.status;
  await using other = await createWorld({ credits: { ozor: 5 }, clock: { mode: "real:60" } });
  console.log(video, code, at, path, status, other.env["OZOR_BASE_URL"], StuckTimeError);
  // @ts-expect-error a duration has a unit
  await world.clock.advance("5 minutes");
  // @ts-expect-error a latency has no status
  await world.fault("latency", { status: 429 });
  // @ts-expect-error a misspelt condition
  await world.fault("latency", { operaton: "x" });
  // @ts-expect-error either a duration or a goal
  await world.clock.advance({ until: "idle", to: "2026-01-01" });
  // @ts-expect-error an unknown path of the control API
  await world.control.get("/wrlds");
}

nodeTest("a test", async ({ world }, context) => {
  await everything(world);
  console.log(context.name);
});
`;
const RUNNERS: Record<string, string> = {
  vitest: `
import { expect, test, testInWorldTime } from "@screentest/client/vitest";
test("a", async ({ world }) => {
  await expect(world.ozor).toHavePaidOnce();
  await expect(world).not.toHaveFetched();
});
testInWorldTime("b", async ({ world }) => void (await expect(world).toRespectRetryAfter()));
test.extend({ worldOptions: { credits: { ozor: 5 } } })("c", ({ world }) => world.allow("SC101"));
`,
  jest: `
import { test } from "@screentest/client/jest";
test("a", async ({ world }) => {
  await expect(world.ozor).toHavePaidOnce();
  await expect(world).not.toHaveFetched();
});
test.with({ credits: { ozor: 5 } }).only("c", ({ world }) => world.allow("SC101"));
`,
};

describe.each(["typescript-5.4", "typescript-6", "typescript-newest"])("tsc --strict of %s", (compiler) => {
  async function compile(name: string, text: string, options: object): Promise<void> {
    const folder = mkdtempSync(join(project, "types-"));
    writeFileSync(join(folder, `${name}.mts`), text);
    const compilerOptions = {
      strict: true,
      noEmit: true,
      target: "es2022",
      lib: ["es2022", "esnext.disposable"],
      ...options,
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: [`${name}.mts`] }));
    const { code, output } = await run(process.execPath, [join(PACKAGE, "node_modules", compiler, "bin", "tsc"), "-p", folder], project);
    expect(output).toBe("");
    expect(code).toBe(0);
  }

  test.each([
    ["nodenext", { module: "nodenext", moduleResolution: "nodenext" }],
    ["bundler", { module: "esnext", moduleResolution: "bundler" }],
  ])("every public type, with the declarations of the package, resolved as %s", async (_, options) => {
    await compile("everything", TYPED, { ...options, types: ["node"], skipLibCheck: false });
  });

  test.each(Object.keys(RUNNERS))("the fixtures and matchers of %s", async (runner) => {
    const types = runner === "jest" ? ["node", "jest"] : ["node"];
    const options = { module: "esnext", moduleResolution: "bundler", types, skipLibCheck: true };
    await compile(runner, RUNNERS[runner]!, options);
  });
});

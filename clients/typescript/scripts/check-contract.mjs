// Fails when src/control/openapi.ts is not what the control contract generates, or when the package
// has another version than the mock.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const committed = "src/control/openapi.ts";
const generated = join(mkdtempSync(join(tmpdir(), "screentest-")), "openapi.ts");
execFileSync("npm", ["run", "--silent", "openapi", "--", "--output", generated], { stdio: ["ignore", "ignore", "inherit"] });
if (readFileSync(generated, "utf8") !== readFileSync(committed, "utf8")) {
  console.error(`${committed} differs from specs/control/openapi.yaml; run \`npm run generate\` in clients/typescript`);
  process.exit(1);
}

const ours = JSON.parse(readFileSync("package.json", "utf8")).version;
const theirs = /^version = "(.+)"$/m.exec(readFileSync("../../pyproject.toml", "utf8"))[1];
if (ours !== theirs) {
  console.error(`package.json has version ${ours}, and pyproject.toml ${theirs}; one release has one version`);
  process.exit(1);
}

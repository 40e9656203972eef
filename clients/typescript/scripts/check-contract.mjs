// Fails when a file is not what the sources generate, or when the package has another version than
// the mock.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "screentest-"));
let isOutdated = false;

/** *script* writes the file to the path that follows *words*; *build* is the script that renews it. */
function check(committed, source, script, words, build) {
  const generated = join(folder, "generated");
  execFileSync("npm", ["run", "--silent", script, "--", ...words, generated], { stdio: ["ignore", "ignore", "inherit"] });
  if (readFileSync(generated, "utf8") === readFileSync(committed, "utf8")) return;
  console.error(`${committed} differs from ${source}; run \`npm run ${build}\` in clients/typescript`);
  isOutdated = true;
}

check("src/control/openapi.ts", "specs/control/openapi.yaml", "openapi", ["--output"], "generate");
check("../../fixtures/child.mjs", "the bundle of src/child.ts", "child", [], "build:child");

const ours = JSON.parse(readFileSync("package.json", "utf8")).version;
const theirs = /^__version__ = "(.+)"$/m.exec(readFileSync("../../mock_server/kernel/version.py", "utf8"))[1];
if (ours !== theirs) {
  console.error(`package.json has version ${ours}, and the mock ${theirs}; one release has one version`);
  isOutdated = true;
}
process.exit(isOutdated ? 1 : 0);

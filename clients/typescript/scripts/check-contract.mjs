// Fails when src/control/openapi.ts is not what the control contract generates.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const committed = "src/control/openapi.ts";
const generated = join(mkdtempSync(join(tmpdir(), "screentest-")), "openapi.ts");
execFileSync("npm", ["run", "--silent", "generate", "--", "-o", generated], { stdio: ["ignore", "ignore", "inherit"] });
if (readFileSync(generated, "utf8") !== readFileSync(committed, "utf8")) {
  console.error(`${committed} differs from specs/control/openapi.yaml; run \`npm run generate\` in clients/typescript`);
  process.exit(1);
}

// The folder dist/cjs is CommonJS inside a package of type "module", so it needs a package.json.
import { writeFileSync } from "node:fs";

writeFileSync(new URL("../dist/cjs/package.json", import.meta.url), '{"type": "commonjs"}\n');

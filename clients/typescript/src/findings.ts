/** What the mock says about the code under test. */

import type { Schemas } from "./control/control.js";
import { FindingsError } from "./errors.js";

export type Finding = Schemas["WorldFinding"];

/** One finding in two or three lines, with its fix. */
export function describe(finding: Finding): string {
  const { where } = finding;
  const place = [where.kind, where.id, finding.provider, where.operation].filter(Boolean).join(" ");
  const pointer = finding.pointer ? ` ${finding.pointer}` : "";
  const cites = finding.source ? `\n    source: ${finding.source}` : "";
  return (
    `  ${finding.code} ${finding.severity} in ${place}${pointer}: expected ${finding.expected}, got ${finding.actual}` +
    `\n    fix: ${finding.fix}${cites}`
  );
}

/** The error for findings that a test does not allow; undefined if there are none. */
export function complaint(world: string, findings: readonly Finding[]): FindingsError | undefined {
  if (findings.length === 0) return undefined;
  const described = new Map<string, number>();
  for (const it of findings.map(describe)) described.set(it, (described.get(it) ?? 0) + 1);
  const lines = [...described].map(([text, count]) => (count === 1 ? text : text.replace(" in ", ` (${count} times) in `)));
  const counted = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  const codes = [...new Set(findings.map((it) => it.code))].join("', '");
  return new FindingsError(
    `screentest has ${counted} about this code (world ${world}):\n${lines.join("\n")}\n` +
      `  If the test means it: world.allow('${codes}')`,
  );
}

/** What the mock says about the code under test. */

import type { Control } from "./control/control.js";
import { everyItem } from "./control/pages.js";
import { FindingsError } from "./errors.js";

export type Finding = { code: string; pointer: string; expected: string; actual: string; fix: string; source: string; severity: "error"|"warning"; at: string; provider: string; where: { kind: string; id: string; operation: string|null; job: string|null } };

/** The findings about requests and deliveries, in the order of time. */
export async function findingsOf(control: Control, world: string, filter: { severity?: string }): Promise<Finding[]> {
  const requests = await everyItem<any>(control, "/worlds/{world}/requests", world);
  const deliveries = await everyItem<any>(control, "/worlds/{world}/webhooks/deliveries", world);
  const found: Finding[] = [
    ...requests.flatMap(({ id, at, provider, operation, violations }) =>
      violations.map((it: Finding) => ({ ...it, at, provider, where: { kind: "request", id, operation, job: null } })),
    ),
    ...deliveries.flatMap(({ id, provider, job, attempts }) =>
      attempts.flatMap(({ at, findings = [] }: any) =>
        findings.map((it: Finding) => ({ ...it, at, provider, where: { kind: "delivery", id, operation: null, job } })),
      ),
    ),
  ];
  return found.filter((it) => filter.severity === undefined || it.severity === filter.severity).sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

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
  const counted = findings.length === 1 ? "1 finding" : `${findings.length} findings`;
  const codes = [...new Set(findings.map((it) => it.code))].join("', '");
  return new FindingsError(
    `screentest has ${counted} about this code (world ${world}):\n${findings.map(describe).join("\n")}\n` +
      `  If the test means it: world.allow('${codes}')`,
  );
}

/** Durations as people write them, and instants of a world as numbers. */

/** Milliseconds, or a number with a unit: `500`, `"250ms"`, `"30s"`, `"5m"`, `"2h"`, `"1d"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The whole milliseconds of a duration. Throws a `RangeError` unless it is a positive duration. */
export function milliseconds(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  const given = match ? Number(match[1]) * UNITS_MS[match[2]!]! : typeof duration === "number" ? duration : NaN;
  if (!Number.isFinite(given) || given < 0) {
    throw new RangeError(
      `duration ${JSON.stringify(duration)} must be milliseconds, or a number with ms, s, m, h or d, such as "5m"`,
    );
  }
  return Math.round(given);
}

/** `"2 h 13 min"`: at most the two largest units. */
export function inWords(duration_ms: number): string {
  const words: string[] = [];
  let rest = Math.round(duration_ms);
  for (const [unit, size] of [["d", 86_400_000], ["h", 3_600_000], ["min", 60_000], ["s", 1_000], ["ms", 1]] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) words.push(`${count} ${unit}`);
  }
  return words.slice(0, 2).join(" ") || "0 ms";
}

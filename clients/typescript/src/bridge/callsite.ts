/** Where in the user's code a timer was set. */

const INTERNAL = /^node:/;
const TIMERS = /^node:(internal\/)?(timers|async_hooks|process\/promises)/;
/** Libraries that measure the machine's time: HTTP connections and test runners. */
const ON_MACHINE_TIME =
  /^node:internal\/|[\\/]node_modules[\\/](undici|vitest|@vitest|jest-[^\\/]+|@jest|tinypool)[\\/]/;

interface Frame {
  file: string;
  place: string;
}

/** Up to *count* frames above *below*, without mapping them to sources: that would be slow. */
function frames(below: (...args: never[]) => unknown, count: number): Frame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = count;
  Error.prepareStackTrace = (_, sites) =>
    sites.map((site) => {
      const file = site.getFileName() ?? "";
      return { file, place: `${file}:${site.getLineNumber()}:${site.getColumnNumber()}` };
    });
  Error.captureStackTrace(holder, below);
  const found = holder.stack as Frame[];
  Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  return Array.isArray(found) ? found : [];
}

/** Whether the direct caller of *below* is a library that needs the machine's time. */
export function isCalledByPlumbing(below: (...args: never[]) => unknown): boolean {
  const [caller] = frames(below, 1);
  return caller !== undefined && ON_MACHINE_TIME.test(caller.file);
}

const OWN = /[\\/]bridge[\\/](install|timeline|timers|callsite|real-timers|traffic|shared|real)\.[jt]s$/;

/** The user's line that called *below*; undefined when Node.js or this package called it. */
export function userPlace(below: (...args: never[]) => unknown): string | undefined {
  for (const { file, place } of frames(below, 12)) {
    if (TIMERS.test(file)) continue;
    if (INTERNAL.test(file) || OWN.test(file) || ON_MACHINE_TIME.test(file)) return undefined;
    return place.replace(/^file:\/\//, "");
  }
  return undefined;
}

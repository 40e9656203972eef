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

const OWN = /[\\/]bridge[\\/](install|timeline|timers|callsite|real-timers|traffic|shared|real|run|stuck)\.[jt]s$/;

/** A line of the user's code; as a string, the line of its source, as far as the test runner knows it. */
export class UserPlace {
  constructor(
    private readonly place: string,
    private readonly trace: { stack?: string },
    private readonly depth: number,
  ) {}

  toString(): string {
    // Test runners map a trace to sources when it is read. That is slow, so it waits for a message.
    const lines = (this.trace.stack ?? "").split("\n").filter((it) => /^\s+at /.test(it));
    const mapped = /((?:file:\/\/)?\/[^()]*:\d+:\d+)\)?$/.exec(lines[this.depth] ?? "")?.[1];
    return (mapped ?? this.place).replace(/^file:\/\//, "");
  }
}

const FRAMES = 12;
const known = new Map<string, UserPlace>();

/** The user's line that called *below*; undefined when Node.js or this package called it. */
export function userPlace(below: (...args: never[]) => unknown): UserPlace | undefined {
  for (const [depth, { file, place }] of frames(below, FRAMES).entries()) {
    if (TIMERS.test(file)) continue;
    if (INTERNAL.test(file) || OWN.test(file) || ON_MACHINE_TIME.test(file)) return undefined;
    let found = known.get(place);
    if (found === undefined) known.set(place, (found = new UserPlace(place, trace(below), depth)));
    return found;
  }
  return undefined;
}

/** The frames above *below*, not read yet. */
function trace(below: (...args: never[]) => unknown): { stack?: string } {
  const { stackTraceLimit } = Error;
  const holder = {};
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(holder, below);
  Error.stackTraceLimit = stackTraceLimit;
  return holder;
}

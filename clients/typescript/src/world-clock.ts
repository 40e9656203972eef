/** The clock of a world as the bridge needs it, by the control API. */

import type { WorldClock } from "./bridge/timeline.js";
import type { Control, Schemas } from "./control/control.js";
import { everyItem } from "./control/pages.js";

/** Faults by which an answer is late. */
const DELAYS = ["latency", "timeout"];

/** The clock of the world *id* at the mock of *control*. */
export function worldClock(control: Control, id: string): WorldClock {
  const path = { world: id };
  return {
    name: `world ${id}`,
    port: new URL(control.url).port || "80",
    read: async () => {
      const { mode, now } = await control.get("/worlds/{world}/clock", { path });
      return { mode, now: Date.parse(now) };
    },
    delayedUntil: async (requests: readonly string[]) => {
      const lines = await everyItem<Schemas["RequestLine"]>(control, "/worlds/{world}/requests", id);
      const faults = await everyItem<Schemas["Fault"]>(control, "/worlds/{world}/faults", id);
      const ends = requests.map((name) => {
        const line = lines.findLast((it) => isRequest(name, it));
        const fault = faults.find((it) => line?.faults?.some((applied) => applied.id === it.id));
        return line && fault && DELAYS.includes(fault.type) ? endOf(fault, line) : undefined;
      });
      return ends.includes(undefined) ? undefined : Math.min(...(ends as number[]));
    },
    advance: async (limit_ms: number | undefined) => {
      const body = { until: "next" as const, ...(limit_ms === undefined ? {} : { by_ms: limit_ms }) };
      const { now, fired } = await control.post("/worlds/{world}/clock/advance", { path, body });
      return { now: Date.parse(now), events: fired.length };
    },
  };
}

/** When *fault* lets the answer of *line* go, on the world's clock; Infinity if it follows the machine's. */
function endOf({ attributes }: Schemas["Fault"], line: Schemas["RequestLine"]): number {
  if (attributes.clock !== "world") return Infinity;
  return Date.parse(line.at) + (attributes.delay_ms ?? 0) + (attributes.jitter_ms ?? 0);
}

/** Whether the journal line is of the request *name*, such as `GET /w/w_1/ozor/api/v1/videos?limit=5`. */
function isRequest(name: string, { request }: Schemas["RequestLine"]): boolean {
  const { method, path } = request as { method: string; path: string };
  return name.startsWith(`${method} `) && name.split("?")[0]!.endsWith(path);
}

/**
 * Loaded into each process of a program in Node.js that runs in one world: its time is the world's.
 *
 * `screentest explore` and `screentest run --clock warp` load it, as a bundle without dependencies:
 * `npm run build:child` writes fixtures/child.mjs.
 */

import { install } from "./bridge/install.js";
import { shared } from "./bridge/shared.js";
import { Timeline } from "./bridge/timeline.js";
import { Control } from "./control/control.js";
import { worldClock } from "./world-clock.js";

const { SCREENTEST_URL: url, SCREENTEST_WORLD: world } = process.env;

if (url && world) {
  install();
  const control = new Control(url);
  await control.patch("/worlds/{world}/clock", { path: { world }, body: { mode: "warp" } });
  const timeline = new Timeline(worldClock(control, world), { isProgram: true });
  shared.open.set(`${timeline.port}/${world}`, timeline);
  await timeline.begin(Infinity, undefined);
}

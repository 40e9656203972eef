/**
 * The global set-up of vitest and jest: one mock for the whole run.
 *
 * It sets `SCREENTEST_URL`, by which the workers find the mock, unless it is set already, such as
 * by `screentest run -- npx vitest`.
 */

import { Control, LOG_VARIABLE } from "./control/control.js";
import { startMock, type StartedMock } from "./mock.js";

// In watch mode jest calls the set-up again for each run.
const RUNNING = Symbol.for("@screentest/client/mock");
const running = globalThis as { [RUNNING]?: StartedMock };

export async function setup(): Promise<() => Promise<void>> {
  const given = process.env["SCREENTEST_URL"];
  if (given) {
    // A wrong address or version is reported once and not by every test.
    await new Control(given).get("/health");
    return async () => undefined;
  }
  const mock = (running[RUNNING] = await startMock());
  process.env["SCREENTEST_URL"] = mock.url;
  process.env[LOG_VARIABLE] = mock.log;
  return teardown;
}

/** Stops the mock. jest does not need it: the mock ends with jest. */
export async function teardown(): Promise<void> {
  const mock = running[RUNNING];
  if (!mock) return;
  delete running[RUNNING];
  delete process.env["SCREENTEST_URL"];
  delete process.env[LOG_VARIABLE];
  await mock.stop();
}

export default setup;

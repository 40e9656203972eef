/**
 * The global set-up of vitest and jest: one mock for the whole run.
 *
 * It starts none if `SCREENTEST_URL` is set, such as by `screentest run -- npx vitest`. The mock of
 * vitest starts while its workers do: `@screentest/client/vitest` waits for it when it is imported.
 */

import { Control, LOG_VARIABLE } from "./control/control.js";
import { launchMock, type LaunchedMock } from "./mock.js";

// In watch mode jest calls the set-up again for each run.
const RUNNING = Symbol.for("@screentest/client/mock");
const running = globalThis as { [RUNNING]?: LaunchedMock };

export async function setup(): Promise<() => Promise<void>> {
  const given = process.env["SCREENTEST_URL"];
  if (given) {
    // A wrong address or version is reported once and not by every test.
    await new Control(given).get("/health");
    return async () => undefined;
  }
  const mock = (running[RUNNING] = launchMock());
  process.env[LOG_VARIABLE] = mock.log;
  if (!process.env["VITEST"]) process.env["SCREENTEST_URL"] = (await mock.ready).url;
  return teardown;
}

/** Stops the mock. jest does not need it: the mock ends with jest. */
export async function teardown(): Promise<void> {
  const mock = running[RUNNING];
  if (!mock) return;
  delete running[RUNNING];
  delete process.env["SCREENTEST_URL"];
  delete process.env[LOG_VARIABLE];
  await mock.ready.then((it) => it.stop(), () => undefined);
}

export default setup;

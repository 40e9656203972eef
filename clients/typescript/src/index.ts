/** The public names of @screentest/client. */

export { createWorld, World, type RunOptions, type Snapshot, type Verification, type WantedRequests, type WorldOptions } from "./world.js";
export { startMock, type MockOptions, type StartedMock } from "./mock.js";
export { type Advance, Clock, type Fired } from "./clock.js";
export { Control, CONTROL_VERSION, type Schemas } from "./control/control.js";
export { type Duration } from "./durations.js";
export { ControlError, FindingsError, MockGoneError, StuckTimeError, WrongServerError } from "./errors.js";
export { type FaultAttributes, type FaultOptions, type FaultPlace } from "./faults.js";
export { type Finding } from "./findings.js";
export { assertions, matchers, type Matchers } from "./matchers.js";
export { type JobChange, type Ledger, Provider } from "./provider.js";
export { type FetchHandler, Hook, type ListenOptions, type NodeHandler, Webhooks } from "./webhooks.js";

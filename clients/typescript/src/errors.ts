/** The errors of this package. Each message says what was asked, what is true, and what to do. */

/** The control API refused a call. `code` is stable. */
export class ControlError extends Error {
  override readonly name = "ControlError";
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

/** No mock answers, or it ended during the tests. */
export class MockGoneError extends Error {
  override readonly name = "MockGoneError";
}

/** The server at the address is not a mock, or of a version that this package cannot use. */
export class WrongServerError extends Error {
  override readonly name = "WrongServerError";
}

/** The code in `world.run` waits for something that the world's clock cannot bring. */
export class StuckTimeError extends Error {
  override readonly name = "StuckTimeError";
}

/** The mock has findings of the severity `error` about the code under test. */
export class FindingsError extends Error {
  override readonly name = "FindingsError";
}

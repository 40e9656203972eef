"""Errors of the mock's user. A provider's error is a `Reply`, never an exception."""

from __future__ import annotations

from collections.abc import Collection

from screentest.specs.errors import no_such


class MockError(Exception):
    """The message says what was asked, what exists, and what to do. *code* is stable.

    *status* is the status with which the control API answers.
    """

    def __init__(self, message: str, *, code: str = "bad_request", status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def unknown(
    what: str, name: str, known: Collection[str], *, of: str = "", status: int = 404
) -> MockError:
    """`no verb 'sevre'; did you mean 'serve'? (there are: env, serve)`.

    *of* names the owner in the message; the code of the error does not depend on it.
    """
    whose = f"{what} of {of}" if of else what
    return MockError(
        no_such(whose, name, known), code="unknown_" + what.replace(" ", "_"), status=status
    )

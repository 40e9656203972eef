"""What a scenario needs beyond one key, and the option by which a user supplies it."""

from __future__ import annotations

from enum import Enum


class Need(Enum):
    """The value completes `+14 rules with …` in a report."""

    STEERING = "a server that can be steered, such as our own mock"
    SECOND_ACCOUNT = "--second-api-key"
    EMPTY_ACCOUNT = "--empty-api-key"
    REVOKED_KEY = "--revoked-api-key"
    CALLBACK = "--callback"
    CALLBACK_SECRET = "--callback-secret"
    CREDITS = "more credits in the account"
    BUDGET = "--budget"
    RESUME = "--resume"
    PATIENCE = "--resume, or --patience"
    BALANCE = "--balance-command"
    FAILURE = "--failing-prompt"
    REFUSAL = "--refused-prompt"
    TIER = "an account of another tier"
    CREDENTIAL = "--bearer, or another credential of the owner"


class UnableError(Exception):
    """A scenario cannot go on. What it did not reach is not judged; the message says why."""


class NeedError(UnableError):
    """A scenario cannot continue without *need*. *detail* is a figure for the option, or empty.

    *message* takes the place of the usual one.
    """

    def __init__(self, need: Need, detail: str = "", message: str = "") -> None:
        super().__init__(message or f"it needs {need.value}{f' {detail}' if detail else ''}")
        self.need = need
        self.detail = detail

"""Limits of a client's calls: sizes, rates, running jobs, repeated keys and the advised pace.

Structs of a behaviour file, filled by `behaviour_file`.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes of requests in bytes. *field_bytes_max* is for one text of a form.

    Without a *source* the limits are ours, and other servers need not have them.
    """

    json_bytes_max: int
    upload_bytes_max: int
    source: str = ""
    field_bytes_max: int = 500_000


class RateWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """At most *limit* accepted calls of *operations* per sliding *per_ms*, for one *scope*.

    With *counts* `refused_too` a call that was refused for its content takes room as well. *when*
    limits the window to one reading of an interpretation.
    """

    name: str
    operations: frozenset[str]
    limit: int
    per_ms: int
    scope: str
    source: str
    counts: str = "accepted"
    when: Mapping[str, str] = {}

    @property
    def counts_refused(self) -> bool:
        """Whether a refused call takes room."""
        return self.counts == "refused_too"

    @property
    def reading(self) -> tuple[str, str] | None:
        """The interpretation and the value under which the window is in force; None for always."""
        return next(iter(self.when.items()), None)


class Concurrency(Struct, frozen=True, forbid_unknown_fields=True):
    """At most *limits[tier]* running jobs per *scope* (`account` or `key`).

    With *counts* `paid_calls_too` a call that pays for its answer takes a place as well: for
    *answers_take_ms* after it came in, or with None until it is answered.
    """

    limits: Mapping[str, int]
    scope: str
    source: str
    retry_after_s: int | None = None
    counts: str = "jobs"
    answers_take_ms: int | None = None

    @property
    def counts_paid_calls(self) -> bool:
        """Whether a call that pays for its answer takes a place."""
        return self.counts == "paid_calls_too"


class Idempotency(Struct, frozen=True, forbid_unknown_fields=True):
    """Replays the first answer of *operations* to the same *header* value for *keeps_ms*.

    A key is unique within its *scope*, `operation` or `account`.
    """

    header: str
    operations: frozenset[str]
    keeps_ms: int
    source: str
    scope: str = "operation"
    keeps_refusals: bool = False
    marks_repetitions: bool = True

    @property
    def spans_operations(self) -> bool:
        """Whether the same key in another operation of the account is the same key."""
        return self.scope == "account"


class Cadence(Struct, frozen=True, forbid_unknown_fields=True):
    """The *operations* that clients poll, and the pause that the provider advises between polls.

    *at_least_ms* 0 means that it advises none.
    """

    operations: frozenset[str]
    at_least_ms: int
    source: str

"""Limits of a client's calls: sizes, rates, running jobs, repeated keys and the advised pace."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

from ..formats import Operations, Source, means

_Positive = Annotated[int, Meta(ge=1)]


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Sizes of requests in bytes. Without a *source* they are ours: other servers may differ."""

    json_bytes_max: Annotated[_Positive, means("The longest JSON body.", 2_621_440)]
    upload_bytes_max: Annotated[_Positive, means("The longest body with files.", 52_428_800)]
    source: Source = ""
    field_bytes_max: Annotated[_Positive, means("The longest text of a form.", 500_000)] = 500_000


class RateWindow(Struct, frozen=True, forbid_unknown_fields=True):
    """At most *limit* calls of *operations* per sliding *per_ms*."""

    name: Annotated[str, means("The name of the window, for messages and rules.", "generation")]
    operations: Operations
    limit: Annotated[_Positive, means("The calls that fit into the window.", 10)]
    per_ms: Annotated[_Positive, means("The length of the window.", 60_000)]
    source: Source = ""
    scope: Annotated[
        Literal["key", "account", "address"], means("Whose calls count together.", "account")
    ] = "key"
    counts: Annotated[
        Literal["accepted", "refused_too"],
        means("`refused_too`: a call that is refused for its content counts as well.", "accepted"),
    ] = "accepted"
    when: Annotated[
        Mapping[str, str],
        means("The reading under which it is in force; always unless given.", {"pace": "slow"}),
        Meta(max_length=1),
    ] = {}

    @property
    def counts_refused(self) -> bool:
        """Whether a refused call counts."""
        return self.counts == "refused_too"

    @property
    def reading(self) -> tuple[str, str] | None:
        """The interpretation and the value under which the window is in force; None for always."""
        return next(iter(self.when.items()), None)


class Concurrency(Struct, frozen=True, forbid_unknown_fields=True):
    """How many jobs may run at once."""

    limits: Annotated[
        Mapping[str, _Positive], means("The most running jobs, by tier.", {"free": 1, "pro": 5})
    ]
    scope: Annotated[Literal["key", "account"], means("Whose jobs count together.", "account")]
    source: Source = ""
    retry_after_s: Annotated[
        _Positive | None, means("The Retry-After of the refusal; none unless given.", 30)
    ] = None
    counts: Annotated[
        Literal["jobs", "paid_calls_too"],
        means("`paid_calls_too`: a call that pays for its answer counts as well.", "jobs"),
    ] = "jobs"
    answers_take_ms: Annotated[
        _Positive | None,
        means("How long such a call is in flight; until its answer unless given.", 45_000),
    ] = None

    @property
    def counts_paid_calls(self) -> bool:
        """Whether a call that pays for its answer counts."""
        return self.counts == "paid_calls_too"


class Idempotency(Struct, frozen=True, forbid_unknown_fields=True):
    """Replays the first answer to the same key. Its header is kept in lower case."""

    header: Annotated[str, means("The header that has the key.", "Idempotency-Key")]
    operations: Operations
    keeps_ms: Annotated[_Positive, means("How long an answer is replayed.", 86_400_000)]
    source: Source = ""
    scope: Annotated[
        Literal["operation", "account"], means("The scope in which a key is unique.", "account")
    ] = "operation"
    keeps_refusals: Annotated[
        bool, means("Whether a call that was refused after its key was read is replayed.", True)
    ] = False
    marks_repetitions: Annotated[
        bool, means("Whether a replayed answer has the header Idempotent-Replayed.", False)
    ] = True

    def __post_init__(self) -> None:
        force_setattr(self, "header", self.header.lower())

    @property
    def spans_operations(self) -> bool:
        """Whether the same key in another operation of the account is the same key."""
        return self.scope == "account"


class Cadence(Struct, frozen=True, forbid_unknown_fields=True):
    """The operations that clients poll, and the pause that is advised between polls."""

    operations: Operations
    at_least_ms: Annotated[
        int, means("The advised pause; 0 where none is advised.", 5_000), Meta(ge=0)
    ]
    source: Source = ""

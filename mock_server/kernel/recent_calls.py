"""What a world remembers of its callers' latest calls: marks by name, and paid calls.

It serves findings alone. Nothing that a provider answers depends on it, so it is not kept in rows,
and the oldest is dropped.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from msgspec import Struct

from screentest.specs.json_types import Json

from .rows import Resource

#: More jobs than a client polls at once; a thousand marks take less than a megabyte.
MARKS_MAX = 1_000
#: More than a test pays for; two thousand paid calls take less than two megabytes.
PAYMENTS_MAX = 2_000


class Marks:
    """Values by name, at most `MARKS_MAX` of them. *has_waits*: some answer had a Retry-After."""

    def __init__(self) -> None:
        self.has_waits = False
        self._kept: OrderedDict[Hashable, Json] = OrderedDict()

    def swap(self, name: Hashable, value: Json) -> Json:
        """Store *value* under *name*, and return the previous value or None."""
        # Removed first, so that a name in use moves to the end and is forgotten last.
        before = self._kept.pop(name, None)
        self._kept[name] = value
        if len(self._kept) > MARKS_MAX:
            self._kept.popitem(last=False)
        return before

    def get(self, name: Hashable) -> Json:
        """The value under *name*, or None."""
        return self._kept.get(name)


class PolledJob(Struct, frozen=True, gc=False):
    """What is the same for equal polls of a *job*: the *name* of their mark, and the job's state.

    One that *may_wait* can change by itself. *at_least_ms* is the documented pause between polls;
    negative for another read of the job.
    """

    name: Hashable
    job: Resource
    has_ended: bool
    may_wait: bool
    at_least_ms: int


class Reads(NamedTuple):
    """How a client asked for a resource: how often, when last, and the longest pause between."""

    times: int = 0
    last_ms: int = 0
    longest_ms: int = 0


_NO_READS = Reads()


class Payment(Struct, gc=False):
    """One paid call that was carried out. *number* is that of its request.

    *content* is equal for two calls that ask for the same. *cost* is None where the provider names
    no price. *job* is the kind and id of what it started, below *parent*. A payment that *is_lost*
    had an answer that did not reach the client; one that *is_late* had one that a fault delayed.
    One that *is_repeated* was lost and paid again, which is a finding already.
    """

    number: int
    at_ms: int
    provider: str
    operation: str
    account: str
    content: int
    cost: int | None
    job: tuple[str, str] | None = None
    parent: str | None = None
    is_lost: bool = False
    is_late: bool = False
    is_stream: bool = False
    is_repeated: bool = False


class Payments:
    """The newest `PAYMENTS_MAX` paid calls of a world, and when a client looked at their jobs."""

    def __init__(self) -> None:
        self._kept: deque[Payment] = deque()
        # By content: every paid call is compared with the last equal one, so a search would add up.
        self._newest: dict[int, Payment] = {}
        self._reads: dict[str, Reads] = {}
        # When the collection of an operation was read last, by operation and account.
        self._lists: dict[tuple[str, str, str], int] = {}

    @property
    def has_any(self) -> bool:
        """Whether any paid call is kept."""
        return bool(self._kept)

    def all(self) -> Iterable[Payment]:
        """Every payment that is kept, oldest first."""
        return tuple(self._kept)

    def newest(self, content: int) -> Payment | None:
        """The latest payment with *content*."""
        return self._newest.get(content)

    def add(self, payment: Payment) -> None:
        """Keep *payment*; the oldest goes when there are too many."""
        self._newest[payment.content] = payment
        self._kept.append(payment)
        for id_ in _watched(payment):
            self._reads.setdefault(id_, _NO_READS)
        if len(self._kept) > PAYMENTS_MAX:
            self._drop(self._kept.popleft())

    def _drop(self, payment: Payment) -> None:
        # A newer payment with the same content stays.
        if self._newest.get(payment.content) is payment:
            del self._newest[payment.content]
        for id_ in _watched(payment):
            self._reads.pop(id_, None)

    def note_read(self, id_: str, now_ms: int) -> None:
        """Note that a client was shown the resource *id_*; only those of paid jobs are kept."""
        reads = self._reads.get(id_)
        if reads is not None:
            count, last_ms, longest_ms = reads
            pause_ms = now_ms - last_ms if count else 0
            self._reads[id_] = Reads(count + 1, now_ms, max(pause_ms, longest_ms))

    def note_list_read(self, provider: str, operation: str, account: str, now_ms: int) -> None:
        """Note that a client was shown the resources of *account*."""
        self._lists[provider, operation, account] = now_ms

    def reads(self, payment: Payment) -> Reads:
        """How a client asked for the job of *payment*, by itself, by its parent or in a list."""
        listed_ms = [
            at_ms
            for (provider, _, account), at_ms in self._lists.items()
            if (provider, account) == (payment.provider, payment.account) and at_ms >= payment.at_ms
        ]
        seen = [self._reads.get(id_, _NO_READS) for id_ in _watched(payment)]
        seen = [it for it in seen if it.times and it.last_ms >= payment.at_ms]
        return Reads(
            sum(it.times for it in seen) + len(listed_ms),
            max([*(it.last_ms for it in seen), *listed_ms], default=0),
            max((it.longest_ms for it in seen), default=0),
        )


def _watched(payment: Payment) -> tuple[str, ...]:
    """The ids of the resources that show the job of *payment*."""
    if payment.job is None:
        return ()
    return (payment.job[1],) if payment.parent is None else (payment.job[1], payment.parent)

"""The rows of a world. They are immutable: a reader needs no copy, and a change replaces a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Raw, Struct

from screentest.specs.json_types import Json

from .clock import Clock
from .lifecycle import Script
from .webhooks import Delivery

#: The largest integer that JSON clients in other languages read back exactly.
CREDITS_MAX = 2**53 - 1


# Unknown fields are refused in every row: a snapshot or a file of a later version must not lose
# some of them silently.
class Settings(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The settings of a world. *pace* multiplies documented durations; 0 ends jobs at once.

    *label* is a free text for people, such as the name of a test.
    """

    pace: Annotated[float, Meta(ge=0)] = 1.0
    choices: Mapping[str, str] = {}
    has_magic: bool = True
    has_fault_header: bool = False
    label: str = ""


class WorldRow(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A world's own row. *first* is the plan that a reset returns to.

    *home* is the world id from which its first keys were minted. A world that was restored from a
    snapshot of another world has the home of that world.
    """

    id: str
    seed: int
    clock: Clock
    home: str
    settings: Settings
    first: Mapping[str, Json]


class Account(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One customer of one provider. The four sums are those of its ledger entries.

    *opening* are the same sums of the entries that were dropped.
    """

    id: str
    provider: str
    tier: str
    granted: int
    available: int
    held: int
    spent: int
    created_ms: int
    # Bounded history drops old entries; with these sums the rest still adds up to the balance.
    opening: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        """Refuse inconsistent sums, which a snapshot may contain."""
        sums = self.available, self.held, self.spent
        if min(sums) < 0 or self.granted != sum(sums):
            raise ValueError(f"the sums of account {self.id} do not add up")


class Key(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A credential. Only its SHA-256 is stored; *prefix* is the part that may be shown."""

    digest: str
    account: str
    provider: str
    id: str
    kind: str
    name: str
    prefix: str
    is_active: bool
    created_ms: int
    seq: int


# Apart from `Key`, because it changes with every call: the row that is written stays small.
class KeyUse(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """When a key was last used."""

    digest: str
    at_ms: int


class Entry(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One line of a ledger. *request* is the number of the call that caused it."""

    seq: int
    account: str
    at_ms: int
    kind: str
    amount: Annotated[int, Meta(gt=0, le=CREDITS_MAX)]
    job: str | None
    request: int | None


class Resource(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Anything that an account owns. With a *script* it is a job.

    *seq* orders the resources of a world by creation. *doc* is the content, as the provider's
    module keeps it.
    """

    provider: str
    kind: str
    id: str
    account: str
    parent: str | None
    seq: int
    created_ms: int
    doc: Mapping[str, Json] = {}
    script: Script | None = None
    # Kept in the row, so that an index can find what counts against a cap without the contract.
    is_running_slot: bool = False

    def offset_ms(self, now_ms: int) -> int:
        """Milliseconds since the creation."""
        return now_ms - self.created_ms


class Effect(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Something that is due. *subject* is `provider/kind/id`; *step* is a number of its script."""

    seq: int
    due_ms: int
    kind: str
    subject: str
    step: int
    label: str


class Event(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Something that happened in a world."""

    seq: int
    at_ms: int
    type: str
    subject: str
    doc: Mapping[str, Json]


class JournalRow(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A journal line, *doc*, with the fields by which a list of lines is filtered."""

    seq: int
    at_ms: int
    provider: str
    operation: str
    status: int
    # Encoded once, since most lines are never read.
    doc: Raw


class Replay(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The answer to the first request with an idempotency key; *request* is its number."""

    account: str
    operation: str
    key: str
    fingerprint: str
    expires_ms: int
    request: int
    status: int
    headers: Mapping[str, str]
    content_type: str
    departure: str | None
    body: bytes


class Hits(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The instants of the calls that a rate window counts under the name *bucket*."""

    bucket: str
    at_ms: tuple[int, ...]


class Document(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A fault or an endpoint. The module of its *kind* owns the content."""

    kind: str
    id: str
    seq: int
    doc: Mapping[str, Json]


class Counter(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The last number that was drawn under a name."""

    name: str
    value: int


class Snapshot(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A document that describes a whole world at one instant."""

    name: str
    created_ms: int
    doc: bytes


# What follows serves findings alone: no provider's answer needs it.
class Mark(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What a finding compares the next call with. *seq* is the number of the latest call."""

    name: str
    seq: int
    value: tuple[int | str, ...]


class Reads(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """How a client asked for *what*: how often, when last, and the longest pause between.

    *what* is the id of a resource, or `provider/account` for a list of them.
    """

    what: str
    times: int = 0
    last_ms: int = 0
    longest_ms: int = 0


class Payment(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One paid call that was carried out. *seq* is the number of its request.

    *content* is equal for two calls that ask for the same. *cost* is None where the provider names
    no price. *job* is the kind and id of what it started, below *parent*. A payment that *is_lost*
    had an answer that did not reach the client; one that *is_late* had one that a fault delayed.
    One that *is_repeated* was lost and paid again, which is a finding already.
    """

    seq: int
    at_ms: int
    provider: str
    operation: str
    account: str
    content: str
    cost: int | None
    job: tuple[str, str] | None = None
    parent: str | None = None
    is_lost: bool = False
    is_late: bool = False
    is_stream: bool = False
    is_repeated: bool = False

    @property
    def watched(self) -> tuple[str, ...]:
        """The ids of the resources that show its job."""
        if self.job is None:
            return ()
        return (self.job[1],) if self.parent is None else (self.job[1], self.parent)


#: The rows of a world by the name of their table.
ROW_TYPES: Mapping[str, type[Struct]] = {
    "account": Account,
    "api_key": Key,
    "counter": Counter,
    "delivery": Delivery,
    "document": Document,
    "effect": Effect,
    "entry": Entry,
    "event": Event,
    "hit": Hits,
    "journal": JournalRow,
    "key_use": KeyUse,
    "mark": Mark,
    "payment": Payment,
    "read": Reads,
    "replay": Replay,
    "resource": Resource,
    "snapshot": Snapshot,
    "world": WorldRow,
}

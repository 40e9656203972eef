"""What the store keeps, as the kernel sees it."""

from __future__ import annotations

from msgspec import Struct

from screentest.specs.json_types import Json

from .lifecycle import Script


class Account(Struct, frozen=True):
    """One customer of one provider. The four sums are a fold of its ledger entries."""

    id: str
    provider: str
    tier: str
    granted: int
    available: int
    held: int
    spent: int
    created_ms: int


class Key(Struct, frozen=True):
    """A credential. Only its SHA-256 is kept; *prefix* is what may be shown again."""

    digest: str
    world: str
    account: str
    provider: str
    id: str
    kind: str
    name: str
    prefix: str
    is_active: bool
    created_ms: int
    last_used_ms: int | None
    seq: int


class Resource(Struct):
    """Anything an account owns. With a *script* it is a job.

    *seq* orders resources of a world by creation. *doc* is what the provider's module keeps.
    """

    provider: str
    kind: str
    id: str
    account: str
    parent: str | None
    seq: int
    created_ms: int
    doc: dict[str, Json] = {}
    script: Script | None = None
    is_running_slot: bool = False

    def offset_ms(self, now_ms: int) -> int:
        """Milliseconds since this was made."""
        return now_ms - self.created_ms


class Effect(Struct, frozen=True):
    """Something that is due. *subject* is `provider/kind/id`; *step* says which step of it."""

    seq: int
    due_ms: int
    kind: str
    subject: str
    step: int
    label: str


class Entry(Struct, frozen=True):
    """One line of a ledger."""

    seq: int
    account: str
    at_ms: int
    kind: str
    amount: int
    job: str | None
    request: int | None


class Event(Struct, frozen=True):
    """Something that happened in a world."""

    seq: int
    at_ms: int
    type: str
    subject: str
    doc: Json

"""New keys for a snapshot whose keys belong to another world of the mock already.

A key belongs to one world, so a snapshot that is restored into several worlds needs keys for each.
They are minted like all others, from the world and its seed: the same restoration gives the same
keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.credentials import Credential

from ..kernel.rows import Key, KeyUse
from ..kernel.snapshots import Line
from ..store.working_set import WorkingSet
from .instant import Instant
from .keys import key_digest, raw_key


class NewKey(Struct, frozen=True):
    """A new key that replaces an active one, under the same name."""

    account: str
    provider: str
    kind: str
    name: str
    key: str


def are_taken(rows: WorkingSet, lines: Iterable[Line]) -> bool:
    """Whether a world other than that of *rows* has any of the keys in *lines*."""
    holders = (rows.holder(row.digest) for _, row in lines if isinstance(row, Key))
    return any(holder is not None and holder[0] != rows.id for holder in holders)


def renew_keys(
    lines: Iterable[Line], instant: Callable[[str], Instant]
) -> tuple[list[Line], list[NewKey]]:
    """*lines* with new keys, and the active ones of these, ordered by provider and age.

    *instant* gives the restored world as the provider with an id sees it.
    """
    renewed: dict[str, tuple[Key, str]] = {}
    for _, row in lines:
        if isinstance(row, Key):
            # Keys have the form of their provider, and clients check it.
            ctx = instant(row.provider)
            raw = raw_key(ctx, _credential(ctx.behaviour, row.kind), row.seq)
            renewed[row.digest] = replace(row, digest=key_digest(raw), prefix=raw[:12]), raw
    working = [(key, raw) for key, raw in renewed.values() if key.is_active]
    new_keys = [
        NewKey(key.account, key.provider, key.kind, key.name, raw)
        for key, raw in sorted(working, key=lambda it: (it[0].provider, it[0].seq))
    ]
    return [(table, _renewed(row, renewed)) for table, row in lines], new_keys


def _renewed(row: Struct, renewed: dict[str, tuple[Key, str]]) -> Struct:
    if isinstance(row, Key):
        return renewed[row.digest][0]
    if isinstance(row, KeyUse) and row.digest in renewed:
        return replace(row, digest=renewed[row.digest][0].digest)
    return row


def _credential(behaviour: Behaviour, kind: str) -> Credential:
    """The form of keys of this *kind*; the provider's first form if it has none of the kind."""
    known = [*behaviour.credentials.values()]
    return next((it for it in known if it.key_kind == kind), known[0])

"""The keys of a snapshot made anew, for a mock in which another world has them already.

A key leads to one world, so a snapshot that several worlds go on from needs keys for each. They are
minted like all others, from the world and its seed: the same restoration gives the same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from screentest.specs.behaviour import Behaviour, Credential

from ..store.sqlite import Store
from .instant import Instant
from .keys import key_digest, raw_key

#: (table, its values in the order of its columns, without the world's)
Line = tuple[str, Sequence[Any]]

_TABLE = "api_key"


class NewKey(Struct, frozen=True):
    """A key that still opens its account, under the name that its predecessor had."""

    account: str
    provider: str
    kind: str
    name: str
    key: str


def are_taken(store: Store, world: str, lines: Iterable[Line]) -> bool:
    """Whether a world other than *world* has any of the keys in *lines*."""
    owners = (store.key(row["digest"]) for row in _keys(store, lines))
    return any(key is not None and key.world != world for key in owners)


def renew_keys(
    store: Store, lines: Iterable[Line], instant: Callable[[str], Instant]
) -> tuple[list[Line], list[NewKey]]:
    """*lines* with all keys made anew, and those that still work, by provider and age.

    *instant* gives the world, as a provider's, in which they are to be.
    """
    renewed: list[Line] = []
    new_keys: list[tuple[int, NewKey]] = []
    for line in lines:
        for row in _keys(store, [line]):
            ctx = instant(row["provider"])
            raw = raw_key(ctx, _credential(ctx.behaviour, row["kind"]), row["seq"])
            row |= {"digest": key_digest(raw), "prefix": raw[:12]}
            line = (_TABLE, [*row.values()])
            if row["active"]:
                named = row["account"], row["provider"], row["kind"], row["name"]
                new_keys.append((row["seq"], NewKey(*named, raw)))
        renewed.append(line)
    # Rows are in the order of their digests.
    return renewed, [key for _, key in sorted(new_keys, key=lambda it: (it[1].provider, it[0]))]


def _keys(store: Store, lines: Iterable[Line]) -> Iterable[dict[str, Any]]:
    columns: Mapping[str, object] = store.tables_of_a_world()[_TABLE]
    return (dict(zip(columns, values, strict=True)) for table, values in lines if table == _TABLE)


def _credential(behaviour: Behaviour, kind: str) -> Credential:
    """What keys of this *kind* look like; one that only the provider hands out, like its first."""
    known = [*behaviour.credentials.values()]
    return next((it for it in known if it.key_kind == kind), known[0])

"""Dropping history: the oldest finished resources of a world, with their ledger entries.

A resource is dropped with all that is below it. What lives is never dropped: jobs that have not
ended, and what an open idempotency window or a signed URL may still ask for. The totals of an
account stay exact, because a dropped entry is added to the account's opening balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ..kernel.ledger import Movement
from ..kernel.rows import Entry, Resource

if TYPE_CHECKING:
    from .world_tables import WorldTables

#: Resources that a process keeps: about 2 GB.
KEEP_DEFAULT = 1_000_000
#: Resources that one creation looks at, and those that it drops at most.
_LOOKED_AT_MAX, _DROPPED_MAX = 64, 2
#: The newest resources of a world, which are never dropped.
_NEWEST = 16
#: Entries of calls without a job that are dropped with a resource.
_ENTRIES_MAX = 8
#: Ids of dropped resources that a process remembers of a world.
_IDS_MAX = 100_000

#: Ends the names of the counters of dropped resources.
_DROPPED = " dropped"
_SIGNS = {it.label: it.signs for it in Movement}


def make_room(rows: WorldTables, worlds: Mapping[str, WorldTables], keep: int, now_ms: int) -> None:
    """Drop some history of *rows* if the process has more than *keep* resources.

    A world that has less than its share of them loses nothing. *keep* 0 keeps all.
    """
    if not keep or rows.resources.count <= keep // max(1, len(worlds) - 1):
        return
    excess = sum(it.resources.count for it in worlds.values()) - keep
    dropped = 0
    for resource in rows.resources.next_oldest(_LOOKED_AT_MAX) if excess > 0 else ():
        if resource.parent is not None:
            continue
        family = [resource, *_descendants(rows, resource)]
        # So many signed URLs may be open that nothing could be dropped for a day.
        if all(_is_over(rows, it, now_ms, keeps_signed=excess <= keep) for it in family):
            for it in reversed(family):
                _drop(rows, it)
            dropped += len(family)
            if dropped >= min(excess, _DROPPED_MAX):
                break


def _descendants(rows: WorldTables, resource: Resource) -> Iterator[Resource]:
    for child in rows.resources.below(resource.id):
        yield child
        yield from _descendants(rows, child)


def _is_over(rows: WorldTables, resource: Resource, now_ms: int, *, keeps_signed: bool) -> bool:
    """Whether nothing needs *resource* any more but a look into the past."""
    # A call makes several resources, one after the other.
    if resource.seq > rows.resources.last_seq - _NEWEST:
        return False
    script = resource.script
    if script is not None:
        ends_ms = script.ends_ms
        if ends_ms is None or resource.created_ms + ends_ms > now_ms:
            return False
        if rows.effects.get(f"{resource.provider}/{resource.kind}/{resource.id}") is not None:
            return False
    if keeps_signed and rows.signed_until_ms(resource.id) > now_ms:
        return False
    entries = rows.entries.of_job(resource.account, resource.id)
    return not any(rows.replays.is_open(it.request, now_ms) for it in entries)


def _drop(rows: WorldTables, resource: Resource) -> None:
    account, id_ = resource.account, resource.id
    older = rows.entries.of(account, limit=_ENTRIES_MAX)
    alone = (it for it in older if it.job is None and it.at_ms <= resource.created_ms)
    _fold(rows, account, [*alone, *rows.entries.of_job(account, id_)])
    rows.resources.remove((resource.provider, resource.kind, id_))
    rows.count(_counter(resource.provider, resource.kind))
    rows.dropped_ids[resource.provider, resource.kind, id_] = None
    if len(rows.dropped_ids) > _IDS_MAX:
        del rows.dropped_ids[next(iter(rows.dropped_ids))]


def _fold(rows: WorldTables, account: str, entries: Iterable[Entry]) -> None:
    """Add *entries* to the opening balance of *account*, and remove them."""
    row = rows.accounts.rows[account]
    opening = row.opening
    for entry in entries:
        signs = _SIGNS[entry.kind]
        granted, available, held, spent = (
            sum_ + sign * entry.amount for sum_, sign in zip(opening, signs, strict=True)
        )
        opening = granted, available, held, spent
        rows.entries.remove(entry.seq)
    if opening != row.opening:
        rows.accounts.put(replace(row, opening=opening))


def dropped_count(rows: WorldTables) -> int:
    """How many resources of a world were dropped as history."""
    counters = rows.counters.rows
    return sum(it.value for name, it in counters.items() if name.endswith(_DROPPED))


def dropped_words(rows: WorldTables, provider: str, kind: str, id_: str) -> str:
    """What to say of an id that is not there; empty if it was never there."""
    if (provider, kind, id_) in rows.dropped_ids:
        return "an id whose resource was dropped as history"
    counter = rows.counters.rows.get(_counter(provider, kind))
    if counter is None:
        return ""
    return f"an id that is unknown or among the {counter.value} that were dropped as history"


def _counter(provider: str, kind: str) -> str:
    return f"{provider}/{kind}{_DROPPED}"

"""Loading many rows of a world at once, from a keeper or a snapshot into its tables."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from ..kernel.rows import ROW_TYPES
from .keeper import Changes, KeptRows
from .table import Table

Tables = Mapping[str, Table[Any, Any]]


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Any]:
    # Made on first use: all of them take a millisecond, and a world in memory needs none.
    return msgspec.json.Decoder(ROW_TYPES[name])


def fill(tables: Tables, rows: Iterable[KeptRows]) -> None:
    """Put *rows* of a keeper into *tables*, which are empty.

    Raises:
        ValueError: a row is damaged.
    """
    by_table: dict[str, list[Any]] = {}
    # Nothing of this is garbage, and the collector would look at all of it again and again.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        for name, docs in rows:
            by_table.setdefault(name, []).extend(map(_decoder(name).decode, docs))
        for name, found in by_table.items():
            table = tables[name]
            table.load(sorted(map(table.taken, found), key=table.order_of))
    finally:
        if was_enabled:
            # To the oldest objects at once: the next look would else be at all that was read.
            was_frozen = gc.get_freeze_count() > 0
            gc.freeze()
            if not was_frozen:
                gc.unfreeze()
            gc.enable()


def apply(kept: Tables, cleared: Tables, changes: Changes) -> None:
    """Apply the *changes* of other processes to *kept*; a reset first empties *cleared*."""
    if changes.is_cleared:
        for table in cleared.values():
            table.empty()
    for name, text in changes.removed:
        table = kept[name]
        key = table.key_from(text)
        if table.get(key) is not None:
            table.set(key, None)
    decoded = ((name, _decoder(name).decode(doc)) for name, _, doc in changes.written)
    for table, row in in_order(kept, decoded):
        table.set(table.key_of(row), row)


def in_order(
    tables: Tables, rows: Iterable[tuple[str, Any]]
) -> Iterator[tuple[Table[Any, Any], Any]]:
    """(table, row) of *rows*, those of each table in its order of loading."""
    by_table: dict[str, list[Any]] = {}
    for name, row in rows:
        by_table.setdefault(name, []).append(tables[name].taken(row))
    for name, taken in by_table.items():
        table = tables[name]
        for row in sorted(taken, key=table.order_of):
            yield table, row

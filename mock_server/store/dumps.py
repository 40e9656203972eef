"""All rows of one world at once: for snapshots, and for ending a world."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .transactions import Row, Transactions

#: Every table with rows of worlds; snapshots themselves are kept beside their world.
TABLES_OF_A_WORLD = (
    "counter",
    "account",
    "api_key",
    "entry",
    "resource",
    "effect",
    "event",
    "journal",
    "replay",
    "hit",
    "document",
)


def tables_of_a_world(transactions: Transactions) -> Mapping[str, Sequence[str]]:
    """Each table with its columns, without that of the world."""
    return {
        table: [
            name
            for (name,) in transactions.all("SELECT name FROM pragma_table_info(?)", (table,))
            if name != "world"
        ]
        for table in TABLES_OF_A_WORLD
    }


def dump_world(transactions: Transactions, world: str) -> Iterator[tuple[str, Sequence[str], Row]]:
    """(table, columns, row) of everything in *world*: tables by name, rows by their columns."""
    for table, columns in sorted(tables_of_a_world(transactions).items()):
        listed = ", ".join(columns)
        order = ", ".join(name for name in columns if name not in {"doc", "script", "body"})
        for row in transactions.all(
            f"SELECT {listed} FROM {table} WHERE world = ? ORDER BY {order}", (world,)
        ):
            yield table, columns, row


def load_world(
    transactions: Transactions, world: str, rows: Iterable[tuple[str, Sequence[Any]]]
) -> None:
    """Put (table, row) lines into *world*, which is empty."""
    statements = {
        table: f"INSERT INTO {table} (world, {', '.join(columns)})"
        f" VALUES ({', '.join('?' * (len(columns) + 1))})"
        for table, columns in tables_of_a_world(transactions).items()
    }
    for table, row in rows:
        transactions.write(statements[table], (world, *row))

"""All rows of one world at once: for snapshots, and for ending a world."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..kernel.errors import MockError
from ..kernel.snapshots import Column, Tables
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


def tables_of_a_world(transactions: Transactions) -> Tables:
    """Each table with its columns, without that of the world."""
    detail = 'SELECT name, type, "notnull" FROM pragma_table_info(?)'
    return {
        table: {
            name: Column(type_, may_be_empty=not is_required)
            for name, type_, is_required in transactions.all(detail, (table,))
            if name != "world"
        }
        for table in TABLES_OF_A_WORLD
    }


def dump_world(transactions: Transactions, world: str) -> Iterator[tuple[str, Iterable[str], Row]]:
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
    """Put (table, row) lines into *world*, which is empty.

    Raises:
        MockError: they break a rule of the tables, or bring keys that another world has.
    """
    statements = {
        table: f"INSERT INTO {table} (world, {', '.join(columns)})"
        f" VALUES ({', '.join('?' * (len(columns) + 1))})"
        for table, columns in tables_of_a_world(transactions).items()
    }
    for table, row in rows:
        try:
            transactions.write(statements[table], (world, *row))
        except sqlite3.IntegrityError as error:
            raise _refusal(transactions, table, row, str(error)) from None


def _refusal(transactions: Transactions, table: str, row: Sequence[Any], detail: str) -> MockError:
    if table == "api_key":
        digest = row[list(tables_of_a_world(transactions)[table]).index("digest")]
        owner = transactions.one("SELECT world FROM api_key WHERE digest = ?", (digest,))
        if owner is not None:
            return MockError(
                f"the snapshot's keys belong to world {owner[0]!r} of this mock; "
                "restore it there, or delete that world first",
                code="keys_in_use",
                status=409,
            )
    return MockError(
        f"the snapshot has a row of {table!r} that cannot be: {detail}", code="damaged_snapshot"
    )

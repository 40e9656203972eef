"""Numbers that only rise: of ids, lines and effects. Kept in memory, written once a transaction.

Accepting one job draws ten numbers or so; a statement for each would be half of its cost.
"""

from __future__ import annotations

from itertools import chain, islice

from .transactions import Transactions

#: Rows of one statement; SQLite takes 999 values in the oldest version that Python 3.11 runs on.
_ROWS_MAX = 100


class Counters:
    """The counters of all worlds."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._values: dict[tuple[str, str], int] = {}
        self._unwritten: set[tuple[str, str]] = set()

    def next(self, world: str, name: str) -> int:
        """The next number of *name* in *world*, from 1."""
        key = (world, name)
        value = self._values.get(key)
        if value is None:
            row = self._transactions.one(
                "SELECT value FROM counter WHERE world = ? AND name = ?", key
            )
            value = int(row[0]) if row is not None else 0
        if not self._unwritten:
            self._transactions.begin()
        self._values[key] = value + 1
        self._unwritten.add(key)
        return value + 1

    def write(self) -> None:
        """Write what has been drawn, before a commit, a savepoint or a look at the table."""
        rows = iter([(*key, self._values[key]) for key in sorted(self._unwritten)])
        self._unwritten.clear()
        while some := list(islice(rows, _ROWS_MAX)):
            # One statement: each step of SQLite lets another thread take the interpreter.
            places = ", ".join(["(?, ?, ?)"] * len(some))
            self._transactions.write(
                f"INSERT OR REPLACE INTO counter VALUES {places}", [*chain.from_iterable(some)]
            )

    def forget(self) -> None:
        """Nothing that was drawn since the last write has happened."""
        self._values.clear()
        self._unwritten.clear()

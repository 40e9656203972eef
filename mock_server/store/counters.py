"""Numbers that only rise: of ids, lines and effects. Kept in memory, written once a transaction.

Accepting one job draws ten numbers or so; a statement for each would be half of its cost.
"""

from __future__ import annotations

from .transactions import Transactions


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
        if self._unwritten:
            rows = [(*key, self._values[key]) for key in sorted(self._unwritten)]
            self._unwritten.clear()
            self._transactions.write_many("INSERT OR REPLACE INTO counter VALUES (?, ?, ?)", rows)

    def forget(self) -> None:
        """Nothing that was drawn since the last write has happened."""
        self._values.clear()
        self._unwritten.clear()

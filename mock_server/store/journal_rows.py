"""The journal's rows: a ring per world, written in batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from .transactions import Row, Transactions

Json = Any

#: Lines that a world keeps; the oldest go first.
JOURNAL_MAX = 10_000
# Lines wait in memory until there are so many, or somebody looks; lines of what was committed to a
# file are committed with it.
_BUFFERED_MAX = 200

_CONDITIONS = {
    "provider": "provider = ?",
    "operation": "operation = ?",
    "status": "status = ?",
    # Quotes inside texts are escaped in the line, so this finds findings and nothing else.
    "code": "INSTR(CAST(doc AS TEXT), '\"code\":\"' || ? || '\"') > 0",
}


class JournalRows:
    """The journal of all worlds."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._lines: list[Row] = []

    def forget(self, world: str) -> None:
        """Drop what is buffered of *world*."""
        self._lines = [line for line in self._lines if line[0] != world]

    def add(self, line: Row) -> bool:
        """Buffer *line*, the columns of the table in order. True when it is time to flush."""
        self._lines.append(line)
        is_committed = self._transactions.is_writing and self._transactions.is_kept
        return is_committed or len(self._lines) >= _BUFFERED_MAX

    def flush(self) -> None:
        """Write what was buffered."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        self._transactions.write_many(
            "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*line[:6], orjson.dumps(line[6])) for line in lines],
        )
        newest = {line[0]: line[1] for line in lines}
        for world, seq in newest.items():
            self._transactions.write(
                "DELETE FROM journal WHERE world = ? AND seq <= ?", (world, seq - JOURNAL_MAX)
            )

    def lines(
        self, world: str, after: int, limit: int, filters: Mapping[str, str | int]
    ) -> list[tuple[int, Json]]:
        """(number, line) after number *after*, oldest first."""
        where = "".join(f" AND {_CONDITIONS[name]}" for name in filters)
        rows = self._transactions.all(
            f"SELECT seq, doc FROM journal WHERE world = ? AND seq > ?{where} ORDER BY seq LIMIT ?",
            [world, after, *filters.values(), limit],
        )
        return [(seq, orjson.loads(doc)) for seq, doc in rows]

    def line(self, world: str, seq: int) -> Json | None:
        """The line of request number *seq*; None when there is none, or it is too old."""
        row = self._transactions.one(
            "SELECT doc FROM journal WHERE world = ? AND seq = ?", (world, seq)
        )
        return orjson.loads(row[0]) if row else None

    def last_seq(self, world: str) -> int:
        """The number of the newest line; 0 before the first."""
        row = self._transactions.one("SELECT MAX(seq) FROM journal WHERE world = ?", (world,))
        return int(row[0] or 0) if row else 0

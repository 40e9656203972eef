"""The journal's rows: a ring per world, written in batches.

In memory, lines are written when somebody looks; those that have fallen out of the ring by then
never are. A file gets them with the commit of what they tell of.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

import orjson

from screentest.specs.json_types import Json

from .transactions import Transactions

#: Lines that a world keeps; the oldest go first.
JOURNAL_MAX = 10_000
#: Lines of all worlds that wait to be written; beside a file, where they are lost with the process.
_WAITING_MAX = 12_000
_WAITING_BESIDE_FILE_MAX = 200

#: (number, instant, provider, operation, status) of a request.
Head = tuple[int, int, str, str, int]
#: A line as it is stored, or how to make it.
Document = bytes | Callable[[], bytes]

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
        self._waiting: dict[str, deque[tuple[Head, Document]]] = {}
        self._waiting_max = _WAITING_BESIDE_FILE_MAX if transactions.is_kept else _WAITING_MAX

    def forget(self, world: str) -> None:
        """Drop what waits of *world*."""
        self._waiting.pop(world, None)

    def add(self, world: str, head: Head, document: Document) -> bool:
        """Keep a line. True when it is time to flush."""
        lines = self._waiting.get(world)
        if lines is None:
            lines = self._waiting[world] = deque(maxlen=JOURNAL_MAX)
        lines.append((head, document))
        if self._transactions.is_writing and self._transactions.is_kept:
            return True
        return sum(map(len, self._waiting.values())) >= self._waiting_max

    def flush(self) -> None:
        """Write what waits."""
        waiting, self._waiting = self._waiting, {}
        for world, lines in waiting.items():
            self._transactions.write_many(
                "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (world, *head, document if isinstance(document, bytes) else document())
                    for head, document in lines
                ],
            )
            oldest = lines[-1][0][0] - JOURNAL_MAX
            self._transactions.write(
                "DELETE FROM journal WHERE world = ? AND seq <= ?", (world, oldest)
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

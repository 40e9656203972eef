"""What is due in a world: by subject, and as one heap for each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from ..kernel.rows import Effect
from .table import Log, Table

#: Entries of a heap whose effects are gone are dropped as soon as they outnumber the others.
_GONE_MIN = 64

_Due = tuple[int, int, str]


class Effects(Table[str, Effect]):
    """The effects of one world. A subject has one at a time: the next step or the next attempt."""

    name = "effect"

    def __init__(self, log: Log) -> None:
        super().__init__(log)
        self.watch: Callable[[int], None] | None = None

    def empty(self) -> None:
        super().empty()
        self._heaps: dict[str, list[_Due]] = {}

    def key_of(self, row: Effect) -> str:
        return row.subject

    def order_of(self, row: Effect) -> int:
        return row.seq

    def load(self, rows: Iterable[Effect]) -> None:
        for row in rows:
            self.rows[row.subject] = row
            self._heaps.setdefault(row.kind, []).append((row.due_ms, row.seq, row.subject))
        for heap in self._heaps.values():
            heapify(heap)

    def put(self, row: Effect) -> None:
        """Make *row* due, and tell the watcher when."""
        assert row.subject not in self.rows, f"{row.subject} has an effect already"
        super().put(row)
        if self.watch is not None:
            self.watch(row.due_ms)

    def index(self, before: Effect | None, row: Effect | None) -> None:
        # What was removed stays in its heap until it comes to the top: see `_first`.
        if row is not None:
            heap = self._heaps.setdefault(row.kind, [])
            heappush(heap, (row.due_ms, row.seq, row.subject))
            if len(heap) > 2 * len(self.rows) + _GONE_MIN:
                heap[:] = {due for due in heap if self._live(row.kind, due) is not None}
                heapify(heap)

    def _live(self, kind: str, due: _Due) -> Effect | None:
        # All of it is compared: after an undone transaction another effect may have its number.
        row = self.rows.get(due[2])
        if row is None or row.seq != due[1] or row.due_ms != due[0] or row.kind != kind:
            return None
        return row

    def next(self, kind: str | None = None) -> Effect | None:
        """The effect that is due first, of one *kind* when given."""
        first: tuple[_Due, Effect] | None = None
        for name, heap in self._heaps.items():
            while heap and (kind is None or kind == name):
                row = self._live(name, heap[0])
                if row is not None:
                    if first is None or heap[0] < first[0]:
                        first = heap[0], row
                    break
                heappop(heap)
        return first[1] if first is not None else None

    def take(self, until_ms: int) -> Effect | None:
        """Remove the effect that is due first, and return it; None if none is due by *until_ms*."""
        row = self.next()
        if row is None or row.due_ms > until_ms:
            return None
        self._change(row.subject, row, None)
        return row

    def count(self, kind: str) -> int:
        """The number of pending effects of a *kind*."""
        return sum(1 for due in self._heaps.get(kind, ()) if self._live(kind, due) is not None)

    def __len__(self) -> int:
        return len(self.rows)

"""What findings remember of a client's latest calls: marks, paid calls, and reads of paid jobs.

All are soft rows, bounded, and no part of a snapshot.
"""

from __future__ import annotations

from ..kernel.rows import Mark, Payment, Reads
from .table import Log, Ordered, Table

#: More jobs than a client polls at once; a thousand marks take less than a megabyte.
MARKS_MAX = 1_000
#: More than a test pays for; two thousand paid calls take less than two megabytes.
PAYMENTS_MAX = 2_000
#: Begins the names of marks about a Retry-After.
WAIT = "wait "


class Marks(Table[str, Mark]):
    """The newest `MARKS_MAX` marks, the one that was set first at the beginning."""

    name = "mark"
    is_soft = True

    def empty(self) -> None:
        super().empty()
        #: How many marks are about a Retry-After.
        self.waits = 0

    def key_of(self, row: Mark) -> str:
        return row.name

    def order_of(self, row: Mark) -> int:
        return row.seq

    def _place(self, key: str, before: Mark | None, row: Mark | None) -> None:
        # Removed first, so that a mark in use moves to the end and is forgotten last.
        self.rows.pop(key, None)
        if row is not None:
            self.rows[key] = row
        if key.startswith(WAIT):
            self.waits += (row is not None) - (before is not None)

    def value(self, name: str) -> tuple[int | str, ...] | None:
        """The value under *name*, or None."""
        row = self.rows.get(name)
        return row.value if row is not None else None

    def note(self, name: str, seq: int, *value: int | str) -> None:
        """Store *value* under *name* for the call number *seq*."""
        self.put(Mark(name, seq, value))
        if len(self.rows) > MARKS_MAX:
            self.remove(next(iter(self.rows)))


class PaymentReads(Table[str, Reads]):
    """How clients asked for the resources of paid jobs."""

    name = "read"
    is_soft = True

    def key_of(self, row: Reads) -> str:
        return row.what


class Payments(Table[int, Payment]):
    """The newest `PAYMENTS_MAX` paid calls, and when a client looked at their jobs."""

    name = "payment"
    is_soft = True
    is_numbered = True

    def __init__(self, log: Log, reads: PaymentReads) -> None:
        self._reads = reads
        super().__init__(log)

    def empty(self) -> None:
        super().empty()
        self._of_content: Ordered[Payment] = Ordered()

    def key_of(self, row: Payment) -> int:
        return row.seq

    def index(self, before: Payment | None, row: Payment | None) -> None:
        known = row or before
        assert known is not None
        self._of_content.change(known.content, before, row)

    @property
    def has_any(self) -> bool:
        """Whether any paid call is kept."""
        return bool(self.rows)

    def newest(self, content: str) -> Payment | None:
        """The latest payment with *content*."""
        same = self._of_content.page(content, newest_first=True, limit=1)
        return same[0] if same else None

    def add(self, payment: Payment) -> None:
        """Keep *payment*; the oldest goes when there are too many."""
        self.put(payment)
        for id_ in payment.watched:
            if self._reads.get(id_) is None:
                self._reads.put(Reads(id_))
        if len(self.rows) > PAYMENTS_MAX:
            oldest = self.rows[next(iter(self.rows))]
            self.remove(oldest.seq)
            for id_ in oldest.watched:
                self._reads.remove(id_)

    def note_read(self, id_: str, now_ms: int) -> None:
        """Note that a client was shown the resource *id_*; only those of paid jobs are kept."""
        reads = self._reads.get(id_)
        if reads is not None:
            pause_ms = now_ms - reads.last_ms if reads.times else 0
            longest_ms = max(pause_ms, reads.longest_ms)
            self._reads.put(Reads(id_, reads.times + 1, now_ms, longest_ms))

    def note_list_read(self, provider: str, account: str, now_ms: int) -> None:
        """Note that a client was shown the resources of *account*."""
        self._reads.put(Reads(f"{provider}/{account}", 1, now_ms))

    def reads(self, payment: Payment) -> Reads:
        """How a client asked for the job of *payment*, by itself, by its parent or in a list."""
        names = *payment.watched, f"{payment.provider}/{payment.account}"
        found = [self._reads.get(it) for it in names]
        seen = [it for it in found if it is not None and it.times and it.last_ms >= payment.at_ms]
        return Reads(
            "",
            sum(it.times for it in seen),
            max((it.last_ms for it in seen), default=0),
            max((it.longest_ms for it in seen), default=0),
        )

"""Tables with few queries: counters, stored answers, counted calls, deliveries, snapshots."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.json_types import Json

from ..kernel.rows import Counter, Document, Hits, Replay, Snapshot
from ..kernel.webhooks import Delivery
from .table import Ordered, Table


class Counters(Table[str, Counter]):
    """Numbers that only rise: of ids, entries and effects."""

    name = "counter"

    def key_of(self, row: Counter) -> str:
        return row.name

    def next(self, name: str) -> int:
        """The next number of *name*, from 1."""
        log, rows = self._log, self.rows
        assert log.is_open, "writes belong into a transaction"
        last = rows.get(name)
        value = last.value + 1 if last is not None else 1
        # As `_change` does, which looks the row up twice more: every write draws a number.
        log.changes.append((self, name, last))
        rows[name] = Counter(name, value)
        return value


class Replays(Table[tuple[str, str, str], Replay]):
    """Stored answers by (account, operation, idempotency key)."""

    name = "replay"
    key_parts = 3

    def empty(self) -> None:
        super().empty()
        self._of_request: dict[int, Replay] = {}

    def index(self, before: Replay | None, row: Replay | None) -> None:
        if before is not None:
            self._of_request.pop(before.request, None)
        if row is not None:
            self._of_request[row.request] = row

    def is_open(self, request: int | None, now_ms: int) -> bool:
        """Whether the answer to that request may still be asked for with its key."""
        replay = self._of_request.get(request) if request is not None else None
        return replay is not None and replay.expires_ms > now_ms

    def key_of(self, row: Replay) -> tuple[str, str, str]:
        return row.account, row.operation, row.key


class RateHits(Table[str, Hits]):
    """The calls that each rate window counts."""

    name = "hit"

    def key_of(self, row: Hits) -> str:
        return row.bucket

    def since(self, bucket: str, since_ms: int) -> list[int]:
        """Instants of the accepted calls after *since_ms*, oldest first."""
        hits = self.rows.get(bucket)
        return [at_ms for at_ms in hits.at_ms if at_ms > since_ms] if hits is not None else []

    def add(self, bucket: str, at_ms: int, forget_ms: int) -> None:
        """Count a call, and forget those up to *forget_ms*."""
        self.put(Hits(bucket, (*self.since(bucket, forget_ms), at_ms)))


class Documents(Table[tuple[str, str], Document]):
    """Faults and endpoints, by kind and id. Callers must not change the docs."""

    name = "document"
    key_parts = 2

    def empty(self) -> None:
        super().empty()
        self._of_kind: Ordered[Document] = Ordered()

    def key_of(self, row: Document) -> tuple[str, str]:
        return row.kind, row.id

    def index(self, before: Document | None, row: Document | None) -> None:
        known = row or before
        assert known is not None
        self._of_kind.change(known.kind, before, row)

    def of(
        self, kind: str, *, after_seq: int | None = None, limit: int | None = None
    ) -> list[Json]:
        """Documents of a *kind* in the order of their numbers."""
        # Each call looks for faults, and most worlds have none.
        if not self.rows:
            return []
        return [it.doc for it in self._of_kind.page(kind, after_seq=after_seq, limit=limit)]

    def find(self, kind: str, id_: str) -> Mapping[str, Json] | None:
        """The document of a *kind* called *id_*."""
        row = self.rows.get((kind, id_))
        return row.doc if row is not None else None

    def save(self, kind: str, id_: str, seq: int, doc: Json) -> None:
        """Store *doc*. *seq* orders it among its kind; a document that exists keeps its number."""
        before = self.rows.get((kind, id_))
        self.put(Document(kind, id_, before.seq if before is not None else seq, doc))


class Deliveries(Table[str, Delivery]):
    """The webhook deliveries of one world, with an index of those in flight."""

    name = "delivery"

    def empty(self) -> None:
        super().empty()
        self._all: Ordered[Delivery] = Ordered()
        self._claimed: dict[str, Delivery] = {}

    def key_of(self, row: Delivery) -> str:
        return row.id

    def order_of(self, row: Delivery) -> int:
        return row.seq

    def index(self, before: Delivery | None, row: Delivery | None) -> None:
        known = row or before
        assert known is not None
        self._all.change(None, before, row)
        if row is not None and row.ticket is not None:
            self._claimed[row.id] = row
        else:
            self._claimed.pop(known.id, None)

    def page(self, *, after_seq: int = 0, limit: int | None = None) -> list[Delivery]:
        """Up to *limit* deliveries after number *after_seq*, oldest first."""
        return self._all.page(None, after_seq=after_seq, limit=limit)

    def newest(self, *, before_seq: int | None = None, limit: int | None = None) -> list[Delivery]:
        """Up to *limit* deliveries before number *before_seq*, newest first."""
        return self._all.page(None, before_seq=before_seq, newest_first=True, limit=limit)

    def claimed(self) -> list[Delivery]:
        """The deliveries that are in flight."""
        return [*self._claimed.values()]

    def trim(self, up_to_seq: int) -> None:
        """Remove the deliveries up to number *up_to_seq*."""
        for row in self._all.page(None, before_seq=up_to_seq + 1):
            self.remove(row.id)


class Snapshots(Table[str, Snapshot]):
    """The snapshots of one world. A reset and a restore keep them."""

    name = "snapshot"

    def key_of(self, row: Snapshot) -> str:
        return row.name

    def by_name(self) -> list[Snapshot]:
        return sorted(self.rows.values(), key=self.key_of)

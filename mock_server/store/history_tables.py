"""What has happened in a world: events, and the journal of its requests. Both are rings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any

import orjson
from msgspec import Raw, Struct
from msgspec.structs import replace

from screentest.specs.json_types import Json

from ..kernel.rows import Event, JournalRow
from .table import Log, Table

EVENTS_MAX = 50_000
#: Lines that a world keeps; the oldest go first.
JOURNAL_MAX = 10_000
#: Lines of all worlds that are not serialized yet: each keeps a request and its answer alive.
PLAIN_MAX = 12_000
_LOOKED_AFTER_EVERY = 256


class Events(Table[int, Event]):
    """The newest events of one world."""

    name = "event"
    is_numbered = True

    def empty(self) -> None:
        super().empty()
        self.last_seq = 0

    def key_of(self, row: Event) -> int:
        return row.seq

    def index(self, before: Event | None, row: Event | None) -> None:
        if row is not None:
            self.last_seq = max(self.last_seq, row.seq)
        elif before is not None and before.seq == self.last_seq:
            self.last_seq -= 1

    def put(self, row: Event) -> None:
        """Add *row*; the oldest event goes when the ring is full."""
        super().put(row)
        if row.seq > EVENTS_MAX:
            self.remove(row.seq - EVENTS_MAX)

    def page(self, *, since: int, limit: int, type_: str | None = None) -> list[Event]:
        """Up to *limit* events after number *since*, oldest first."""
        found: list[Event] = []
        for seq in range(max(since, self.last_seq - EVENTS_MAX) + 1, self.last_seq + 1):
            row = self.rows.get(seq)
            if row is not None and (type_ is None or row.type == type_):
                if len(found) == limit:
                    break
                found.append(row)
        return found


class Line(Struct, frozen=True, gc=False):
    """A journal line in memory: *doc* is the line as JSON, or a function that serializes it."""

    seq: int
    at_ms: int
    provider: str
    operation: str
    status: int
    doc: bytes | Callable[[], bytes]


class Journal(Table[int, Line]):
    """The newest journal lines of one world.

    A plain line is serialized when it is read: most lines of a load test leave the ring unread.
    """

    name = "journal"
    is_soft = True
    is_numbered = True

    def __init__(self, log: Log, worlds: Sized) -> None:
        """*worlds* share the room for lines not serialized yet; one of them has no requests."""
        self._worlds = worlds
        super().__init__(log)

    def empty(self) -> None:
        super().empty()
        self.last_seq = 0

    def key_of(self, row: Line) -> int:
        return row.seq

    def index(self, before: Line | None, row: Line | None) -> None:
        if row is not None:
            self.last_seq = max(self.last_seq, row.seq)
        elif before is not None and before.seq == self.last_seq:
            self.last_seq = max(self.rows, default=0)

    def add(self, line: Line) -> None:
        """Add *line*; the oldest line goes when the ring is full."""
        log, rows, seq = self._log, self.rows, line.seq
        assert log.is_open, "writes belong into a transaction"
        # As `put` and `remove` do it, for the one write of every poll.
        log.changes.append((self, seq, rows.get(seq)))
        rows[seq] = line
        self.last_seq = max(self.last_seq, seq)
        oldest = rows.pop(seq - JOURNAL_MAX, None)
        if oldest is not None:
            log.changes.append((self, oldest.seq, oldest))
        if line.seq % _LOOKED_AFTER_EVERY == 0:
            self._put_into_words(line.seq - PLAIN_MAX // max(1, len(self._worlds) - 1))

    def _put_into_words(self, up_to_seq: int) -> None:
        for seq in range(up_to_seq, max(0, self.last_seq - JOURNAL_MAX), -1):
            line = self.rows.get(seq)
            if line is None or isinstance(line.doc, bytes):
                return
            self._text(line)

    def kept(self, row: Line) -> Struct:
        doc = Raw(self._text(row))
        return JournalRow(row.seq, row.at_ms, row.provider, row.operation, row.status, doc)

    def taken(self, row: Any) -> Line:
        head = row.seq, row.at_ms, row.provider, row.operation, row.status
        return Line(*head, bytes(row.doc))

    def page(
        self, *, after: int, limit: int, filters: Mapping[str, str | int]
    ) -> list[tuple[int, Json]]:
        """(number, line) of up to *limit* lines after number *after*, oldest first.

        *filters* compare `provider`, `operation`, `status`, and the beginning of the `code` of any
        finding.
        """
        found: list[tuple[int, Json]] = []
        for seq, text in self._matching(after, filters):
            if len(found) == limit:
                break
            found.append((seq, orjson.loads(text)))
        return found

    def newest(
        self,
        *,
        before: int | None,
        limit: int,
        fits: Callable[[Line], bool],
        containing: Sequence[bytes] = (),
    ) -> list[tuple[int, Json]]:
        """(number, line) of up to *limit* lines before number *before*, newest first.

        *fits* sees each line without its text; the text has each of *containing*.
        """
        found: list[tuple[int, Json]] = []
        last = self.last_seq if before is None else min(self.last_seq, before - 1)
        for seq in range(last, max(0, self.last_seq - JOURNAL_MAX), -1):
            if len(found) == limit:
                break
            line = self.rows.get(seq)
            if line is None or not fits(line):
                continue
            text = self._text(line)
            if all(it in text for it in containing):
                found.append((seq, orjson.loads(text)))
        return found

    def line(self, seq: int) -> Json | None:
        """The line of request number *seq*; None when there is none, or it has left the ring."""
        line = self.rows.get(seq)
        return orjson.loads(self._text(line)) if line is not None else None

    def _matching(
        self, after: int, filters: Mapping[str, str | int]
    ) -> Iterator[tuple[int, bytes]]:
        columns = {name: value for name, value in filters.items() if name != "code"}
        # Quotes inside texts are escaped in the line, so this finds findings and nothing else.
        code = f'"code":"{filters["code"]}'.encode() if "code" in filters else b""
        for seq in range(max(after, self.last_seq - JOURNAL_MAX) + 1, self.last_seq + 1):
            line = self.rows.get(seq)
            if line is None or any(getattr(line, it) != columns[it] for it in columns):
                continue
            text = self._text(line)
            if code in text:
                yield seq, text

    def _text(self, line: Line) -> bytes:
        """*line* as JSON. Its content stays the same, so it is replaced without a log entry."""
        if isinstance(line.doc, bytes):
            return line.doc
        text = line.doc()
        if self.rows.get(line.seq) is line:
            self.rows[line.seq] = replace(line, doc=text)
        return text

"""A table in memory: rows by key, the indexes of its queries, and a log that undoes changes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Hashable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

Key = TypeVar("Key", bound=Hashable)
Row = TypeVar("Row", bound=Struct)

#: The key of a log entry about all rows of a table at once.
ALL = object()


class Numbered(Protocol):
    """A row with a number that orders it."""

    @property
    def seq(self) -> int: ...


Item = TypeVar("Item")
NumberedRow = TypeVar("NumberedRow", bound=Numbered)
_SEQ: Callable[[Numbered], int] = attrgetter("seq")
#: Moving the rows of a shorter group costs nothing worth a hole.
_LONG = 1_024


class Log:
    """What a transaction has changed: (table, key, the row before), in order.

    Undoing walks back, so a savepoint is a position. Nothing may be written while it is closed.
    """

    def __init__(self) -> None:
        self.changes: list[tuple[Table[Any, Any], Any, Any]] = []
        self.is_open = False

    def undo(self, position: int = 0) -> None:
        """Put back every row that was changed since *position*."""
        while len(self.changes) > position:
            table, key, before = self.changes.pop()
            if key is ALL:
                table.fill(before)
            else:
                table.set(key, before)


class Table(Generic[Key, Row]):
    """The rows of one kind in one world.

    *is_soft* rows are history and change no answer: they reach the keeper with the next change set,
    or after some time. A key is a number where the table *is_numbered*, else a text, or *key_parts*
    texts of which only the last may contain slashes.
    """

    name: str
    is_soft = False
    is_numbered = False
    key_parts = 1

    def __init__(self, log: Log) -> None:
        self._log = log
        self.rows: dict[Key, Row] = {}
        self.empty()

    # What a subclass says of its rows

    def key_of(self, row: Row) -> Key:
        """The key of *row*."""
        raise NotImplementedError

    def key_from(self, text: str) -> Key:
        """The key that a keeper has as *text*."""
        key: Any = text
        if self.key_parts > 1:
            key = tuple(text.split("/", self.key_parts - 1))
        elif self.is_numbered:
            key = int(text)
        found: Key = key
        return found

    def empty(self) -> None:
        """Begin with no rows, in new containers."""
        self.rows = {}

    def index(self, before: Row | None, row: Row | None) -> None:
        """Keep the indexes in step with a row that was set."""

    def order_of(self, row: Row) -> Any:
        """The sort key of *row* when many rows are loaded."""
        return self.key_of(row)

    def kept(self, row: Row) -> Struct:
        """*row* as a keeper and a snapshot keep it."""
        return row

    def taken(self, row: Any) -> Row:
        """The row in memory for *row* as a keeper or a snapshot gives it."""
        found: Row = row
        return found

    # Reading and writing

    def get(self, key: Key) -> Row | None:
        return self.rows.get(key)

    def all(self) -> Iterable[Row]:
        return self.rows.values()

    def put(self, row: Row) -> None:
        """Add *row*, or replace the one with its key."""
        key = self.key_of(row)
        self._change(key, self.get(key), row)

    def remove(self, key: Key) -> bool:
        """False if there is no such row."""
        before = self.get(key)
        if before is None:
            return False
        self._change(key, before, None)
        return True

    def _change(self, key: Key, before: Row | None, row: Row | None) -> None:
        log = self._log
        assert log.is_open, "writes belong into a transaction"
        log.changes.append((self, key, before))
        self._place(key, before, row)

    def set(self, key: Key, row: Row | None) -> None:
        """Put *row* in place without a log entry: for undoing and loading alone."""
        self._place(key, self.get(key), row)

    def _place(self, key: Key, before: Row | None, row: Row | None) -> None:
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row
        self.index(before, row)

    def load(self, rows: Iterable[Row]) -> None:
        """Put *rows*, in their order, into this table, which is empty; without a log entry."""
        for row in rows:
            self.set(self.key_of(row), row)

    def clear(self) -> None:
        """Remove all rows; undone in one step."""
        self._log.changes.append((self, ALL, self.__dict__.copy()))
        self.empty()

    def fill(self, contents: dict[str, Any]) -> None:
        """Undo a `clear`."""
        self.__dict__.update(contents)


def grouped(rows: Iterable[Item], group_of: Callable[[Item], Hashable]) -> dict[Any, list[Item]]:
    """The *rows*, in their order, by what *group_of* gives for them."""
    groups: dict[Hashable, list[Item]] = {}
    for row in rows:
        group = group_of(row)
        if group in groups:
            groups[group].append(row)
        else:
            groups[group] = [row]
    return groups


class Ordered(Generic[NumberedRow]):
    """Rows in groups, in the order of their numbers."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, list[NumberedRow]] = {}
        # History is dropped from the beginning. There, a hole costs less than moving all others.
        self._starts: dict[Hashable, int] = {}

    def load(
        self, rows: Iterable[NumberedRow], group_of: Callable[[NumberedRow], Hashable]
    ) -> None:
        """Add *rows* in the groups that *group_of* names, which are empty."""
        self._groups.update(grouped(rows, group_of))

    def fill(self, group: Hashable, rows: list[NumberedRow]) -> None:
        """Make *rows*, in their order, the whole of *group*."""
        if rows:
            self._groups[group] = rows

    def change(self, group: Hashable, before: NumberedRow | None, row: NumberedRow | None) -> None:
        """Replace *before* by *row* in *group*; None is a row that is not there."""
        rows = self._groups.get(group)
        if rows is None:
            # Nearly every group of children stays this short, and takes no room for more.
            if row is not None:
                self._groups[group] = [row]
            return
        if before is not None:
            start = self._starts.get(group, 0)
            at = _place_of(before, rows, start)
            if row is not None and row.seq == before.seq:
                rows[at] = row
                return
            self._delete(group, rows, start, at)
        if row is None:
            if self.count(group) == 0:
                del self._groups[group]
                self._starts.pop(group, None)
        elif not rows or rows[-1].seq < row.seq:
            rows.append(row)
        else:
            insort(rows, row, self._starts.get(group, 0), key=_SEQ)

    def _delete(self, group: Hashable, rows: list[NumberedRow], start: int, at: int) -> None:
        if len(rows) < _LONG or at - start > len(rows) - at:
            del rows[at]
            return
        rows[start + 1 : at + 1] = rows[start:at]
        start += 1
        if 2 * start > len(rows):
            del rows[:start]
            start = 0
        self._starts[group] = start

    def count(self, group: Hashable) -> int:
        """How many rows are in *group*."""
        return len(self._groups.get(group, ())) - self._starts.get(group, 0)

    def of(self, group: Hashable) -> Sequence[NumberedRow]:
        """The rows of *group*, oldest first; not to be changed."""
        rows, start = self._groups.get(group, ()), self._starts.get(group, 0)
        return rows[start:] if start else rows

    def page(
        self,
        group: Hashable,
        *,
        after_seq: int | None = None,
        before_seq: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> list[NumberedRow]:
        """Up to *limit* rows of *group* with numbers between the two given."""
        rows, low = self._groups.get(group, []), self._starts.get(group, 0)
        high = len(rows)
        if before_seq is not None:
            high = bisect_left(rows, before_seq, low, key=_SEQ)
        if after_seq is not None:
            low = bisect_right(rows, after_seq, low, key=_SEQ)
        count = high - low if limit is None else min(limit, high - low)
        if newest_first:
            return list(reversed(rows[high - max(0, count) : high]))
        return list(rows[low : low + max(0, count)])


def _place_of(row: NumberedRow, rows: Sequence[NumberedRow], start: int) -> int:
    """The index of *row* in *rows*, whose numbers rise from *start* on."""
    last = len(rows) - 1
    if rows[last] is row:
        return last
    # Most numbers are spread evenly, and a search would look at many rows to find the place.
    low, high = rows[start].seq, rows[last].seq
    at = start + (row.seq - low) * (last - start) // max(1, high - low)
    return at if rows[at] is row else bisect_left(rows, row.seq, start, key=_SEQ)

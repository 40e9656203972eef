"""The state of one world: its tables in memory, its lock, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, MutableMapping, Sized
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from msgspec import Struct

from screentest.specs.contracts.redaction import Redactor

from ..kernel.errors import MockError
from ..kernel.rows import WorldRow
from .account_tables import Accounts, Entries, Keys, KeyUses
from .effect_table import Effects
from .history_tables import Events, Journal
from .keeper import ChangeSet, Keeper, KeeperError, changes_since, key_text
from .resource_table import Resources
from .small_tables import Counters, Documents, RateHits, Replays, Snapshots
from .table import Log, Table

#: Soft rows that wait for the next change set; beside a file they are lost when it is killed.
_WAITING_MAX = 200
#: How long a long advance waits for another call to come in, if one waits.
_TURN_S_MAX = 0.01


class NotKeptError(MockError):
    """The keeper failed, and everything is as it was before the call."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"this call could not be kept, so it has changed nothing: {reason}; try again",
            code="not_kept",
            status=503,
        )


class Worlds(Table[str, WorldRow]):
    """The world's own row."""

    name = "world"

    def key_of(self, row: WorldRow) -> str:
        return row.id


class WorkingSet:
    """Everything of one world. Tables are written inside a `transaction`, and read there."""

    def __init__(
        self,
        world_id: str,
        keeper: Keeper,
        holders: MutableMapping[str, WorkingSet],
        redactor: Redactor,
        worlds: Sized = (),
    ) -> None:
        """An empty world, one of *worlds*.

        *holders* leads from the digests of all keys to their worlds. *redactor* removes credentials
        from what is kept.
        """
        self.id = world_id
        self.redactor = redactor
        self.version = 0
        self._keeper = keeper
        self._holders = holders
        self.lock = threading.RLock()
        self._depth = 0
        # Threads that wait for the lock. A list, because adding to a number takes two steps.
        self._queue: list[None] = []
        self._was_taken = threading.Event()
        self._promised: list[Callable[[], None]] = []
        self._waiting: dict[tuple[str, Any], tuple[Table[Any, Any], Any]] = {}
        self._log = log = Log()
        self._world = Worlds(log)
        self.accounts = Accounts(log)
        self.keys = Keys(log, holders, self)
        self.key_uses = KeyUses(log)
        self.entries = Entries(log)
        self.resources = Resources(log, redactor)
        self.effects = Effects(log)
        self.events = Events(log)
        self.journal = Journal(log, worlds)
        self.replays = Replays(log)
        self.hits = RateHits(log)
        self.documents = Documents(log)
        self.counters = Counters(log)
        self.snapshots = Snapshots(log)
        self.count = self.counters.next
        #: The tables of a snapshot, and those that are kept beside it.
        self.tables: dict[str, Table[Any, Any]] = {
            it.name: it
            for it in (
                self.accounts,
                self.keys,
                self.key_uses,
                self.counters,
                self.documents,
                self.effects,
                self.entries,
                self.events,
                self.hits,
                self.journal,
                self.replays,
                self.resources,
            )
        }
        self.kept = {**self.tables, "world": self._world, "snapshot": self.snapshots}

    # The world's own row

    @property
    def world(self) -> WorldRow:
        return self._world.rows[self.id]

    @property
    def has_begun(self) -> bool:
        """Whether the world has its own row yet."""
        return self.id in self._world.rows

    def holder(self, digest: str) -> WorkingSet | None:
        """The world, of all worlds, that has the key with *digest*."""
        return self._holders.get(digest)

    def save_world(self, row: WorldRow) -> None:
        self._world.put(row)

    # Transactions

    def transaction(self) -> WorkingSet:
        """One unit of work: `with` keeps its changes, or undoes them when an exception passes.

        Raises:
            NotKeptError: on leaving, when the keeper failed; everything is undone.
        """
        return self

    def __enter__(self) -> WorkingSet:
        if not self.lock.acquire(blocking=False):
            self._queue.append(None)
            self.lock.acquire()
            self._queue.pop()
            self._was_taken.set()
        self._depth += 1
        self._log.is_open = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        promised: list[Callable[[], None]] = []
        try:
            if self._depth == 1:
                promised, self._promised = self._promised, []
                if kind is not None:
                    promised = []
                    self._log.undo()
                elif self._log.changes:
                    self._keep()
        except BaseException:
            self._log.undo()
            raise
        finally:
            self._depth -= 1
            self._log.is_open = self._depth > 0
            self.lock.release()
        for act in promised:
            act()

    def _keep(self) -> None:
        """Hand what has changed to the keeper."""
        log = self._log
        changed, is_cleared = changes_since(log.changes)
        if is_cleared:
            self._waiting.clear()
        is_hard = is_cleared or any(not table.is_soft for table, _ in changed.values())
        waiting = {**self._waiting, **changed}
        if is_hard or len(waiting) >= _WAITING_MAX:
            change_set = ChangeSet(self.id, self.version + 1, is_cleared, [*waiting.values()])
            try:
                self._keeper.commit(change_set)
            except KeeperError as error:
                if is_hard:
                    raise NotKeptError(error) from error
            else:
                self.version += 1
                waiting = {}
        self._waiting = waiting
        log.changes.clear()

    def let_others_in(self) -> None:
        """Wait a moment where other threads wait for this world. Not for use in a transaction.

        A thread that lets a lock go and takes it again at once is nearly always the first.
        """
        if self._queue:
            self._was_taken.clear()
            self._was_taken.wait(_TURN_S_MAX)

    @contextmanager
    def attempt(self) -> Generator[None]:
        """Undo what is written inside when an exception passes; what was before it stays."""
        position, promised = len(self._log.changes), len(self._promised)
        try:
            yield
        except BaseException:
            self._log.undo(position)
            del self._promised[promised:]
            raise

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call *act* once this transaction is kept and the lock is free; else never."""
        assert self._log.is_open, "there is no transaction"
        self._promised.append(act)

    def flush(self) -> None:
        """Hand to the keeper what waits.

        Raises:
            KeeperError: it cannot be kept; it waits on.
        """
        with self.lock:
            if self._waiting:
                waiting = [*self._waiting.values()]
                self._keeper.commit(ChangeSet(self.id, self.version + 1, False, waiting))
                self.version += 1
                self._waiting = {}

    # All rows at once

    def clear(self) -> None:
        """Remove every row but the world's own and its snapshots."""
        assert self._log.is_open, "writes belong into a transaction"
        for table in self.tables.values():
            table.clear()

    def end(self) -> None:
        """Empty this world, which its keeper has forgotten."""
        self.clear()
        self.snapshots.clear()
        self._log.changes.clear()
        self._waiting.clear()

    def fill(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Take over (table, row) of everything that a keeper has of this world."""
        for table, row in self._in_order(rows):
            table.set(table.key_of(row), row)

    def restore(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Put (table, row) of a snapshot into this world, which is empty.

        Raises:
            MockError: they contradict each other, or bring keys that another world has.
        """
        for table, row in self._in_order(rows):
            try:
                if table.get(table.key_of(row)) is not None:
                    raise ValueError(f"{key_text(table.key_of(row))!r} is there twice")
                table.put(row)
            except ValueError as error:
                raise MockError(
                    f"the snapshot has a row of {table.name!r} that cannot be: {error}",
                    code="damaged_snapshot",
                ) from None

    def _in_order(self, rows: Iterable[tuple[str, Any]]) -> Iterator[tuple[Table[Any, Any], Any]]:
        by_table: dict[str, list[Any]] = {}
        for name, row in rows:
            by_table.setdefault(name, []).append(self.kept[name].taken(row))
        for name, taken in by_table.items():
            table = self.kept[name]
            for row in sorted(taken, key=table.order_of):
                yield table, row

    def rows(self) -> Iterator[tuple[str, Struct]]:
        """(table, row) of everything in the world: tables by name, rows by their keys."""
        for name, table in sorted(self.tables.items()):
            for row in sorted(table.all(), key=table.key_of):
                yield name, table.kept(row)

"""The state of one world: its tables in memory, its lock, and its transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

import msgspec

from ..kernel.errors import MockError
from ..kernel.rows import WorldRow
from .account_tables import keys_in_use
from .contents import apply, fill
from .keeper import ChangeSet, KeeperError, KeysInUseError, WorldGoneError, changes_since
from .surroundings import Hook, NotKeptError, Surroundings
from .table import ALL, Log, Table
from .world_tables import WorldTables

#: Soft rows that wait for the next change set. A process that is killed loses them.
_WAITING_MAX = 200
#: Calls without an effect that share one transaction of a shared keeper, while others wait.
_SHARING_MAX = 32
#: How long a long advance pauses for a call that waits.
_TURN_S_MAX = 0.01


class WorkingSet(WorldTables):
    """Everything of one world. Its tables are read and written inside a `transaction`.

    The first transaction loads its rows from the keeper.
    """

    def __init__(
        self, world_id: str, around: Surroundings, *, row: WorldRow | None = None, is_new: bool
    ) -> None:
        """*row* is the world's own row, if it has one. The others are loaded later."""
        super().__init__(world_id, around)
        if row is not None:
            self._world.set(row.id, row)
        self.version = 0
        #: Increases with each change of a row that an answer may show.
        self.revision = 0
        self.is_loaded = is_new
        self._keeper = around.keeper
        self.is_shared = around.keeper.is_shared
        self.lock = threading.RLock()
        self._depth = 0
        # Threads that wait for the lock. A list, because adding to a number takes two steps.
        self._queue: list[None] = []
        self._was_taken = threading.Event()
        self._promised: list[Callable[[], None]] = []
        self._waiting: dict[tuple[str, Any], tuple[Table[Any, Any], Any]] = {}
        #: Calls that have used the world since it was taken from a shared keeper.
        self._sharing = 0

    @property
    def is_quick(self) -> bool:
        """Whether a transaction begins without waiting for the keeper."""
        return self.is_loaded and not self.is_shared

    # Transactions

    def transaction(self) -> WorkingSet:
        """One unit of work: `with` keeps its changes, or undoes them when an exception passes.

        Raises:
            NotKeptError: on entering, when the keeper cannot be reached; on leaving, when it
                failed: everything is undone.
            MockError: another process has deleted the world, or has one of its keys.
        """
        return self

    def __enter__(self) -> WorkingSet:
        if not self.lock.acquire(blocking=False):
            self._queue.append(None)
            try:
                self.lock.acquire()
            finally:
                self._queue.pop()
            self._was_taken.set()
        if not self._depth and not self.is_quick:
            try:
                self._take()
            except BaseException:
                self.lock.release()
                raise
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
                if self._log.changes or (self._waiting and self.is_shared):
                    self._keep()
                elif self.is_shared:
                    self._keeper.release(self.id)
        except BaseException:
            self._log.undo()
            raise
        finally:
            self._depth -= 1
            self._log.is_open = self._depth > 0
            self.lock.release()
        for act in promised:
            act()

    def _take(self) -> None:
        """Lock the world at the keeper, and bring its rows up to date."""
        was_loaded = self.is_loaded
        try:
            if self.is_shared:
                self._catch_up()
            if not self.is_loaded:
                self._load()
        except KeeperError as error:
            raise NotKeptError(error) from error
        except WorldGoneError:
            if self._around.on_gone is not None:
                self._around.on_gone(self)
            raise MockError(
                f"world {self.id!r} was deleted", code="not_found", status=404
            ) from None
        if not was_loaded and self.has_begun and self._around.on_load is not None:
            self._prepare(self._around.on_load)

    def _catch_up(self) -> None:
        with self._around.stats.measure("catch_up"):
            changes = self._keeper.catch_up(self.id, self.version if self.is_loaded else -1)
        if changes is None or not self.is_loaded:
            return
        if not changes.is_whole:
            self._empty()
            return
        apply(self.kept, self.tables, changes)
        self.revision += 1
        self.version = changes.version
        if changes.is_cleared and self._around.on_clear is not None:
            self._around.on_clear(self)

    def _load(self) -> None:
        try:
            with self._around.stats.measure("load"):
                self.version, rows = self._keeper.load(self.id)
                fill(self.kept, rows)
        except BaseException as error:
            self._empty()
            if self.is_shared:
                self._keeper.release(self.id)
            if isinstance(error, msgspec.DecodeError | ValueError):
                raise MockError(f"cannot read world {self.id!r}: {error}", status=500) from None
            raise
        self.is_loaded = True

    def _prepare(self, write: Hook) -> None:
        """Let *write* change the loaded rows, and store the changes."""
        self._depth, self._log.is_open = 1, True
        self.lock.acquire()
        try:
            write(self)
        except BaseException as error:
            self.__exit__(type(error), error, None)
            self._empty()
            raise
        self.__exit__(None, None, None)
        if self.is_shared:
            self._take()

    def _empty(self) -> None:
        for table in self.tables.values():
            table.empty()
        self.snapshots.empty()
        self.revision += 1
        self.is_loaded = False

    def _keep(self) -> None:
        """Hand the changes to the keeper."""
        log, is_hard = self._log, False
        for table, key, _ in log.changes:
            if not table.is_soft or key is ALL:
                is_hard = True
                self.revision += 1
                break
        changed, is_cleared = changes_since(log.changes) if self._keeper.is_lasting else ({}, False)
        if not is_hard and (not self.is_shared or self._is_continued()):
            # Every poll ends here, so the waiting rows are not copied.
            self._waiting.update(changed)
            log.changes.clear()
            if len(self._waiting) >= _WAITING_MAX and not self.is_shared:
                with suppress(KeeperError):
                    self.flush()
            return
        waiting = changed if is_cleared else {**self._waiting, **changed}
        try:
            self._commit(waiting, is_cleared=is_cleared, is_soft=not is_hard)
        except KeeperError as error:
            self._lose_waiting()
            raise NotKeptError(error) from error
        except KeysInUseError as error:
            self._lose_waiting()
            raise keys_in_use(error.holder) from None
        self._waiting = {}
        log.changes.clear()

    def _is_continued(self) -> bool:
        """Whether the next call of this process may go on in the keeper's transaction.

        A call that waits for the lock begins at once, so the transaction is certain to end.
        """
        self._sharing += 1
        return bool(self._queue) and self._sharing < _SHARING_MAX

    def _lose_waiting(self) -> None:
        """Forget what other calls have left to a transaction of a shared keeper that failed."""
        if self._waiting and self.is_shared:
            self._log.undo()
            self._waiting = {}
            self._empty()

    def _commit(
        self,
        changed: Mapping[tuple[str, Any], tuple[Table[Any, Any], Any]],
        *,
        is_cleared: bool = False,
        is_soft: bool = False,
    ) -> None:
        due_ms = self._due_ms() if self.is_shared else None
        change_set = ChangeSet(
            self.id, self.version + 1, is_cleared, [*changed.values()], is_soft, due_ms
        )
        with self._around.stats.measure("commit"):
            self._keeper.commit(change_set)
        self._sharing = 0
        self.version += 1

    def _due_ms(self) -> int | None:
        """The wall time of the next due effect; None if only a call moves the clock there."""
        if not self.has_begun:
            return None
        effect = self.effects.next()
        times = [self.world.clock.wall_ms_of(effect.due_ms)] if effect is not None else []
        times += [it.claimed_until_ms for it in self.deliveries.claimed()]
        return min((it for it in times if it is not None), default=None)

    def let_others_in(self) -> None:
        """Pause briefly if other threads wait for this world. Not for use in a transaction.

        A thread that releases a lock and takes it again at once nearly always gets it first.
        """
        if self._queue:
            self._was_taken.clear()
            self._was_taken.wait(_TURN_S_MAX)

    def attempt(self) -> Attempt:
        """Undo the writes inside it when an exception passes; earlier writes stay."""
        return Attempt(self._log, self._promised)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call *act* once this transaction is kept and the lock is free; else never."""
        assert self._log.is_open, "there is no transaction"
        self._promised.append(act)

    def flush(self) -> None:
        """Hand the waiting rows to the keeper.

        Raises:
            KeeperError: they cannot be stored, and go on waiting.
        """
        with self.lock:
            if self._waiting:
                self._commit(self._waiting, is_soft=True)
                self._waiting = {}

    def end(self) -> None:
        """Empty this world, which its keeper has deleted."""
        for table in self.kept.values():
            table.empty()
        self._log.changes.clear()
        self._waiting.clear()


class Attempt:
    """A part of a transaction: an exception undoes what has been written since it began."""

    __slots__ = ("_changes", "_log", "_promised", "_promises")

    def __init__(self, log: Log, promised: list[Callable[[], None]]) -> None:
        self._log = log
        self._promised = promised
        self._changes = len(log.changes)
        self._promises = len(promised)

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self._log.undo(self._changes)
            del self._promised[self._promises :]

"""All worlds of a process: their working sets, and the keeper behind them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence

import msgspec

from screentest.specs.contracts.redaction import BY_SHAPE, Redactor

from ..kernel.errors import MockError
from ..kernel.rows import Account, Key, WorldRow
from .keeper import Keeper, KeeperError, KeeperStats, MemoryKeeper, Seconds
from .retention import KEEP_DEFAULT
from .surroundings import Hook, NotKeptError, Surroundings
from .working_set import WorkingSet

#: Holds what belongs to no world, such as the number of worlds that were made.
_NO_WORLD = ""

_LOG = logging.getLogger("screentest.store")


class Store:
    """The working sets of all worlds over one keeper. Each is loaded when it is first used."""

    def __init__(
        self,
        keeper: Keeper | None = None,
        redactor: Redactor = BY_SHAPE,
        seconds: Seconds = lambda: 0.0,
        keep: int = KEEP_DEFAULT,
    ) -> None:
        """Open all worlds of *keeper*. None keeps nothing beyond this process.

        *redactor* removes credentials from what is kept. *seconds* reads a clock that never goes
        back, for the statistics. Beyond *keep* resources history is dropped; 0 keeps all.

        Raises:
            MockError: it cannot be read.
        """
        self.keeper = keeper or MemoryKeeper()
        self.redactor = redactor
        self._around = Surroundings(self.keeper, redactor, seconds, keep)
        self._around.on_gone = self._forget
        self._open = self._around.worlds
        self._watcher: Callable[[str, int], None] | None = None
        self._lock = threading.RLock()
        self.look()
        if _NO_WORLD not in self._open:
            self._new(_NO_WORLD)

    @property
    def stats(self) -> KeeperStats:
        """How the operations of the keeper went."""
        return self._around.stats

    def close(self) -> None:
        """Hand the waiting rows to the keeper, and close it."""
        for working_set in [*self._open.values()]:
            try:
                working_set.flush()
            except KeeperError as error:
                _LOG.warning("world %s: its last requests are not kept: %s", working_set.id, error)
        self.keeper.close()

    def ready(self) -> None:
        """Raises unless the keeper could store a change now.

        Raises:
            NotKeptError: it could not.
        """
        try:
            self.keeper.ready()
        except KeeperError as error:
            raise NotKeptError(error) from error

    def look(self) -> None:
        """Find the worlds that the keeper has and this process does not know yet.

        Raises:
            NotKeptError: they cannot be read.
            MockError: one is damaged.
        """
        try:
            with self._lock:
                for world_id, doc in self.keeper.worlds():
                    if world_id not in self._open:
                        row = msgspec.json.decode(doc, type=WorldRow) if doc is not None else None
                        self._new(world_id, row, is_new=False)
        except KeeperError as error:
            raise NotKeptError(error) from error
        except msgspec.DecodeError as error:
            raise MockError(f"cannot read the worlds: {error}") from None

    def worlds(self) -> list[WorkingSet]:
        """The working sets of all worlds."""
        return [it for name, it in [*self._open.items()] if name != _NO_WORLD and it.has_begun]

    def providers(self) -> set[str]:
        """The providers of all accounts that the keeper has.

        Raises:
            MockError: they cannot be read.
        """
        try:
            rows = [msgspec.json.decode(doc, type=Account) for doc in self.keeper.accounts()]
        except (KeeperError, msgspec.DecodeError) as error:
            raise MockError(f"cannot read the accounts: {error}") from None
        return {row.provider for row in rows}

    def on_load(self, write: Hook) -> None:
        """Let *write* change each world that is loaded, in a transaction of its own."""
        self._around.on_load = write

    def on_change(self, cleared: Hook, gone: Hook) -> None:
        """Call *cleared* and *gone* with a world that another process has reset or deleted."""

        def forget(working_set: WorkingSet) -> None:
            self._forget(working_set)
            gone(working_set)

        self._around.on_clear, self._around.on_gone = cleared, forget

    def add(self, world_id: str | None, taken: Collection[str] = ()) -> WorkingSet:
        """An empty working set called *world_id*; None takes the next free number."""
        with self._lock:
            while world_id is None or world_id in taken or world_id in self._open:
                with self._open[_NO_WORLD].transaction() as of_process:
                    world_id = f"w_{of_process.count('world')}"
            return self._new(world_id)

    def drop(self, world_id: str) -> None:
        """Remove a world that has not begun."""
        self._open.pop(world_id, None)

    def delete(self, world_id: str) -> None:
        """Delete everything of a world.

        Raises:
            NotKeptError: the keeper could not; the world stays.
        """
        working_set = self._open[world_id]
        with working_set.transaction():
            try:
                with self.stats.measure("delete"):
                    self.keeper.delete(world_id)
            except KeeperError as error:
                raise NotKeptError(error) from error
            self._forget(working_set)

    def overdue(self) -> Sequence[str]:
        """The ids of worlds with overdue effects that no process has run.

        Raises:
            NotKeptError: the keeper cannot be read.
        """
        try:
            return self.keeper.overdue()
        except KeeperError as error:
            raise NotKeptError(error) from error

    def holder(self, digest: str) -> tuple[str, Key] | None:
        """The id of the world that has the key with *digest*, and that key."""
        return self._around.holder(digest)

    def watch_effects(self, watcher: Callable[[str, int], None]) -> None:
        """Call *watcher* with (world, due_ms) of each effect as it is added."""
        self._watcher = watcher
        for working_set in [*self._open.values()]:
            self._watch(working_set)

    def _watch(self, working_set: WorkingSet) -> None:
        watcher, world_id = self._watcher, working_set.id
        if watcher is not None:
            working_set.effects.watch = lambda due_ms: watcher(world_id, due_ms)

    def _new(
        self, world_id: str, row: WorldRow | None = None, *, is_new: bool = True
    ) -> WorkingSet:
        made = self._open[world_id] = WorkingSet(world_id, self._around, row=row, is_new=is_new)
        self._watch(made)
        return made

    def _forget(self, working_set: WorkingSet) -> None:
        working_set.end()
        self._open.pop(working_set.id, None)

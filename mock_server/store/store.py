"""All worlds of a process: their working sets, and the keeper behind them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Iterator

import msgspec
from msgspec import Struct

from screentest.specs.contracts.redaction import BY_SHAPE, Redactor

from ..kernel.errors import MockError
from ..kernel.rows import ROW_TYPES
from .keeper import Keeper, KeeperError, KeptRow, MemoryKeeper
from .working_set import NotKeptError, WorkingSet

#: Holds what belongs to no world, such as the number of worlds that were made.
_NO_WORLD = ""

_LOG = logging.getLogger("screentest.store")


class Store:
    """The working sets of all worlds over one keeper."""

    def __init__(self, keeper: Keeper | None = None, redactor: Redactor = BY_SHAPE) -> None:
        """Everything that *keeper* has; None keeps nothing beyond this process.

        *redactor* removes credentials from what is kept.

        Raises:
            MockError: it cannot be read.
        """
        self._keeper = keeper or MemoryKeeper()
        self.redactor = redactor
        self._holders: dict[str, WorkingSet] = {}
        self._open: dict[str, WorkingSet] = {}
        self._watcher: Callable[[str, int], None] | None = None
        self._lock = threading.RLock()
        for world_id in self._keeper.worlds():
            self._load(world_id)
        self._of_process = self._open.get(_NO_WORLD) or self._new(_NO_WORLD)

    def close(self) -> None:
        """Hand to the keeper what waits, and close it."""
        for working_set in self._open.values():
            try:
                working_set.flush()
            except KeeperError as error:
                _LOG.warning("world %s: its last requests are not kept: %s", working_set.id, error)
        self._keeper.close()

    def worlds(self) -> list[WorkingSet]:
        """The working sets of all worlds."""
        return [it for it in self._open.values() if it is not self._of_process and it.has_begun]

    def add(self, world_id: str | None, taken: Collection[str] = ()) -> WorkingSet:
        """An empty working set called *world_id*; None takes the next free number."""
        with self._lock:
            while world_id is None or world_id in taken or world_id in self._open:
                with self._of_process.transaction():
                    world_id = f"w_{self._of_process.count('world')}"
            return self._new(world_id)

    def drop(self, world_id: str) -> None:
        """Forget a world that has not begun."""
        self._open.pop(world_id, None)

    def delete(self, world_id: str) -> None:
        """Forget everything of a world.

        Raises:
            NotKeptError: the keeper could not; the world stays.
        """
        working_set = self._open[world_id]
        with working_set.transaction():
            try:
                self._keeper.delete(world_id)
            except KeeperError as error:
                raise NotKeptError(error) from error
            working_set.end()
            del self._open[world_id]

    def holder(self, digest: str) -> WorkingSet | None:
        """The world that has the key with *digest*."""
        return self._holders.get(digest)

    def watch_effects(self, watcher: Callable[[str, int], None]) -> None:
        """Call *watcher* with (world, due_ms) of each effect as it is added."""
        self._watcher = watcher
        for working_set in self._open.values():
            self._watch(working_set)

    def _watch(self, working_set: WorkingSet) -> None:
        watcher, world_id = self._watcher, working_set.id
        if watcher is not None:
            working_set.effects.watch = lambda due_ms: watcher(world_id, due_ms)

    def _new(self, world_id: str) -> WorkingSet:
        made = self._open[world_id] = WorkingSet(
            world_id, self._keeper, self._holders, self.redactor, self._open
        )
        self._watch(made)
        return made

    def _load(self, world_id: str) -> None:
        loaded = self._new(world_id)
        try:
            loaded.version, kept = self._keeper.load(world_id)
            loaded.fill(_decoded(kept))
        except (KeeperError, msgspec.DecodeError) as error:
            raise MockError(f"cannot read world {world_id!r}: {error}") from None


def _decoded(kept: Iterable[KeptRow]) -> Iterator[tuple[str, Struct]]:
    decoders = {name: msgspec.json.Decoder(type_) for name, type_ in ROW_TYPES.items()}
    for name, _, doc in kept:
        yield name, decoders[name].decode(doc)

"""The interface of keepers, which make the state of worlds last, and one that keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from .table import ALL, Table

#: (table, key, row) of a row that a keeper has; keys are texts.
KeptRow = tuple[str, str, bytes]
#: (table, rows) of some rows that a keeper has.
KeptRows = tuple[str, Sequence[bytes]]

WallClock = Callable[[], int]
Seconds = Callable[[], float]


class KeeperError(Exception):
    """Rows could not be kept or read: no space, a file that is gone, a server that is away."""


class KeysInUseError(Exception):
    """A change set brings a key that another world, *holder*, has."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


class WorldGoneError(Exception):
    """Another process has deleted the world."""


class ChangeSet(Struct, frozen=True):
    """What one transaction has changed in a world: each row once, as it is at the end.

    *is_cleared*: all rows are gone except those of the snapshots and of this change set.
    *is_soft*: no answer depends on it. *due_ms* is the wall time at which effects of the world are
    due without a call; None if there are none.
    """

    world_id: str
    version: int
    is_cleared: bool
    changed: Sequence[tuple[Table[Any, Any], Any]]
    is_soft: bool = False
    due_ms: int | None = None

    def written(self) -> Iterator[KeptRow]:
        """The rows that were added or replaced."""
        for table, key in self.changed:
            row = table.get(key)
            if row is not None:
                yield table.name, key_text(key), _ENCODER.encode(table.kept(row))

    def removed(self) -> Iterator[tuple[str, str]]:
        """(table, key) of the rows that were removed."""
        for table, key in self.changed:
            if table.get(key) is None:
                yield table.name, key_text(key)


class Changes(Struct, frozen=True):
    """What other processes have changed in a world, up to *version*.

    *is_cleared*: all rows are gone except those of the snapshots and of *written*. *is_whole* is
    false when too much has changed: the world has to be loaded again.
    """

    version: int
    is_cleared: bool = False
    written: Sequence[KeptRow] = ()
    removed: Sequence[tuple[str, str]] = ()
    is_whole: bool = True


_ENCODER = msgspec.json.Encoder()


def key_text(key: Any) -> str:
    """*key* as one text."""
    return "/".join(key) if isinstance(key, tuple) else str(key)


class Keeper(Protocol):
    """Stores change sets, each as a whole or not at all, and loads the rows of a world.

    A keeper that *is_shared* serves several processes. There a transaction on a world begins with
    `catch_up` and ends with `commit` or `release`; no other process has the world in between.
    """

    is_shared: bool
    #: Whether rows outlive the process. Else change sets are empty.
    is_lasting: bool
    #: Unique among the processes that use the keeper at the same time.
    number: int

    def worlds(self) -> Iterable[tuple[str, bytes | None]]:
        """The ids of all worlds, each with its own row; None where it has none.

        Raises:
            KeeperError: they cannot be read.
        """
        ...

    def load(self, world_id: str) -> tuple[int, Iterable[KeptRows]]:
        """The version of *world_id*, and its rows.

        Raises:
            KeeperError: they cannot be read.
        """
        ...

    def accounts(self) -> Iterable[bytes]:
        """The rows of the accounts of all worlds.

        Raises:
            KeeperError: they cannot be read.
        """
        ...

    def holder(self, digest: str) -> tuple[str, bytes] | None:
        """The world that has the key with *digest*, and the key's row.

        Raises:
            KeeperError: it cannot be read.
        """
        ...

    def catch_up(self, world_id: str, version: int) -> Changes | None:
        """Lock *world_id* for one transaction. What others have committed since *version*, if any.

        Version 0 begins a world that the keeper may not have yet, and -1 asks for no changes.

        Raises:
            KeeperError: the world cannot be locked.
            WorldGoneError: it has been deleted.
        """
        ...

    def commit(self, change_set: ChangeSet) -> None:
        """Store *change_set*, and unlock its world.

        Raises:
            KeeperError: nothing of it is stored.
            KeysInUseError: another world has one of its keys; nothing of it is stored.
        """
        ...

    def release(self, world_id: str) -> None:
        """Unlock *world_id*, in which nothing has changed."""
        ...

    def delete(self, world_id: str) -> None:
        """Delete everything of *world_id*, and unlock it.

        Raises:
            KeeperError: nothing is deleted.
        """
        ...

    def overdue(self) -> Sequence[str]:
        """Worlds of a shared keeper with overdue effects that no process has run.

        Raises:
            KeeperError: they cannot be read.
        """
        ...

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with each world that another process has changed; "" is any world."""
        ...

    def clock(self, wall_ms: WallClock) -> WallClock:
        """The clock that all processes of this keeper agree on; *wall_ms* if there is just one."""
        ...

    def ready(self) -> None:
        """Raises unless a change set could be kept now.

        Raises:
            KeeperError: it could not.
        """
        ...

    def close(self) -> None: ...


class LocalKeeper:
    """The answers of every keeper that serves one process only."""

    is_shared = False
    is_lasting = True
    number = 0

    def catch_up(self, world_id: str, version: int) -> Changes | None:
        """None: no other process changes a world."""

    def release(self, world_id: str) -> None:
        """Nothing to do."""

    def overdue(self) -> Sequence[str]:
        """Empty: this process runs the effects of its worlds itself."""
        return ()

    def listen(self, listener: Callable[[str], None]) -> None:
        """Never calls *listener*."""

    def clock(self, wall_ms: WallClock) -> WallClock:
        return wall_ms


class MemoryKeeper(LocalKeeper):
    """Keeps nothing: the state ends with the process."""

    is_lasting = False

    def worlds(self) -> Iterable[tuple[str, bytes | None]]:
        return ()

    def load(self, world_id: str) -> tuple[int, Iterable[KeptRows]]:
        raise KeyError(world_id)

    def accounts(self) -> Iterable[bytes]:
        return ()

    def holder(self, digest: str) -> tuple[str, bytes] | None:
        """None: the keys of all worlds are in the memory of this process."""

    def commit(self, change_set: ChangeSet) -> None:
        """Nothing to do."""

    def delete(self, world_id: str) -> None:
        """Nothing to do."""

    def ready(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


class Operation(Struct):
    """The count, the failures and the time of one operation of a keeper."""

    calls: int = 0
    failures: int = 0
    seconds: float = 0.0


#: Receives the name of an operation, its seconds, and whether it succeeded.
KeeperListener = Callable[[str, float, bool], None]


class KeeperStats:
    """Counts the *operations* of a keeper by name, such as `commit`."""

    def __init__(self, seconds: Seconds) -> None:
        """*seconds* reads a clock that never goes back."""
        self.seconds = seconds
        self.operations: dict[str, Operation] = {}
        self._listeners: list[KeeperListener] = []

    def listen(self, listener: KeeperListener) -> None:
        """Call *listener* after each operation, in the thread that asked for it."""
        self._listeners.append(listener)

    def measure(self, name: str) -> Measurement:
        """A context for one operation called *name*."""
        return Measurement(self, name)

    def add(self, name: str, seconds: float, *, is_success: bool) -> None:
        """Count one operation."""
        operation = self.operations.setdefault(name, Operation())
        operation.calls += 1
        operation.failures += not is_success
        operation.seconds += seconds
        for listener in self._listeners:
            listener(name, seconds, is_success)


class Measurement:
    """`with` around one operation of a keeper."""

    __slots__ = ("_began", "_name", "_stats")

    def __init__(self, stats: KeeperStats, name: str) -> None:
        self._stats = stats
        self._name = name
        self._began = 0.0

    def __enter__(self) -> None:
        self._began = self._stats.seconds()

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        seconds = self._stats.seconds() - self._began
        self._stats.add(self._name, seconds, is_success=kind is None)


def changes_since(
    changes: Iterable[tuple[Table[Any, Any], Any, Any]],
) -> tuple[dict[tuple[str, Any], tuple[Table[Any, Any], Any]], bool]:
    """Each (table, key) of a log once, and whether all rows were cleared on the way."""
    changed: dict[tuple[str, Any], tuple[Table[Any, Any], Any]] = {}
    is_cleared = False
    for table, key, _ in changes:
        if key is ALL:
            is_cleared = True
        else:
            changed[(table.name, key)] = (table, key)
    return changed, is_cleared

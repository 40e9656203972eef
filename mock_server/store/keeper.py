"""What makes the state of worlds last: one narrow interface, and the keeper that does nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from .table import ALL, Table

#: (table, key, row) of a row that a keeper has; keys are texts.
KeptRow = tuple[str, str, bytes]


class KeeperError(Exception):
    """Rows could not be kept or read: no space, a file that is gone, a server that is away."""


class ChangeSet(Struct, frozen=True):
    """What one transaction has changed in a world: each row once, as it is at the end.

    *is_cleared* says that all rows are gone but those of the snapshots and of this change set.
    """

    world: str
    version: int
    is_cleared: bool
    changed: Sequence[tuple[Table[Any, Any], Any]]

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


_ENCODER = msgspec.json.Encoder()


def key_text(key: Any) -> str:
    """*key* as one text."""
    return "/".join(key) if isinstance(key, tuple) else str(key)


class Keeper(Protocol):
    """Keeps change sets, all or nothing, and gives the rows of a world back."""

    def worlds(self) -> Iterable[str]:
        """The ids of all worlds."""
        ...

    def load(self, world: str) -> tuple[int, Iterable[KeptRow]]:
        """The version of *world*, and its rows.

        Raises:
            KeeperError: they cannot be read.
        """
        ...

    def commit(self, change_set: ChangeSet) -> None:
        """Keep *change_set*.

        Raises:
            KeeperError: nothing of it is kept.
        """
        ...

    def delete(self, world: str) -> None:
        """Forget everything of *world*.

        Raises:
            KeeperError: nothing is forgotten.
        """
        ...

    def close(self) -> None: ...


class MemoryKeeper:
    """Keeps nothing: the state ends with the process."""

    def worlds(self) -> Iterable[str]:
        return ()

    def load(self, world: str) -> tuple[int, Iterable[KeptRow]]:
        raise KeyError(world)

    def commit(self, change_set: ChangeSet) -> None:
        """Nothing to do."""

    def delete(self, world: str) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""


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

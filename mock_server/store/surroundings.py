"""What the worlds of a process have in common: the keeper, and the world of each key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from screentest.specs.contracts.redaction import Redactor

from ..kernel.errors import MockError
from ..kernel.rows import Key
from .keeper import Keeper, KeeperError, KeeperStats, Seconds
from .retention import KEEP_DEFAULT

if TYPE_CHECKING:
    from .working_set import WorkingSet


class NotKeptError(MockError):
    """The keeper failed, and everything is as it was before the call."""

    def __init__(self, reason: object) -> None:
        super().__init__(
            f"this call could not be kept, so it has changed nothing: {reason}; try again",
            code="not_kept",
            status=503,
        )


Hook = Callable[["WorkingSet"], object]

_KEY = msgspec.json.Decoder(Key)


class Surroundings:
    """What the worlds of a process have in common.

    *holders* maps the digests of all keys in memory to the ids of their worlds, and *worlds* maps
    an id to its world. *on_load* may write into a world that was loaded, in a transaction of
    its own. *on_clear* is called when another process has reset a world, and *on_gone* when it has
    deleted it. *seconds* reads a clock that never goes back. *keep* is how many resources the
    process keeps.
    """

    def __init__(
        self, keeper: Keeper, redactor: Redactor, seconds: Seconds, keep: int = KEEP_DEFAULT
    ) -> None:
        self.keeper = keeper
        self.keep = keep
        self.stats = KeeperStats(seconds)
        self.redactor = redactor
        self.holders: dict[str, str] = {}
        self.worlds: dict[str, WorkingSet] = {}
        self.on_load: Hook | None = None
        self.on_clear: Hook | None = None
        self.on_gone: Hook | None = None

    def holder(self, digest: str) -> tuple[str, Key] | None:
        """The id of the world that has the key with *digest*, and that key; searches all worlds.

        Raises:
            NotKeptError: the keeper cannot be read.
        """
        known = self.worlds.get(self.holders.get(digest, ""))
        key = known.keys.get(digest) if known is not None else None
        if known is not None and key is not None:
            return known.id, key
        try:
            found = self.keeper.holder(digest)
        except KeeperError as error:
            raise NotKeptError(error) from error
        return (found[0], _KEY.decode(found[1])) if found is not None else None

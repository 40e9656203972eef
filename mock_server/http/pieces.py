"""The pieces of an answer: bytes, and the waits between them.

The sender of an answer decides how to wait: a server without blocking its loop, a client in the
same process by sleeping or by advancing the clock.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ..engine.world import World
from ..kernel.fault_types import Headers, Pause

#: The longest wait before a check whether the client is still connected.
PROBE_S = 0.5


class Until(Struct, frozen=True):
    """Wait until the time of *world* is *due_ms*, something moves there, or *limit_s* has passed.

    *due_ms* None waits for a move only. *limit_s* is in real seconds.
    """

    world: World
    due_ms: int | None
    limit_s: float


Piece = bytes | Pause | Until
Pieces = Iterable[Piece]


class Outgoing(Struct):
    """An answer as it is sent. *body* is complete bytes, or pieces that are still to be made.

    *delay_s* and *waits* pass before the first byte. *is_cut* means that no byte leaves at all.
    *number* is the request's number in *world*; 0 for a refusal before any world was involved.
    """

    status: int
    headers: Headers
    body: bytes | Pieces = b""
    delay_s: float = 0.0
    waits: Iterable[Until] = ()
    is_cut: bool = False
    world: World | None = None
    number: int = 0

    def release(self) -> None:
        """Record in the world that a delayed answer has reached its client."""
        if self.world is not None:
            self.world.unanswered.pop(self.number, None)


__all__ = ["PROBE_S", "Headers", "Outgoing", "Pause", "Piece", "Pieces", "Until"]

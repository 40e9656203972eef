"""Claims of processes on the webhooks of a world that they share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from .working_set import WorkingSet

#: Longer than an attempt to send a webhook takes, with the wait for its turn.
CLAIM_MS = 60_000
_LOOK_S = 1.0
#: The high bits of a ticket are the number of its process, the low bits count the claims of it.
_NUMBER_BITS = 32


def first_ticket(process: int) -> int:
    """The first of the tickets of the process with this number."""
    return process << _NUMBER_BITS | 1


def wait_for_others(
    rows: WorkingSet,
    listeners: list[Callable[[str], None]],
    wall_ms: Callable[[], int],
    process: int,
) -> None:
    """Block until no process but this one, *process*, has a valid claim on a webhook of *rows*.

    *listeners* are called when a world has moved.
    """
    moved = threading.Event()
    listener = partial(_set, moved)
    listeners.append(listener)
    try:
        while True:
            moved.clear()
            with rows.transaction():
                claims = [
                    it.claimed_until_ms or 0
                    for it in rows.deliveries.claimed()
                    if (it.ticket or 0) >> _NUMBER_BITS != process
                ]
                if max(claims, default=0) <= wall_ms():
                    return
            moved.wait(_LOOK_S)
    finally:
        listeners.remove(listener)


def _set(moved: threading.Event, _: str) -> None:
    moved.set()

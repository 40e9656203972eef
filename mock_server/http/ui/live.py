"""The stream that makes an open page draw itself anew after a change in its world."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

from ...engine.worlds import Worlds
from ...kernel.errors import MockError

#: Pages that hear of changes at the same time; each keeps a thread.
WATCHERS_MAX = 32
_STREAM_S_MAX = 15 * 60.0
#: A page is drawn anew at most so often, and less often while it changes all the time: drawing
#: costs some milliseconds, and a load test must not pay for a page that is open.
_LOOK_S, _LOOK_S_MAX = 0.25, 4.0
_HEARTBEAT_S = 15.0
#: A running clock shows another time.
_TICK_MS = 10_000


class Live:
    """The streams of one server."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._lock = threading.Lock()
        self._open = 0

    def stream(self, world_id: str, seen: str) -> Generator[bytes]:
        """Events that say that the page has changed since its mark was *seen*.

        Raises:
            MockError: too many pages are open.
        """
        if self._open >= WATCHERS_MAX:
            raise MockError(
                f"{WATCHERS_MAX} pages are open already; close some",
                code="too_many_streams",
                status=503,
            )
        return self._send(world_id, seen)

    def _send(self, world_id: str, seen: str) -> Generator[bytes]:
        began_s = spoke_s = time.monotonic()
        wait_s = _LOOK_S
        # Counted here: a stream that is never begun is never ended either.
        with self._lock:
            self._open += 1
        try:
            yield b": open\n\n"
            while time.monotonic() - began_s < _STREAM_S_MAX:
                now = mark(self._worlds, world_id)
                if now != seen:
                    seen, spoke_s = now, time.monotonic()
                    yield b"event: moved\ndata: %s\n\n" % now.encode()
                    wait_s = min(2 * wait_s, _LOOK_S_MAX)
                else:
                    wait_s = _LOOK_S
                    is_silent = time.monotonic() - spoke_s >= _HEARTBEAT_S
                    if is_silent:
                        spoke_s = time.monotonic()
                    # An empty piece makes the server look whether the browser is still there.
                    yield b": waiting\n\n" if is_silent else b""
                time.sleep(wait_s)
        finally:
            with self._lock:
                self._open -= 1


def mark(worlds: Worlds, world_id: str) -> str:
    """A short text that differs once anything that a page shows is different."""
    world = worlds.find(world_id)
    if world is None:
        return "gone"
    rows, clock = world.rows, world.clock
    ticks = worlds.clocks.now_ms(world) // _TICK_MS if not clock.mode.is_frozen else 0
    return (
        f"{rows.journal.last_seq}-{rows.events.last_seq}-{len(rows.entries.rows)}-{len(rows.effects)}"
        f"-{len(rows.documents.rows)}-{len(rows.snapshots.rows)}-{clock.mode.value}"
        f"-{clock.base_ms}-{clock.speed}-{ticks}-{len(worlds.all())}-{len(world.settings.choices)}"
    )

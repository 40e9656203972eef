"""Events of a world: as a page, as a page that waits for the first one, or live."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import orjson
from flask import Response

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.instant import step_label
from ...engine.outbox import REPORTS
from ...engine.world import World
from ...engine.worlds import Worlds
from ...kernel.errors import MockError, unknown
from ...kernel.rows import Event
from ..pieces import PROBE_S
from ..sse import HEARTBEAT_S
from ..wall_clock import monotonic_s
from .request import ControlCall, Handler, one_page
from .views import show_event

#: Open event streams and waiting calls, each of which keeps a thread.
WATCHERS_MAX = 48
_STREAM_S_MAX = 15 * 60.0
#: The events of a running clock are not signalled, so a waiting call looks this often.
_LOOK_S = 0.25
_PAGE = 200
#: What happens in a world.
EVENT_TYPES = (*(f"job.{step_label(kind)}" for kind in Kind), *REPORTS)


class Watch:
    """Lets callers wait until something has moved in some world."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._moved = threading.Condition()
        self._watchers = threading.BoundedSemaphore(WATCHERS_MAX)
        worlds.clocks.listen(self._signal)

    def operations(self) -> Mapping[str, Handler]:
        return {"listEvents": self.list_events}

    def _signal(self, _: str) -> None:
        with self._moved:
            self._moved.notify_all()

    def list_events(self, call: ControlCall) -> Json:
        world = call.world
        since, type_ = max(int(call.query["since"]), call.cursor or 0), call.query.get("type")
        if type_ is not None and type_ not in EVENT_TYPES:
            raise unknown("type", type_, EVENT_TYPES, status=422)
        wait_ms = int(call.query["wait_ms"])
        is_live = "text/event-stream" in call.accept
        if not is_live and not wait_ms:
            return _page(self._read(world, since, type_, call.limit + 1), call.limit)
        if not self._watchers.acquire(blocking=False):
            raise MockError(
                f"{WATCHERS_MAX} calls wait for events already; close some",
                code="too_many_streams",
                status=503,
            )
        if is_live:
            return Response(
                self._send(world, since, type_),
                content_type="text/event-stream; charset=utf-8",
                headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
            )
        try:
            found = self._wait(world, since, type_, call.limit + 1, wait_ms / 1_000)
        finally:
            self._watchers.release()
        return _page(found or [], call.limit)

    def _read(self, world: World, since: int, type_: str | None, limit: int) -> list[Event]:
        worlds = self._worlds
        with world.rows.transaction():
            worlds.clocks.settle(world)
            return world.rows.events.page(since=since, limit=limit, type_=type_)

    def _wait(
        self, world: World, since: int, type_: str | None, limit: int, wait_s: float
    ) -> list[Event] | None:
        """The first events that come within *wait_s*; None once the world is gone."""
        ends_s = monotonic_s() + wait_s
        while True:
            if self._worlds.find(world.id) is None:
                return None
            found = self._read(world, since, type_, limit)
            left_s = ends_s - monotonic_s()
            if found or left_s <= 0:
                return found
            with self._moved:
                self._moved.wait(min(left_s, _LOOK_S))

    def _send(self, world: World, since: int, type_: str | None) -> Iterator[bytes]:
        spoke_s = monotonic_s()
        ends_s = spoke_s + _STREAM_S_MAX
        try:
            yield b": events\n\n"
            while monotonic_s() < ends_s:
                found = self._wait(world, since, type_, _PAGE, PROBE_S)
                if found is None:
                    return
                is_silent = not found and monotonic_s() - spoke_s >= HEARTBEAT_S
                if not found:
                    yield b": waiting\n\n" if is_silent else b""
                if found or is_silent:
                    spoke_s = monotonic_s()
                for event in found:
                    since = event.seq
                    yield _as_sent(event)
        finally:
            self._watchers.release()


def _as_sent(event: Event) -> bytes:
    # Types and numbers are ours, and JSON has no line breaks: nothing can break out of its field.
    data = orjson.dumps(_shown(event))
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.seq, event.type.encode(), data)


def _page(found: list[Event], limit: int) -> Json:
    return one_page(found, limit, _shown, lambda it: it.seq)


def _shown(event: Event) -> Json:
    return {"seq": event.seq, **show_event(event), "data": event.doc}

"""Sending a job's events as they fall due on the world's clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Protocol

import orjson
from msgspec import Struct

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ..engine.job_control import finish_now, set_outcome
from ..engine.provider import EventStream
from ..engine.streams import job_events
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import Mode
from ..kernel.errors import MockError
from ..kernel.lifecycle import Script
from ..kernel.rows import Resource
from .pieces import PROBE_S, Piece, Until
from .wall_clock import monotonic_s

#: A stream sends a comment after this long without an event, so that no proxy closes it.
HEARTBEAT_S = 15.0
#: No stream lives longer than this in real time.
STREAM_S_MAX = 15 * 60.0
#: Open streams per process; the next one is refused with 503.
STREAMS_MAX = 2_000


class Waiter(Protocol):
    """How a thread that sends a stream waits for the world's time.

    *has_clients*: the stream's reader is another process, which may disconnect unnoticed.
    """

    has_clients: bool

    def wait(self, until: Until) -> bool:
        """Wait as *until* says. False when nothing can move any more, so the stream ends."""
        ...


class AdvancingWaiter:
    """For a mock inside the caller's own process: reading a stream moves the clock.

    The caller is busy reading, so no other code could move it.
    """

    has_clients = False

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    def wait(self, until: Until) -> bool:
        if until.due_ms is None:
            return False
        wait_ms = self._worlds.clocks.wait_ms(until.world, until.due_ms)
        if wait_ms is not None:
            time.sleep(min(wait_ms / 1_000, until.limit_s))
            return True
        self._worlds.clocks.advance(until.world, to_ms=until.due_ms)
        return True


class BlockingWaiter:
    """For a threaded server: waits on a condition that every move of a clock or a job signals."""

    has_clients = True

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._moved = threading.Condition()
        worlds.clocks.listen(self._signal)

    def _signal(self, _: str) -> None:
        with self._moved:
            self._moved.notify_all()

    def wait(self, until: Until) -> bool:
        if until.due_ms is not None and jumps_to(self._worlds, until.world, until.due_ms):
            self._worlds.clocks.advance(until.world, to_ms=until.due_ms)
            return True
        timeout_s = seconds_until(self._worlds, until)
        with self._moved:
            # The clock may have moved between the caller's look and this lock.
            if until.due_ms is None or self._worlds.clocks.now_ms(until.world) < until.due_ms:
                self._moved.wait(timeout_s)
        return True


def jumps_to(worlds: Worlds, world: World, due_ms: int) -> bool:
    """Whether the clock of *world* is in auto mode and jumps to the later instant *due_ms*."""
    return world.clock.mode is Mode.AUTO and due_ms > worlds.clocks.now_ms(world)


def seconds_until(worlds: Worlds, until: Until) -> float:
    """Real seconds after which to look at *until* again, unless something signals before."""
    if until.due_ms is None:
        return until.limit_s
    wait_ms = worlds.clocks.wait_ms(until.world, until.due_ms)
    return until.limit_s if wait_ms is None else min(until.limit_s, wait_ms / 1_000)


class _Read(Struct, frozen=True):
    """A look at a streaming job: its events by offset, the offset of now, and its script."""

    events: list[tuple[int, Json]]
    offset_ms: int
    script: Script


class Streams:
    """The open streams of one process; *open* is their number."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._lock = threading.Lock()
        self.open = 0

    def begin(self, world: World, stream: EventStream) -> Iterator[Piece] | None:
        """The pieces of *stream*, one event each; None when too many streams are open."""
        with self._lock:
            if self.open >= STREAMS_MAX:
                return None
            self.open += 1
        return self._send(world, stream.job)

    def _send(self, world: World, job: Resource) -> Iterator[Piece]:
        try:
            yield from self._events(world, job)
        except GeneratorExit:
            self._abandon(world, job)
            raise
        finally:
            with self._lock:
                self.open -= 1

    def _abandon(self, world: World, job: Resource) -> None:
        """End a job whose client has left, where the contract says so."""
        if self._worlds.find(world.id) is not world:
            return
        with self._worlds.clocks.moving(world):
            now_ms = self._worlds.clocks.now_ms(world)
            self._worlds.clocks.settle(world, now_ms)
            ctx = self._worlds.clocks.instant(world, job.provider, now_ms=now_ms)
            current = ctx.find(job.kind, job.id)
            if current is None or ctx.kind(current).is_final:
                return
            if ctx.behaviour.streams[current.doc["operation"]].fails_when_abandoned:
                ended = set_outcome(ctx, current, Kind.FAILED, "the client left the stream")
                finish_now(ctx, ended)
                self._worlds.clocks.settle(world, now_ms)

    def _events(self, world: World, job: Resource) -> Iterator[Piece]:
        rules = self._worlds.contracts[job.provider].behaviour.streams[job.doc["operation"]]
        sent, spoke_s = 0, monotonic_s()
        ends_s = spoke_s + STREAM_S_MAX
        read: _Read | None = None
        while monotonic_s() < ends_s:
            read = self._read(world, job, sent, read)
            if read is None:
                return
            due = [payload for at, payload in read.events[sent:] if at <= read.offset_ms]
            for number, payload in enumerate(due, sent + 1):
                if number == len(read.events):
                    # Now: a reader often leaves with the last event, and nothing below runs.
                    self._note_read(world, job, job.created_ms + read.offset_ms)
                text = json.dumps(payload).encode() if rules.is_spaced else orjson.dumps(payload)
                yield b"data: " + text + b"\n\n"
            sent += len(due)
            if sent >= len(read.events):
                return
            if due:
                spoke_s = monotonic_s()
                continue
            next_ms, held_ms = read.events[sent][0], read.script.held_ms
            is_held = held_ms is not None and next_ms > held_ms
            yield Until(world, None if is_held else job.created_ms + next_ms, PROBE_S)
            if monotonic_s() - spoke_s >= HEARTBEAT_S:
                spoke_s = monotonic_s()
                yield b": waiting\n\n"

    def _note_read(self, world: World, job: Resource, now_ms: int) -> None:
        with suppress(MockError), world.rows.transaction() as rows:
            if self._worlds.find(world.id) is world:
                rows.payments.note_read(job.id, now_ms)

    def _read(self, world: World, job: Resource, sent: int, last: _Read | None) -> _Read | None:
        """The job as it is now; None after its world was deleted.

        The events are those of *last* while the script is the same and no event after the first
        *sent* is due: making them costs more than the rest.
        """
        worlds = self._worlds
        if worlds.find(world.id) is None:
            return None
        try:
            with world.rows.transaction():
                now_ms = worlds.clocks.now_ms(world)
                worlds.clocks.settle(world, now_ms)
                ctx = worlds.clocks.instant(world, job.provider, now_ms=now_ms)
                current = ctx.find(job.kind, job.id)
                if current is None or current.script is None:
                    return None
                held_ms = current.script.held_ms
                offset_ms = now_ms - job.created_ms
                offset_ms = offset_ms if held_ms is None else min(offset_ms, held_ms)
                if (
                    last is not None
                    and last.script == current.script
                    and last.events[sent][0] > offset_ms
                ):
                    return last
                events = job_events(worlds.providers[job.provider], ctx, current)
                return _Read(events, offset_ms, current.script)
        except MockError:
            return None

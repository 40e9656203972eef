"""Sending a job's events as they fall due on the world's clock."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Protocol

import orjson

from screentest.specs.behaviour import Kind
from screentest.specs.json_types import Json

from ..engine.job_control import finish_now, set_outcome
from ..engine.job_events import job_events
from ..engine.provider import EventStream
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.clock import Mode
from ..kernel.errors import MockError
from ..kernel.rows import Resource
from .fault_effects import PROBE_S

#: A stream sends a comment after this long without an event, so that no proxy takes it for dead.
HEARTBEAT_S = 15.0
#: No stream lives longer than this in real time.
STREAM_S_MAX = 15 * 60.0
#: Open streams per process; the next one is told to come back.
STREAMS_MAX = 256

# Held in a list so that a test tool that replaces `time.monotonic` does not stop open streams.
_MONOTONIC = [time.monotonic]


class Waiter(Protocol):
    """How a stream waits for the world's time.

    *has_clients* says that the stream's reader is another process, which may leave unseen.
    """

    has_clients: bool

    def wait(self, world: World, until_ms: int | None, limit_s: float) -> bool:
        """Until the world's time is *until_ms*, something moved, or *limit_s* real seconds passed.

        None waits for a move alone. False when there will be none.
        """
        ...


class AdvancingWaiter:
    """For a mock inside the caller's own process: reading a stream moves the clock.

    Nobody else could move it, as the caller is busy reading.
    """

    has_clients = False

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    def wait(self, world: World, until_ms: int | None, limit_s: float) -> bool:
        if until_ms is None:
            return False
        wait_ms = self._worlds.clocks.wait_ms(world, until_ms)
        if wait_ms is not None:
            time.sleep(min(wait_ms / 1_000, limit_s))
            return True
        self._worlds.clocks.advance(world, to_ms=until_ms)
        return True


class BlockingWaiter:
    """For a server: waits on a condition that every move of a clock or a job signals."""

    has_clients = True

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._moved = threading.Condition()
        worlds.clocks.listen(self._signal)

    def _signal(self, _: str) -> None:
        with self._moved:
            self._moved.notify_all()

    def wait(self, world: World, until_ms: int | None, limit_s: float) -> bool:
        timeout = limit_s
        if until_ms is not None:
            if world.clock.mode is Mode.AUTO and until_ms > self._worlds.clocks.now_ms(world):
                self._worlds.clocks.advance(world, to_ms=until_ms)
                return True
            wait_ms = self._worlds.clocks.wait_ms(world, until_ms)
            timeout = limit_s if wait_ms is None else min(limit_s, wait_ms / 1_000)
        with self._moved:
            # The clock may have moved between the caller's look and this lock.
            if until_ms is None or self._worlds.clocks.now_ms(world) < until_ms:
                self._moved.wait(timeout)
        return True


class Streams:
    """The open streams of one process."""

    def __init__(self, worlds: Worlds, waiter: Waiter) -> None:
        self._worlds = worlds
        self._waiter = waiter
        self._open = threading.BoundedSemaphore(STREAMS_MAX)

    def begin(self, world: World, stream: EventStream) -> Iterator[bytes] | None:
        """The bytes of *stream*, one event a piece; None when too many streams are open."""
        if not self._open.acquire(blocking=False):
            return None
        return self._send(world, stream.job)

    def _send(self, world: World, job: Resource) -> Iterator[bytes]:
        try:
            yield from self._events(world, job)
        except GeneratorExit:
            self._abandon(world, job)
            raise
        finally:
            self._open.release()

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
                set_outcome(ctx, current, Kind.FAILED, "the client left the stream")
                finish_now(ctx, current)
                self._worlds.clocks.settle(world, now_ms)

    def _events(self, world: World, job: Resource) -> Iterator[bytes]:
        rules = self._worlds.contracts[job.provider].behaviour.streams[job.doc["operation"]]
        sent, spoke_s = 0, _MONOTONIC[0]()
        ends_s = spoke_s + STREAM_S_MAX
        while _MONOTONIC[0]() < ends_s:
            read = self._read(world, job)
            if read is None:
                return
            events, now_ms, held_ms = read
            offset_ms = now_ms - job.created_ms
            if held_ms is not None:
                offset_ms = min(offset_ms, held_ms)
            due = [payload for at, payload in events[sent:] if at <= offset_ms]
            for payload in due:
                text = json.dumps(payload).encode() if rules.is_spaced else orjson.dumps(payload)
                yield b"data: " + text + b"\n\n"
            sent += len(due)
            if sent >= len(events):
                return
            if due:
                spoke_s = _MONOTONIC[0]()
                continue
            is_held = held_ms is not None and events[sent][0] > held_ms
            until_ms = None if is_held else job.created_ms + events[sent][0]
            if not self._waiter.wait(world, until_ms, PROBE_S):
                return
            is_silent = _MONOTONIC[0]() - spoke_s >= HEARTBEAT_S
            if is_silent:
                spoke_s = _MONOTONIC[0]()
                yield b": waiting\n\n"
            elif self._waiter.has_clients:
                yield b""

    def _read(
        self, world: World, job: Resource
    ) -> tuple[list[tuple[int, Json]], int, int | None] | None:
        """(events, now, held) of the job as it stands now; None once its world is gone."""
        worlds = self._worlds
        if worlds.find(world.id) is None:
            return None
        with worlds.store.request():
            now_ms = worlds.clocks.now_ms(world)
            try:
                worlds.clocks.settle(world, now_ms)
            except MockError:
                return None
            ctx = worlds.clocks.instant(world, job.provider, now_ms=now_ms)
            current = ctx.find(job.kind, job.id)
            if current is None or current.script is None:
                return None
            events = job_events(worlds.providers[job.provider], ctx, current)
            return events, now_ms, current.script.held_ms

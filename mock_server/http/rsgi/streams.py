"""Answers that take their time, sent without a thread for each of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from ...engine.worlds import Worlds
from ..pieces import Headers, Pause, Pieces, Until
from ..sse import jumps_to, seconds_until

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol

#: Runs a function without holding the loop.
Runner = Callable[..., Awaitable[Any]]

#: Streams look this long after a move of their world, when nothing of theirs was due.
_LOOK_AFTER_S = 0.1
_FIRST = asyncio.FIRST_COMPLETED
_LAST_WORDS = b": the server stops\n\n"


class _Waiting(NamedTuple):
    """A stream that waits until its world's time is *due_ms*; None for any move."""

    due_ms: int | None
    moved: asyncio.Future[None]

    def wake(self) -> None:
        if not self.moved.done():
            self.moved.set_result(None)


class StreamSender:
    """The streams of one server."""

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[_Waiting]] = defaultdict(set)
        self._will_wake: set[str] = set()
        self._ends: set[asyncio.Future[None]] = set()
        worlds.clocks.listen(self._signal)

    async def play(
        self,
        protocol: HTTPProtocol,
        status: int,
        headers: Headers,
        pieces: Pieces,
        run: Runner,
    ) -> None:
        """Send *pieces* with their waits, until they end, the client leaves or the server stops.

        *run* makes the next piece.
        """
        loop = self._loop = asyncio.get_running_loop()
        transport = protocol.response_stream(status, headers)
        source = iter(pieces)
        # Not cancelled at the end: granian would then set the result of a cancelled future.
        gone = asyncio.ensure_future(protocol.client_disconnect())
        end = loop.create_future()
        self._ends.add(end)
        leaves = {gone, end}
        try:
            while (piece := await run(partial(next, source, None))) is not None:
                if isinstance(piece, bytes):
                    if piece:
                        await transport.send_bytes(piece)
                elif isinstance(piece, Pause):
                    await asyncio.wait(leaves, timeout=piece.seconds, return_when=_FIRST)
                else:
                    await self._wait(piece, leaves)
                if gone.done() or end.done():
                    break
            if end.done():
                await transport.send_bytes(_LAST_WORDS)
        except ProtocolClosed:
            pass  # the client left between two looks
        finally:
            self._ends.discard(end)
            close = getattr(source, "close", None)
            if close is not None:
                await asyncio.to_thread(close)

    async def pause(self, protocol: HTTPProtocol, seconds: float) -> None:
        """Wait, but no longer than the client does."""
        gone = asyncio.ensure_future(protocol.client_disconnect())
        await asyncio.wait({gone}, timeout=seconds)

    async def pass_time(self, protocol: HTTPProtocol, waits: Iterable[Until]) -> None:
        """Wait as *waits* say, but no longer than the client does."""
        self._loop = asyncio.get_running_loop()
        gone = asyncio.ensure_future(protocol.client_disconnect())
        for until in waits:
            await self._wait(until, {gone})
            if gone.done():
                return

    def stop(self) -> None:
        """End every open stream with a comment. Call this on the loop's thread."""
        for end in self._ends:
            if not end.done():
                end.set_result(None)

    async def _wait(self, until: Until, leaves: set[asyncio.Future[None]]) -> None:
        worlds, world = self._worlds, until.world
        if until.due_ms is not None and jumps_to(worlds, world, until.due_ms):
            await asyncio.to_thread(worlds.clocks.advance, world, to_ms=until.due_ms)
            return
        waiting = _Waiting(until.due_ms, asyncio.get_running_loop().create_future())
        self._waiting[world.id].add(waiting)
        try:
            # The clock may have moved between the stream's look and the line above.
            if until.due_ms is None or worlds.clocks.now_ms(world) < until.due_ms:
                timeout_s = seconds_until(worlds, until)
                await asyncio.wait({waiting.moved, *leaves}, timeout=timeout_s, return_when=_FIRST)
        finally:
            self._waiting[world.id].discard(waiting)

    def _signal(self, world_id: str) -> None:
        """Wake the streams of a world; called by any thread that moved it."""
        if self._loop is not None and self._waiting.get(world_id):
            self._loop.call_soon_threadsafe(self._wake, world_id)

    def _wake(self, world_id: str) -> None:
        """Wake the streams that have something due now, and the others a little later.

        A step of a clock would otherwise cost a look at every job with an open stream. The others
        need one as well: a test may have changed the outcome of their jobs.
        """
        world = self._worlds.find(world_id)
        now_ms = None if world is None else self._worlds.clocks.now_ms(world)
        for waiting in tuple(self._waiting.get(world_id, ())):
            if now_ms is None or (waiting.due_ms is not None and waiting.due_ms <= now_ms):
                waiting.wake()
        if self._loop is not None and world_id not in self._will_wake:
            self._will_wake.add(world_id)
            self._loop.call_later(_LOOK_AFTER_S, self._wake_all, world_id)

    def _wake_all(self, world_id: str) -> None:
        self._will_wake.discard(world_id)
        for waiting in tuple(self._waiting.pop(world_id, ())):
            waiting.wake()

"""The edge as an RSGI application: how the server of `screentest serve` answers.

Short calls run on the loop's own thread, where they cannot fight for the interpreter's lock; what
waits (streams, injected latency, a world that is busy, Flask) waits elsewhere and holds neither
the loop nor a world.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from wsgiref.types import WSGIApplication

from granian._granian import RSGIProtocolClosed as ProtocolClosed

from screentest.specs.behaviour.call_limits import Limits

from ...engine.provider import BodyProblem, Request
from ...engine.world import World
from ...engine.worlds import Worlds
from ...kernel.errors import MockError
from .. import fault_effects
from ..due_timer import DueTimer
from ..edge import Edge, Place, deny
from ..forms import read_form
from ..guard import Denial
from ..pieces import Outgoing
from ..uploads import Uploads, sweep_uploads
from .bodies import BODY_S_MAX, Bodies, BodyError, BodyTooLargeError, has_body
from .flask_calls import call_wsgi
from .streams import StreamSender

if TYPE_CHECKING:
    from granian._granian import RSGIHTTPProtocol as HTTPProtocol
    from granian.rsgi import Scope

T = TypeVar("T")

#: The largest control call: a snapshot with its margin.
_CONTROL_BYTES_MAX = 128 * 1024 * 1024
#: Forms go to disk beyond this size, before they are parsed.
_FORM_MEMORY_BYTES = 1024 * 1024
#: Several files of the largest size, and the texts around them.
_FORM_FILES = 4
#: Control calls, forms and calls to busy worlds at a time. Calls that wait for events keep one.
_THREADS = 64

_LOG = logging.getLogger("screentest.server")
_SERVER = ("Server", "screentest")


class RSGIEdge:
    """Answers provider calls by *edge* and everything else by *rest*, which is Flask.

    Work that *due_timer* finds due runs on the server's loop, if its world is free.
    """

    def __init__(
        self,
        edge: Edge,
        worlds: Worlds,
        rest: WSGIApplication,
        *,
        due_timer: DueTimer | None = None,
        body_s_max: float = BODY_S_MAX,
    ) -> None:
        self._edge = edge
        self._worlds = worlds
        self._rest = rest
        self._due_timer = due_timer
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="screentest-call")
        self._bodies = Bodies(body_s_max)
        self._uploads = Uploads()
        sweep_uploads()
        self._streams = StreamSender(worlds)
        #: Provider calls that have arrived and wait for their answer.
        self.waiting = 0

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server's loop, before its first call."""
        if self._due_timer is not None:
            self._due_timer.move_to(loop, self._run)

    def _run(self, work: Callable[[str], None], world_id: str) -> None:
        world = self._worlds.find(world_id)
        if world is None or not world.rows.is_quick or not world.rows.lock.acquire(blocking=False):
            self._pool.submit(work, world_id)
            return
        try:
            work(world_id)
        finally:
            world.rows.lock.release()

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        headers = _headers(scope)
        try:
            if not scope.method.isupper():
                raise MockError("methods are upper case", code="wrong_method", status=405)
            place = self._edge.place(scope.path, scope.query_string, headers)
            if isinstance(place, Place):
                if has_body(headers) or "content-type" in headers:
                    await self._call(scope, protocol, headers, place)
                    return
                # Without another coroutine where none is needed: this is the way of every poll.
                request = _request(scope, headers, place)
                sent = self._at_once(place, request)
                if sent is None or not _sent_whole(scope, protocol, sent):
                    await self._answer(scope, protocol, place, request, sent)
            elif place is None:
                await self._control(scope, protocol, headers)
            else:
                await self._send(scope, protocol, place)
        except BodyError as error:
            await self._send(scope, protocol, deny(Denial(error.status, error.code, str(error))))
        except MockError as error:
            await self._send(scope, protocol, deny(Denial(error.status, error.code, str(error))))
        except ProtocolClosed:
            pass  # the client left, or sent a part of its request only
        except Exception:  # noqa: BLE001  the request ends here
            _LOG.exception("%s %s", scope.method, scope.path[:200])
            detail = "the mock failed; its log has the traceback. Please report it"
            await self._send(scope, protocol, deny(Denial(500, "crash", detail)))

    # Provider calls

    async def _call(
        self, scope: Scope, protocol: HTTPProtocol, headers: Mapping[str, str], place: Place
    ) -> None:
        limits = self._worlds.contracts[place.provider].behaviour.limits
        make = partial(_request, scope, headers, place)
        if headers.get("content-type", "").startswith("multipart/"):
            try:
                await self._form(scope, protocol, headers, place, make, limits)
            except MockError as full:
                sent = await self._elsewhere(self._edge.refuse, place, make(), full)
                await self._send(scope, protocol, sent, place.world)
            return
        body, problem = b"", None
        try:
            body = await self._bodies.read(protocol, headers, limits.json_bytes_max)
        except BodyTooLargeError:
            problem = _too_large("The request body", limits.json_bytes_max)
        request = make(body=body, problem=problem)
        await self._answer(scope, protocol, place, request, self._at_once(place, request))

    def _at_once(self, place: Place, request: Request) -> Outgoing | None:
        """The answer to a request; None if its world, or the look for it, would have to wait."""
        # A real server may take long to answer.
        if not place.world.rows.is_quick or self._edge.forwarded(place, request) is not None:
            return None
        turn = self._edge.turn(place, request)
        rows = turn.world.rows
        if not rows.is_quick or not rows.lock.acquire(blocking=False):
            return None
        try:
            return self._edge.answer(place, turn)
        finally:
            rows.lock.release()

    async def _answer(
        self,
        scope: Scope,
        protocol: HTTPProtocol,
        place: Place,
        request: Request,
        sent: Outgoing | None,
    ) -> None:
        """Send *sent*, or the answer to a request that has to wait."""
        self.waiting += 1
        try:
            if sent is None:
                sent = await self._elsewhere(self._look_and_answer, place, request)
            await self._send(scope, protocol, sent, place.world)
        finally:
            self.waiting -= 1

    def _look_and_answer(self, place: Place, request: Request) -> Outgoing:
        return self._edge.answer(place, self._edge.turn(place, request))

    async def _form(
        self,
        scope: Scope,
        protocol: HTTPProtocol,
        headers: Mapping[str, str],
        place: Place,
        make: Callable[..., Request],
        limits: Limits,
    ) -> None:
        """Answer a call with files, which go to a folder of the call's own."""
        bytes_max = _FORM_FILES * limits.upload_bytes_max + _FORM_MEMORY_BYTES
        with (
            self._uploads.folder() as folder,
            tempfile.SpooledTemporaryFile(_FORM_MEMORY_BYTES, dir=str(folder)) as spool,
        ):
            try:
                await self._bodies.receive(protocol, headers, bytes_max, spool.write)
            except BodyTooLargeError:
                request = make(problem=_too_large("The uploaded file", limits.upload_bytes_max))
                await self._answer(scope, protocol, place, request, None)
                return
            environ = {
                "CONTENT_TYPE": headers["content-type"],
                "CONTENT_LENGTH": str(spool.tell()),
                "wsgi.input": spool,
            }
            spool.seek(0)
            sent = await self._elsewhere(self._answer_form, environ, folder, place, make, limits)
        await self._send(scope, protocol, sent, place.world)

    def _answer_form(
        self,
        environ: Mapping[str, Any],
        folder: Path,
        place: Place,
        make: Callable[..., Request],
        limits: Limits,
    ) -> Outgoing:
        form, problem = read_form(environ, folder, limits)
        return self._look_and_answer(place, make(form=form, problem=problem))

    # Threads

    async def _in_turn(self, world: World, work: Callable[[], T]) -> T:
        """The result of *work*, which needs *world*: at once if that world is free."""
        lock = world.rows.lock
        if world.rows.is_quick and lock.acquire(blocking=False):
            try:
                return work()
            finally:
                lock.release()
        return await self._elsewhere(work)

    async def _elsewhere(self, work: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, work, *arguments)

    # Answers

    async def _send(
        self, scope: Scope, protocol: HTTPProtocol, sent: Outgoing, world: World | None = None
    ) -> None:
        """Send an answer. The pieces of one without a *world* wait by themselves."""
        if _sent_whole(scope, protocol, sent):
            return
        if sent.delay_s:
            await self._streams.pause(protocol, sent.delay_s)
        if sent.waits:
            await self._streams.pass_time(protocol, sent.waits)
        sent.release()
        if sent.is_cut:
            headers, body = fault_effects.no_answer()
            # The server may have closed the connection by then, which is what this asks for.
            with suppress(ProtocolClosed):
                await protocol.response_stream(200, headers).send_bytes(body)
            return
        if isinstance(sent.body, bytes):
            sent.delay_s, sent.waits = 0.0, ()
            _sent_whole(scope, protocol, sent)
            return
        headers = [*sent.headers, _SERVER]
        run = partial(self._in_turn, world) if world is not None else self._elsewhere
        await self._streams.play(protocol, sent.status, headers, sent.body, run)

    async def _control(
        self, scope: Scope, protocol: HTTPProtocol, headers: Mapping[str, str]
    ) -> None:
        body = await self._bodies.read(protocol, headers, _CONTROL_BYTES_MAX)
        sent = await self._elsewhere(call_wsgi, self._rest, scope, headers, body)
        await self._send(scope, protocol, sent)

    def close(self) -> None:
        """Remove the files of uploads that were cut off."""
        self._uploads.close()

    def stop_streams(self) -> None:
        """End every open stream with a comment. Call this on the loop's thread."""
        self._streams.stop()


def _sent_whole(scope: Scope, protocol: HTTPProtocol, sent: Outgoing) -> bool:
    """Send *sent* if it is complete and needs no wait; else False."""
    if sent.delay_s or sent.waits or sent.is_cut or not isinstance(sent.body, bytes):
        return False
    sent.release()
    sent.headers.append(_SERVER)
    protocol.response_bytes(sent.status, sent.headers, sent.body if scope.method != "HEAD" else b"")
    return True


def _request(scope: Scope, headers: Mapping[str, str], place: Place, **body: Any) -> Request:
    return Request(
        method=scope.method,
        path=place.path,
        query=scope.query_string,
        headers=headers,
        base_url=place.base_url(scope.scheme, headers["host"]),
        peer=scope.client.rpartition(":")[0],
        **body,
    )


def _too_large(what: str, limit: int) -> BodyProblem:
    return BodyProblem("too_large", {"what": what, "limit": limit})


def _headers(scope: Scope) -> Mapping[str, str]:
    """The headers by lower-case name; values of a repeated one are joined as HTTP allows."""
    sent = scope.headers
    if "host" in sent and len(sent) == len(sent.values()):  # type: ignore[arg-type]  # as hinted
        # The server's own object: most requests are answered with a look at two of its values.
        return cast("Mapping[str, str]", sent)
    headers: dict[str, str] = {}
    for name, value in sent.items():
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    if "host" not in headers and scope.authority:
        headers["host"] = scope.authority
    return headers

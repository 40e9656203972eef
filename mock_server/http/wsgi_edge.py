"""The edge as a WSGI application: for clients in the same process and for other WSGI servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from screentest.specs.wsgi_environ import headers_of

from ..engine.provider import Request
from ..engine.worlds import Worlds
from ..kernel.environ_keys import BELIEVED_BASE, SLEEP
from ..kernel.errors import MockError
from . import fault_effects
from .edge import Edge, Place, deny
from .forms import read_bytes, read_form
from .guard import Denial
from .pieces import PROBE_S, Outgoing, Pause, Piece, Pieces, Until
from .sse import Waiter
from .uploads import Uploads

Sleep = Callable[[float], None]

_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class WSGIEdge:
    """Answers provider calls by *edge* and everything else by *rest*, which is Flask."""

    def __init__(self, edge: Edge, worlds: Worlds, waiter: Waiter, rest: WSGIApplication) -> None:
        self._edge = edge
        self._worlds = worlds
        self._waiter = waiter
        self._rest = rest
        self._uploads = Uploads()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        headers = headers_of(environ)
        is_trusted = BELIEVED_BASE in environ
        path = _decoded(environ.get("PATH_INFO", ""))
        query = environ.get("QUERY_STRING", "")
        place = self._edge.place(path, query, headers, is_trusted=is_trusted)
        if place is None:
            return self._rest(environ, start)
        if isinstance(place, Outgoing):
            return self._send(environ, start, place)
        return self._call(environ, headers, start, place)

    def _call(
        self,
        environ: WSGIEnvironment,
        headers: Mapping[str, str],
        start: StartResponse,
        place: Place,
    ) -> Iterable[bytes]:
        limits = self._worlds.contracts[place.provider].behaviour.limits
        if not environ.get("CONTENT_TYPE", "").startswith("multipart/"):
            body, problem = read_bytes(environ, limits.json_bytes_max)
            request = _request(environ, headers, place, body=body, problem=problem)
            return self._send(environ, start, self._answer(environ, place, request))
        try:
            with self._uploads.folder() as folder:
                form, problem = read_form(environ, folder, limits)
                request = _request(environ, headers, place, form=form, problem=problem)
                sent = self._answer(environ, place, request)
        except MockError as full:
            sent = self._refuse(environ, headers, place, full)
        return self._send(environ, start, sent)

    def _refuse(
        self, environ: WSGIEnvironment, headers: Mapping[str, str], place: Place, full: MockError
    ) -> Outgoing:
        try:
            return self._edge.refuse(place, _request(environ, headers, place), full)
        except MockError as away:
            return deny(Denial(away.status, away.code, str(away)))

    def _answer(self, environ: WSGIEnvironment, place: Place, request: Request) -> Outgoing:
        is_socket = BELIEVED_BASE not in environ
        try:
            turn = self._edge.turn(place, request)
        except MockError as away:
            return deny(Denial(away.status, away.code, str(away)))
        return self._edge.answer(place, turn, fills_blocks=is_socket)

    def _send(
        self, environ: WSGIEnvironment, start: StartResponse, sent: Outgoing
    ) -> Iterable[bytes]:
        sleep: Sleep = environ.get(SLEEP, time.sleep)
        if sent.delay_s:
            sleep(sent.delay_s)
        for until in sent.waits:
            if not self._pass_time(until, environ.get(SLEEP)):
                break
        sent.release()
        if sent.is_cut:
            if BELIEVED_BASE in environ:
                raise fault_effects.ConnectionCutError("closed by an injected fault")
            headers, body = fault_effects.no_answer()
            start(_status_line(200), headers)
            return iter([body])
        start(_status_line(sent.status), sent.headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        if isinstance(sent.body, bytes):
            return [sent.body]
        return self._played(sent.body, sleep)

    def _pass_time(self, until: Until, sleep: Sleep | None) -> bool:
        """Wait as *until* says. False when nothing can move any more.

        A client in this process that brings its own *sleep* moves the clock of the world by it.
        """
        if sleep is None or until.due_ms is None:
            return self._waiter.wait(until)
        sleep((until.due_ms - self._worlds.clocks.now_ms(until.world)) / 1_000)
        return True

    def _played(self, pieces: Pieces, sleep: Sleep) -> Iterator[bytes]:
        """The bytes of *pieces*, with their waits. An empty piece makes a server check its client.

        Closing this closes *pieces*, which then end their job where the contract says so.
        """
        source = iter(pieces)
        try:
            for piece in source:
                if isinstance(piece, bytes):
                    yield piece
                elif isinstance(piece, Pause):
                    yield from _pause(piece.seconds, sleep)
                else:
                    if not self._waiter.wait(piece):
                        return
                    if self._waiter.has_clients:
                        yield b""
        finally:
            close: Callable[[], None] | None = getattr(source, "close", None)
            if close is not None:
                close()


def _pause(seconds: float, sleep: Sleep) -> Iterator[bytes]:
    if sleep is not time.sleep:
        sleep(seconds)
        return
    while seconds > PROBE_S:
        time.sleep(PROBE_S)
        seconds -= PROBE_S
        yield b""
    time.sleep(seconds)


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status, f"{status} Unknown")


def _decoded(path: str) -> str:
    """*path* as text: WSGI passes it as Latin-1. Bytes that are not UTF-8 are replaced."""
    if path.isascii():
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def _request(
    environ: Mapping[str, Any], headers: Mapping[str, str], place: Place, **body: Any
) -> Request:
    base_url: str = environ.get(BELIEVED_BASE) or place.base_url(
        environ["wsgi.url_scheme"], environ["HTTP_HOST"]
    )
    return Request(
        method=environ["REQUEST_METHOD"],
        path=place.path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        base_url=base_url,
        peer=environ.get("REMOTE_ADDR", ""),
        **body,
    )


__all__ = ["Piece", "WSGIEdge"]

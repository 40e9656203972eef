"""The WSGI edge: provider calls go straight to the pipeline, everything rare to Flask.

Flask's own dispatch costs more than the whole rest of a status poll, so provider paths never meet
it. This is the only place that turns WSGI into `Request` and `Reply` into WSGI.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import orjson

from screentest.specs.redaction import looks_live

from ..engine.provider import Asset, EventStream, Reply, Request
from ..engine.world import World
from ..engine.worlds import DEFAULT_WORLD, Worlds
from ..pipeline.handle import Handled, handle, note_refusal
from ..pipeline.self_check import failure
from . import fault_effects
from .assets import find_asset, send_asset
from .environ_keys import BELIEVED_BASE, FILES, SLEEP
from .forms import read_bytes, read_form
from .guard import Denial, Guard, check_size
from .problems import problem
from .sse import Streams

#: Is told what the user of the mock should know at once, in a sentence.
Warner = Callable[[str], None]
#: On stderr, unless the program has set logging up.
warn_in_log: Warner = logging.getLogger("screentest").warning

CONTROL = "/_screentest"
#: Is told of every handled request, with the milliseconds it took; it must not keep the call.
Observer = Callable[[Handled, float], None]
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# Servers mix the process's variables into the environ; HTTP_PROXY is no header of anybody's.
_VARIABLES = frozenset(name for name in os.environ if name.startswith("HTTP_"))
#: Room for the texts around the files of a form.
_FORM_EXTRA_BYTES = 1024 * 1024


class Edge:
    """Routes by path: a provider, a stored file, or *rest* (Flask). *observe* sees every call."""

    def __init__(
        self,
        worlds: Worlds,
        streams: Streams,
        guard: Guard,
        rest: WSGIApplication,
        *,
        is_pure: bool = False,
        observe: Observer | None = None,
        warn: Warner = warn_in_log,
    ) -> None:
        self._worlds = worlds
        self._streams = streams
        self._guard = guard
        self._rest = rest
        self._is_pure = is_pure
        self._observe = observe
        self._warn = warn
        self._has_warned = False

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        headers = _headers(environ)
        denied = check_size(environ, headers)
        if denied is None and BELIEVED_BASE not in environ:
            denied = self._guard.check_host(environ)
        if denied is not None:
            return deny(denied, start)
        path: str = environ.get("PATH_INFO", "")
        world_id, base, inner = DEFAULT_WORLD, "", path
        if path.startswith("/w/"):
            _, _, world_id, *_rest = path.split("/", 3)
            base = f"/w/{world_id}"
            inner = path[len(base) :]
        provider, slash, below = inner[1:].partition("/")
        if provider not in self._worlds.contracts:
            return self._rest(environ, start)
        world = self._worlds.find(world_id)
        if world is None:
            return deny(Denial(404, "unknown_world", f"no world {world_id[:64]!r}"), start)
        below = _decoded(slash + below)
        if below.startswith(FILES):
            return self._serve_file(environ, headers, start, world, provider, below)
        return self._call(environ, headers, start, world, provider, f"{base}/{provider}", below)

    def _serve_file(
        self,
        environ: WSGIEnvironment,
        headers: Mapping[str, str],
        start: StartResponse,
        world: World,
        provider: str,
        path: str,
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        request = _request(environ, headers, path, "")
        name = path.removeprefix(FILES)
        try:
            found = find_asset(self._worlds, world, provider, name, request.method, request.query)
        except Exception as error:  # noqa: BLE001  the request ends here, journaled
            found = failure(self._worlds.contracts[provider], error)
        if isinstance(found, Asset):
            return send_asset(found, environ, start)
        handled = note_refusal(self._worlds, world, provider, request, found)
        self._tell(handled, began)
        return self._send(environ, start, handled)

    def _call(
        self,
        environ: WSGIEnvironment,
        headers: Mapping[str, str],
        start: StartResponse,
        world: World,
        provider: str,
        base: str,
        path: str,
    ) -> Iterable[bytes]:
        base_url: str = environ.get(BELIEVED_BASE) or (
            f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{base}"
        )
        content_type = environ.get("CONTENT_TYPE", "")
        if not content_type.startswith("multipart/"):
            limit = self._worlds.contracts[provider].behaviour.limits.json_bytes_max
            body, problem = read_bytes(environ, limit)
            request = _request(environ, headers, path, base_url, body=body, problem=problem)
            return self._answer(environ, start, world, provider, request)
        folder = Path(tempfile.mkdtemp(prefix="screentest-"))
        try:
            limits = self._worlds.contracts[provider].behaviour.limits
            form, problem = read_form(environ, folder, limits)
            request = _request(environ, headers, path, base_url, form=form, problem=problem)
            return self._answer(environ, start, world, provider, request)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _answer(
        self,
        environ: WSGIEnvironment,
        start: StartResponse,
        world: World,
        provider: str,
        request: Request,
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        handled = handle(self._worlds, world, provider, request)
        self._warn_of_real_key(handled)
        self._tell(handled, began)
        return self._send(environ, start, handled)

    def _tell(self, handled: Handled, began: float) -> None:
        if self._observe is not None:
            self._observe(handled, (time.perf_counter() - began) * 1_000)

    def _warn_of_real_key(self, handled: Handled) -> None:
        """Real keys get pasted in; one word about it, whoever presents how many."""
        refusal = getattr(handled.answer, "refusal", None)
        if self._has_warned or refusal is None or refusal.reason != "unknown_credential":
            return
        if looks_live(str(refusal.facts.get("sent", ""))):
            self._has_warned = True
            self._warn(
                "a key that this mock did not make looks like a real one; it is not needed here, "
                "and was not kept: take one from `screentest env`"
            )

    def _send(
        self, environ: WSGIEnvironment, start: StartResponse, handled: Handled
    ) -> Iterable[bytes]:
        answer = handled.answer
        sleep = environ.get(SLEEP, time.sleep)
        fault_effects.delay(handled.faults, sleep)
        handled.world.unanswered.pop(handled.number, None)
        if fault_effects.is_cut_off(handled.faults):
            if BELIEVED_BASE in environ:
                raise fault_effects.ConnectionCutError("the connection was closed, as ordered")
            nothing, never_sent = fault_effects.no_answer()
            start(_status_line(200), nothing)
            return never_sent
        headers = list(answer.headers.items())
        if not self._is_pure:
            headers.append(("X-Screentest-Request-Id", f"req_{handled.number}"))
        if isinstance(answer, EventStream):
            return self._stream(environ, start, handled, answer, headers)
        if answer.reason is not None and answer.status >= 400 and not self._is_pure:
            headers.append(("X-Screentest-Reason", answer.reason))
        body = b""
        if answer.body is not None:
            body = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)
            headers.append(("Content-Type", answer.content_type))
        headers.append(("Content-Length", str(len(body))))
        spoilt, sent = fault_effects.spoil_body(handled.faults, headers, body, sleep)
        start(_status_line(answer.status), spoilt)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else sent

    def _stream(
        self,
        environ: WSGIEnvironment,
        start: StartResponse,
        handled: Handled,
        stream: EventStream,
        headers: list[tuple[str, str]],
    ) -> Iterator[bytes] | list[bytes]:
        events = self._streams.begin(handled.world, stream)
        if events is None:
            busy = Denial(
                503, "too_many_streams", "too many open streams; close some and try again"
            )
            return deny(busy, start)
        headers += [
            ("Content-Type", "text/event-stream; charset=utf-8"),
            ("Cache-Control", "no-cache"),
            ("X-Accel-Buffering", "no"),
        ]
        sleep = environ.get(SLEEP, time.sleep)
        is_socket = BELIEVED_BASE not in environ
        headers, events = fault_effects.spoil_stream(
            handled.faults, headers, events, sleep, fills_blocks=is_socket
        )
        start(_status_line(stream.status), headers)
        return events


def deny(denial: Denial, start: StartResponse) -> list[bytes]:
    """An answer of the mock's own, as problem+json."""
    headers, body = problem(denial)
    start(_status_line(denial.status), [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _status_line(status: int) -> str:
    return _STATUS_LINES.get(status, f"{status} Unknown")


def _decoded(path: str) -> str:
    """WSGI hands paths over as Latin-1; what is no UTF-8 stays visible as a replacement."""
    if path.isascii():
        return path
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


@lru_cache(maxsize=256)
def _header_name(variable: str) -> str:
    return variable.removeprefix("HTTP_").replace("_", "-").lower()


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        _header_name(name): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in _VARIABLES
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers


def _request(
    environ: Mapping[str, Any], headers: Mapping[str, str], path: str, base_url: str, **body: Any
) -> Request:
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        query=environ.get("QUERY_STRING", ""),
        headers=headers,
        base_url=base_url,
        peer=environ.get("REMOTE_ADDR", ""),
        **body,
    )


__all__ = ["CONTROL", "Edge", "Reply", "deny"]

"""Flask behind the server: the control API and everything else that is rare, on threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.types import WSGIApplication

from screentest.specs.wsgi_environ import wsgi_environ

from ..pieces import Outgoing

if TYPE_CHECKING:
    from granian.rsgi import Scope


def call_wsgi(
    app: WSGIApplication, scope: Scope, headers: Mapping[str, str], body: bytes
) -> Outgoing:
    """The answer of *app*; it is a stream if its length is not known."""
    started: list[tuple[int, list[tuple[str, str]]]] = []

    def start(status: str, response_headers: list[tuple[str, str]], *_: object) -> Any:
        started.append((int(status[:3]), response_headers))

    pieces = app(_environ(scope, headers, body), start)
    status, response_headers = started[0]
    is_whole = any(name.lower() == "content-length" for name, _ in response_headers)
    if is_whole or scope.method == "HEAD":
        return Outgoing(status, response_headers, b"".join(pieces))
    return Outgoing(status, response_headers, _stream(pieces))


def _stream(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """*pieces* that are closed when this is."""
    try:
        yield from pieces
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _environ(scope: Scope, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    host, _, port = scope.server.rpartition(":")
    environ = wsgi_environ(
        scope.method,
        scope.path.encode(),
        scope.query_string,
        headers.items(),
        body,
        scheme=scope.scheme,
        server=(host, port),
    )
    environ["REQUEST_URI"] = quote(scope.path)
    environ["SERVER_PROTOCOL"] = f"HTTP/{scope.http_version}"
    environ["REMOTE_ADDR"] = scope.client.rpartition(":")[0]
    environ["wsgi.input_terminated"] = True
    return environ

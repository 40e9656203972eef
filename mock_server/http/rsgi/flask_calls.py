"""Flask behind the server: the control API and everything else that is rare, on threads."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from wsgiref.types import WSGIApplication

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
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REQUEST_URI": quote(scope.path),
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0],
        "CONTENT_LENGTH": str(len(body)) if body else headers.get("content-length", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        variable = name.upper().replace("-", "_")
        if variable == "CONTENT_TYPE":
            environ[variable] = value
        elif variable not in {"CONTENT_LENGTH", "TRANSFER_ENCODING"}:
            environ[f"HTTP_{variable}"] = value
    return environ

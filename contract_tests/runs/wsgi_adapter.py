"""A WSGI application in front of a target, and the reading of WSGI requests.

With it, a program that tests WSGI applications can test any target: a mock with its own clock, or
a server at an address, behind its guard.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from screentest.specs.wsgi_environ import headers_of

from ..sessions.session import Session
from ..targets.guard import BUDGET_HEADER, ReadOnlyError, SpentError
from ..targets.live import UnreachableError
from ..targets.needs import UnableError
from ..targets.target import Identity, OutgoingRequest
from ..traces.trace import Raw

#: The path of the contract's OpenAPI file, for tools that load a schema from the server.
SCHEMA_PATH = "/openapi.json"
#: Time that passes before each request where the clock is ours, so that jobs move and rate windows
#: make room.
_PAUSE_MS = 5_000
_TOO_MANY = 429
_HOP_HEADERS = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "te",
        "upgrade",
        "proxy-authorization",
        "host",
        "content-length",
        "accept-encoding",
    }
)


@dataclass(slots=True)
class Front:
    """Passes requests on to the target of *session*, and reads the balance of its *owner*.

    A server that cannot be reached ends the caller's run; `unreachable` keeps the reason.
    """

    session: Session
    owner: Identity
    unreachable: UnreachableError | None = field(default=None, init=False)

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == SCHEMA_PATH:
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(self.session.contract.document).encode()]
        return answer(self._send(wire_of(environ)), start)

    def _send(self, wire: OutgoingRequest) -> Raw:
        target = self.session.target
        self._look_at_money()
        if target.controls is not None:
            target.wait(_PAUSE_MS)
            self._look_at_money()
        try:
            raw = target.send(wire)
            return target.send(wire) if raw.status == _TOO_MANY and self._made_room() else raw
        except SpentError as error:
            return refusal(wire, 402, "exhausted", str(error), target.now_ms())
        except ReadOnlyError as error:
            return refusal(wire, 403, "read-only", str(error), target.now_ms())
        except UnreachableError as error:
            self.unreachable = error
            raise

    def _made_room(self) -> bool:
        """Whether jobs of earlier requests ran, which fill a cap; they have ended now."""
        before = len(self.session.trace.events)
        with suppress(UnableError):
            self.session.resources.finish_all()
        return len(self.session.trace.events) > before

    def _look_at_money(self) -> None:
        """Read the balance right after one request and before the next, to judge each alone."""
        if self.session.wallet.has_money and self.session.target.controls is not None:
            self.session.wallet.balance(self.owner)


def wire_of(environ: Any) -> OutgoingRequest:
    """The request of a WSGI environment, without hop-by-hop headers."""
    sent = {name: it for name, it in headers_of(environ).items() if name not in _HOP_HEADERS}
    # A body in chunks has no length; the server knows its end.
    length = -1 if environ.get("wsgi.input_terminated") else int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    # WSGI has decoded the percent signs; an encoded slash in an id must stay encoded.
    path = quote(environ["PATH_INFO"].encode("latin-1"))
    return OutgoingRequest(
        environ["REQUEST_METHOD"], path, environ.get("QUERY_STRING", ""), sent, body
    )


def answer(raw: Raw, start: Any) -> Iterable[bytes]:
    """*raw* as the answer of a WSGI application."""
    length = str(len(raw.body))
    if raw.method == "HEAD":
        length = raw.headers.get("content-length", length)
    start(status_line(raw.status), [*passed_on(raw.headers), ("Content-Length", length)])
    return [raw.body]


def passed_on(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    """*headers* without hop-by-hop headers."""
    return [(name, value) for name, value in headers.items() if name not in _HOP_HEADERS]


def refusal(wire: OutgoingRequest, status: int, why: str, detail: str, at_ms: int) -> Raw:
    """An answer of the guard itself; a header marks it as not the server's."""
    headers = {"content-type": "application/json", BUDGET_HEADER: why}
    body = json.dumps({"detail": f"stopped by the guard of screentest: {detail}"}).encode()
    return wire.answered(status, headers, body, at_ms)


def status_line(status: int) -> str:
    """`404 Not Found`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"

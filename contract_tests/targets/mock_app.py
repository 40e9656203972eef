"""The mock as a WSGI application in this process, and its control API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

from msgspec.structs import replace

from screentest import create_app
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.wsgi_environ import wsgi_environ

from ..traces.trace import SeenDelivery


class App(Protocol):
    """A mock, or a mock with a defect; *receivers* take webhooks inside this process, by name."""

    @property
    def receivers(self) -> dict[str, Any]: ...

    def __call__(self, environ: Any, start: Any, /) -> Iterable[bytes]: ...


@dataclass(slots=True)
class MockApp:
    """The mock as an `App`."""

    wsgi: Callable[..., Iterable[bytes]]

    receivers: dict[str, Any]

    def __call__(self, environ: Any, start: Any, /) -> Iterable[bytes]:
        return self.wsgi(environ, start)


def make_app(contract: Contract) -> App:
    """A fresh mock of *contract*'s provider, as a WSGI application in memory."""
    app = create_app(contracts=[contract], warn=_ignore_warning)
    return MockApp(app, app.extensions["screentest.receivers"])


def _ignore_warning(_text: str) -> None:
    """Ignore warnings: the kit does on purpose what users are warned about."""


@dataclass(frozen=True, slots=True)
class MockClient:
    """Calls *app*, and its control API."""

    app: App

    def control(self, method: str, path: str, body: Json = None) -> Json:
        """The answer of the control API; the call must succeed."""
        status, answer = self.attempt(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def attempt(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        """The status and the body that the control API answers."""
        headers = {"content-type": "application/json"} if body is not None else {}
        sent = json.dumps(body).encode() if body is not None else b""
        status, _, pieces = self.call(method, f"/_screentest{path}", "", headers, sent)
        raw = b"".join(pieces)
        return status, json.loads(raw) if raw else None

    def call(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Iterable[bytes]]:
        """Status, headers and pieces of the body."""
        # An application gets the whole body: chunks are a matter of connections.
        known = {name: it for name, it in headers.items() if name != "transfer-encoding"}
        sent_headers = {"Host": "localhost", **known}.items()
        environ = wsgi_environ(method, unquote_to_bytes(path), query, sent_headers, body)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, sent: list[tuple[str, str]], _: object = None) -> None:
            started.append((status, sent))

        pieces = self.app(environ, start)
        if not started:  # a generator that has not begun yet
            pieces = list(pieces)
        status, sent = started[-1]
        return int(status[:3]), {name.lower(): value for name, value in sent}, pieces


def instant_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 instant."""
    whole = datetime.fromisoformat(text.replace("Z", "+00:00"))
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def bent(taken: Sequence[SeenDelivery], how: str) -> list[SeenDelivery]:
    """*taken* as a provider with the defect *how* would have sent it; unchanged if it is empty."""
    match how:
        case "drop":
            return []
        case "drop_retries":
            return [it for it in taken if it.verdict < 300] or list(taken[:1])
        case "repeat":
            return [it for one in taken for it in (one, one)]
        case "reserialise":
            return [replace(it, body=json.dumps(it.payload, indent=1).encode()) for it in taken]
        case "new_id":
            return [
                replace(it, body=it.body.replace(b'"id":"evt_', f'"id":"evt_{number}'.encode()))
                for number, it in enumerate(taken)
            ]
        case "no_timestamp":
            return [
                replace(
                    it,
                    headers={
                        name: value for name, value in it.headers.items() if "timestamp" not in name
                    },
                )
                for it in taken
            ]
        case "no_type":
            return [replace(it, body=it.body.replace(b'"type"', b'"kind"')) for it in taken]
        case "lie":
            return [replace(it, body=it.body.replace(b"completed", b"failed")) for it in taken]
        case _:
            return list(taken)

"""The one place where the kit meets the mock: a target in this process, on a clock of its own.

Requests are WSGI calls and waiting moves the clock, so a day costs microseconds. Everything beyond
that uses the control API, as a downstream test does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from screentest import create_app
from screentest.specs.contract import Contract
from screentest.specs.json_types import Json

from ..traces.trace import Balance, Raw, SeenDelivery
from .target import Identity, OutgoingRequest, ReceiverEndpoint


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


#: The first instant of every world of the kit.
START = "2026-01-01T00:00:00Z"
_HOST = "localhost"
#: More than any documented wait; in process nothing is slow.
_PATIENCE_MS = 30 * 24 * 3_600_000


def make_app(contract: Contract) -> App:
    """A fresh mock of *contract*'s provider, as a WSGI application in memory."""
    app = create_app(contracts=[contract], warn=_warn_nobody)
    return MockApp(app, app.extensions["screentest.receivers"])


def _warn_nobody(_told: str) -> None:
    """The kit does what users are warned of on purpose, and reports what comes of it."""


@dataclass(slots=True)
class InProcessTarget:
    """A world of the mock *app*. *seed* draws its durations, ids and media."""

    app: App
    contract: Contract
    seed: int = 1
    patience_ms: int = _PATIENCE_MS
    bend_deliveries: str = ""
    readings: Mapping[str, str] = field(default_factory=dict[str, str])
    _world: str = ""
    _now_ms: int = 0
    _owner: Identity | None = None
    _stranger: Identity | None = None
    _inbox: _Inbox = field(default_factory=lambda: _Inbox())

    def __post_init__(self) -> None:
        body = {"seed": self.seed, "clock": {"mode": "manual", "now": START}}
        made = self._control("POST", "/worlds", body)
        self._world = made["id"]
        self._now_ms = instant_ms(made["clock"]["now"])
        if self.readings:
            self._control("PATCH", f"{self._path}/interpretations", dict(self.readings))

    # The target

    @property
    def name(self) -> str:
        return "mock, in process"

    @property
    def owner(self) -> Identity:
        if self._owner is None:
            self._owner = self.new_identity("owner")
        return self._owner

    @property
    def stranger(self) -> Identity | None:
        if self._stranger is None:
            self._stranger = self.new_identity("stranger")
        return self._stranger

    @property
    def controls(self) -> InProcessTarget:
        return self

    def now_ms(self) -> int:
        return self._now_ms

    def wait(self, ms: int) -> None:
        if ms > 0:
            self._control("POST", f"{self._path}/clock/advance", {"by_ms": ms})
            self._now_ms += ms

    def close(self) -> None:
        self._control("DELETE", self._path)
        self.app.receivers.pop(f"kit-{self._world}", None)

    def send(self, wire: OutgoingRequest) -> Raw:
        base = f"/w/{self._world}/{self.contract.provider}"
        return self._exchange(wire, base + wire.path)

    def fetch(self, url: str) -> Raw:
        parts = urlsplit(url)
        wire = OutgoingRequest("GET", parts.path, parts.query)
        return self._exchange(wire, parts.path)

    def _exchange(self, wire: OutgoingRequest, path: str) -> Raw:
        at_ms = self._now_ms
        status, headers, pieces = self._call(wire.method, path, wire.query, wire.headers, wire.body)
        is_stream = headers.get("content-type", "").startswith("text/event-stream")
        received: list[tuple[int, bytes]] = []
        for piece in pieces:
            if is_stream:
                self._look_at_clock()
            received.append((self._now_ms, piece))
        body = b"".join(piece for _, piece in received)
        return Raw(
            wire.method,
            wire.path,
            wire.query,
            wire.headers,
            wire.body,
            status,
            headers,
            body,
            at_ms,
            self._now_ms,
            tuple(received) if is_stream else (),
        )

    def _look_at_clock(self) -> None:
        """Reading a stream moves the clock of a mock in process."""
        self._now_ms = instant_ms(self._control("GET", f"{self._path}/clock")["now"])

    # Levers

    @property
    def _path(self) -> str:
        return f"/worlds/{self._world}"

    def new_identity(
        self, name: str, *, credits: int | None = None, tier: str | None = None
    ) -> Identity:
        body: dict[str, Json] = {"provider": self.contract.provider}
        if credits is not None:
            body["credits"] = credits
        if tier is not None:
            body["tier"] = tier
        made = self._control("POST", f"{self._path}/accounts", body)
        keys = {kind: made[kind] for kind in ("api_key", "bearer") if made.get(kind)}
        return Identity(name, keys, made["id"])

    def balance(self, identity: Identity) -> Balance:
        shown = self._control("GET", f"{self._path}/accounts/{identity.account}")["credits"]
        return Balance(self._now_ms, identity.label, shown["available"], shown["held"])

    def set_credits(self, identity: Identity, credits: int) -> None:
        self._control("PATCH", f"{self._path}/accounts/{identity.account}", {"credits": credits})

    def revoke(self, identity: Identity) -> None:
        path = f"{self._path}/accounts/{identity.account}"
        self._control("PATCH", path, {"api_key_revoked": True})

    def with_further_key(self, identity: Identity) -> Identity:
        made = self._control("POST", f"{self._path}/accounts/{identity.account}/keys", {})
        keys = {kind: made[kind] for kind in ("api_key", "bearer") if made.get(kind)}
        return Identity(identity.name, keys, identity.account)

    def fail_next(self, identity: Identity, operation: str) -> None:
        self._order("job_failure", identity, operation, reason="the kit wants to see a failure")

    def cut_next(self, identity: Identity, operation: str) -> None:
        self._order("stream_cut", identity, operation, after_events=1)

    def _order(self, fault: str, identity: Identity, operation: str, **attributes: Json) -> None:
        where = {"operation": operation, "account": identity.account}
        order = {"type": fault, "where": where, "times": 1, "attributes": attributes}
        self._control("POST", f"{self._path}/faults", order)

    def break_next(self, identity: Identity, operation: str) -> None:
        order = {
            "type": "http_error",
            "where": {"operation": operation, "account": identity.account},
            "phase": "after_commit",
            "attributes": {"status": 500},
        }
        self._control("POST", f"{self._path}/faults", order)

    def hold(self, job: str, *, held: bool) -> bool:
        return self._try("PATCH", f"{self._path}/jobs/{job}", {"held": held})[0] == 200

    def details(self, job: str) -> Json:
        status, shown = self._try("GET", f"{self._path}/jobs/{job}")
        return shown.get("details") if status == 200 else None

    def next_due_ms(self) -> int | None:
        due = self._control("GET", f"{self._path}/clock")["next"]
        return instant_ms(due["at"]) if due is not None else None

    def new_endpoint(self, identity: Identity, events: Sequence[str]) -> ReceiverEndpoint | None:
        name = f"kit-{self._world}"
        self.app.receivers[name] = self._inbox
        body = {
            "provider": self.contract.provider,
            "account": identity.account,
            "url": f"wsgi:{name}",
            "events": list(events),
        }
        status, made = self._try("POST", f"{self._path}/webhooks/endpoints", body)
        return ReceiverEndpoint(made["id"], made["secret"]) if status == 201 else None

    def rotate(self, endpoint: ReceiverEndpoint) -> ReceiverEndpoint:
        path = f"{self._path}/webhooks/endpoints/{endpoint.id}/rotate"
        return ReceiverEndpoint(endpoint.id, self._control("POST", path, {})["secret"])

    def answer_deliveries(self, statuses: Sequence[int]) -> None:
        self._inbox.answers = list(statuses)

    def deliveries(self) -> list[SeenDelivery]:
        return bent(self._inbox.taken, self.bend_deliveries)

    def on_delivery(self, act: Callable[[], None]) -> None:
        self._inbox.on_delivery = act

    # The wire

    def _control(self, method: str, path: str, body: Json = None) -> Json:
        status, answer = self._try(method, path, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def _try(self, method: str, path: str, body: Json = None) -> tuple[int, Json]:
        headers = {"content-type": "application/json"} if body is not None else {}
        sent = json.dumps(body).encode() if body is not None else b""
        status, _, pieces = self._call(method, f"/_screentest{path}", "", headers, sent)
        raw = b"".join(pieces)
        return status, json.loads(raw) if raw else None

    def _call(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Iterable[bytes]]:
        environ = environ_of(method, path, query, headers, body)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, sent: list[tuple[str, str]], _: object = None) -> None:
            started.append((status, sent))

        pieces = self.app(environ, start)
        if not started:  # a generator that has not begun yet
            pieces = list(pieces)
        status, sent = started[-1]
        return int(status[:3]), {name.lower(): value for name, value in sent}, pieces


def environ_of(
    method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """A WSGI environment for one request to this host."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, "latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": _HOST,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": _HOST,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def instant_ms(text: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 instant."""
    whole = datetime.fromisoformat(text.replace("Z", "+00:00"))
    since = whole - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


@dataclass(slots=True)
class _Inbox:
    """Receives webhooks inside this process. *answers* are the statuses of the next answers.

    *on_delivery* is called while the sender still waits for the answer.
    """

    answers: list[int] = field(default_factory=list[int])
    taken: list[SeenDelivery] = field(default_factory=list[SeenDelivery])
    on_delivery: Callable[[], None] = lambda: None

    def __call__(self, environ: Any, start: Any, /) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        status = self.answers.pop(0) if self.answers else 200
        self.taken.append(SeenDelivery(0, headers, body, status))
        self.on_delivery()
        start(f"{status} X", [("Content-Length", "0")])
        return [b""]


def bent(taken: Sequence[SeenDelivery], how: str) -> list[SeenDelivery]:
    """*taken* as a provider with a defect would have sent it; as it is when *how* is empty."""
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

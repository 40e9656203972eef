"""What happened between a client and a provider, as data: exchanges, balances, deliveries.

A trace can come from our own scenarios, a fuzzer, a proxy, the journal of the mock or a HAR file;
rules are judged in the same way for all of them. A trace never contains keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from urllib.parse import parse_qsl

from msgspec import Struct

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import query_without_secrets, without_secrets
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation

from .strict_json import read_json


class Missing:
    """The value of an expression without a value."""

    def __repr__(self) -> str:
        return "nothing"


MISSING = Missing()


class LackingPart(Enum):
    """The parts of an exchange that a recording may lack. A part that is missing is not judged."""

    CALLER = "caller"
    SENT = "sent"
    HEADERS = "headers"
    BODY = "body"


class StreamEvent(Struct, frozen=True):
    """One event of a stream: its time, and its decoded data (None if it could not be decoded)."""

    at_ms: int
    payload: Json
    text: str = ""


class Exchange(Struct, frozen=True):
    """One request with its answer. *number* counts within the trace, from 1.

    *actor* names the caller: `owner`, `stranger`, `anonymous` for no key, or `unknown` for a key
    that the server does not know. *key* distinguishes credentials without containing one. *sent*
    and *reply* are decoded bodies, None if absent; *broken* says that the answer's JSON did not
    parse. *chunks* counts the pieces of a stream; 0 if they are unknown. *lacks* are the parts
    that were not recorded.
    """

    number: int
    at_ms: int
    actor: str
    key: str
    operation: str
    method: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: bytes
    sent: Json
    status: int
    headers: Mapping[str, str]
    body: bytes
    reply: Json
    path_values: Mapping[str, str] = {}
    ended_ms: int = 0
    events: tuple[StreamEvent, ...] = ()
    chunks: int = 0
    broken: bool = False
    lacks: frozenset[LackingPart] = frozenset()

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_stream(self) -> bool:
        return self.content_type == "text/event-stream"

    @property
    def address(self) -> str:
        """The path with the query."""
        return self.path + (f"?{self.query}" if self.query else "")

    @property
    def line(self) -> str:
        """`POST /v1/videos → 200`."""
        return f"{self.method} {self.address} → {self.status}"


def asked_only(operation: str, sent: Json) -> Exchange:
    """A request with the decoded body *sent* that is not sent: facts are read from it."""
    return Exchange(
        number=0,
        at_ms=0,
        actor="",
        key="",
        operation=operation,
        method="",
        path="",
        query="",
        request_headers={},
        request_body=b"",
        sent=sent,
        status=0,
        headers={},
        body=b"",
        reply=None,
    )


class Balance(Struct, frozen=True):
    """The credits of *actor* at one moment."""

    at_ms: int
    actor: str
    available: int
    held: int = 0

    @property
    def total(self) -> int:
        return self.available + self.held


class SeenDelivery(Struct, frozen=True):
    """One attempt to deliver a webhook. *verdict* is the status that the receiver answered."""

    at_ms: int
    headers: Mapping[str, str]
    body: bytes
    verdict: int
    secret: str = ""

    @property
    def payload(self) -> Json:
        try:
            return read_json(self.body)
        except ValueError:
            return None


Event = Exchange | Balance | SeenDelivery


class Trace(Struct):
    """Events in the order in which they happened, at instants of the server's clock.

    That clock ran *time_scale* times as fast as that of the observer.
    """

    provider: str
    events: list[Event] = []
    time_scale: float = 1.0

    def add(self, event: Event) -> None:
        self.events.append(event)

    @property
    def exchanges(self) -> list[Exchange]:
        return [event for event in self.events if isinstance(event, Exchange)]


class Raw(Struct, frozen=True):
    """An exchange as sent and received, before its operation is known."""

    method: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    at_ms: int
    ended_ms: int = 0
    pieces: tuple[tuple[int, bytes], ...] = ()
    lacks: frozenset[LackingPart] = frozenset()


def understand(
    contract: Contract, raw: Raw, *, number: int, actor: str, key: str, sent: Json = None
) -> Exchange:
    """*raw* as an exchange with an operation of *contract*, without secrets.

    *sent* is the decoded request body where the caller knows it, as with forms.
    """
    operation, values = find_operation(contract, raw.method, raw.path)
    reply, broken = decoded(raw.body, raw.headers.get("content-type", ""))
    if sent is None and raw.request_body:
        sent, _ = decoded(raw.request_body, raw.request_headers.get("content-type", ""))
    is_stream = raw.headers.get("content-type", "").startswith("text/event-stream")
    return Exchange(
        number=number,
        at_ms=raw.at_ms,
        actor=actor,
        key=key,
        operation=operation.id if operation is not None else "",
        method=raw.method,
        path=raw.path,
        query=query_without_secrets(raw.query, contract.behaviour),
        request_headers=without_secrets(raw.request_headers, contract.behaviour),
        request_body=raw.request_body,
        sent=sent,
        status=raw.status,
        headers=raw.headers,
        body=raw.body,
        reply=reply,
        path_values=values,
        ended_ms=raw.ended_ms or raw.at_ms,
        events=tuple(read_events(raw)) if is_stream else (),
        chunks=len(raw.pieces),
        broken=broken and LackingPart.BODY not in raw.lacks,
        lacks=raw.lacks,
    )


def find_operation(
    contract: Contract, method: str, path: str
) -> tuple[Operation | None, Mapping[str, str]]:
    """The operation that a request is about, under any of the provider's prefixes."""
    for prefix in contract.behaviour.prefixes:
        if path.startswith(prefix):
            match = contract.routes.find(method, path[len(prefix) :])
            if match is not None:
                return match.operation, match.path
    return None, {}


def decoded(body: bytes, content_type: str) -> tuple[Json, bool]:
    """The JSON value of *body*, and whether it is broken; None unless *content_type* is JSON."""
    if "json" not in content_type or not body:
        return None, False
    try:
        # Stripping blanks of a very large text is faster as bytes.
        return read_json(body.strip()), False
    except ValueError:
        return None, True


def read_events(raw: Raw) -> Iterator[StreamEvent]:
    """The events of a stream; an event ends with a blank line, as the format says."""
    pieces = raw.pieces or ((raw.at_ms, raw.body),)
    waiting = b""
    for at_ms, piece in pieces:
        waiting = (waiting + piece).replace(b"\r\n", b"\n")
        while b"\n\n" in waiting:
            block, _, waiting = waiting.partition(b"\n\n")
            lines = [line[5:].lstrip() for line in block.split(b"\n") if line.startswith(b"data:")]
            if lines:
                yield _event(at_ms, b"\n".join(lines))


def _event(at_ms: int, data: bytes) -> StreamEvent:
    text = data.decode("utf-8", "replace")
    try:
        return StreamEvent(at_ms, read_json(text), text)
    except ValueError:
        return StreamEvent(at_ms, None, text)


def query_values(exchange: Exchange) -> dict[str, str]:
    return dict(parse_qsl(exchange.query, keep_blank_values=True))


def curl(exchange: Exchange, base_url: str = "$BASE_URL") -> str:
    """A shell line that repeats the request; the reader fills in the credential."""
    parts = ["curl", "-X", exchange.method, _quoted(f"{base_url}{exchange.address}")]
    for name, value in _telling(exchange.request_headers):
        parts += ["-H", _quoted(f"{name}: {value}")]
    is_json = "json" in exchange.request_headers.get("content-type", "")
    if exchange.request_body and exchange.sent is not None and is_json:
        parts += ["--data", _quoted(exchange.request_body.decode("utf-8", "replace")[:2_000])]
    elif exchange.request_body:
        parts += ["--data-binary", "@body"]
    return " ".join(parts)


def _telling(headers: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    skipped = {
        "content-length",
        "host",
        "accept",
        "connection",
        "accept-encoding",
        "user-agent",
        "x-schemathesis-testcaseid",
    }
    return [(name, value) for name, value in headers.items() if name not in skipped]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

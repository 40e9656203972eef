"""Traces in files: one JSON object in each line, the first about the trace itself.

A line is written when its exchange ends, so a writer that is stopped loses no earlier exchange.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Secrets
from screentest.specs.contracts.registry import Contracts, shipped_contracts
from screentest.specs.json_types import Json

from .strict_json import Form, read_base64, read_json
from .trace import Balance, Event, Exchange, LackingPart, Raw, SeenDelivery, Trace, understand

#: Of a longer file or text only the length is kept. No documented JSON answer is near the second
#: limit.
_BINARY_KEPT_MAX = 256 * 1024
_TEXT_KEPT_MAX = 16 * 1024 * 1024

_INTEGER = {"type": "integer"}
_TEXT = {"type": "string"}
_HEADERS = {"type": "object", "additionalProperties": _TEXT}
_BODY = {"type": ["string", "object"], "properties": {"base64": _TEXT, "bytes": _INTEGER}}
_EVENTS: Mapping[str, Mapping[str, Json]] = {
    "balance": {
        "balance": _TEXT,
        "at_ms": _INTEGER,
        "available": _INTEGER,
        "held": _INTEGER,
    },
    "delivery": {"delivery": _INTEGER, "at_ms": _INTEGER, "headers": _HEADERS, "body": _TEXT},
    "exchange": {
        "actor": _TEXT,
        "key": _TEXT,
        "at_ms": _INTEGER,
        "ended_ms": _INTEGER,
        "method": _TEXT,
        "path": _TEXT,
        "query": _TEXT,
        "request_headers": _HEADERS,
        "request_body": _BODY,
        "status": _INTEGER,
        "headers": _HEADERS,
        "body": _BODY,
    },
}
#: The optional fields of an exchange.
_MORE: Mapping[str, Json] = {
    "lacks": {"type": "array", "items": {"enum": [part.value for part in LackingPart]}},
    "chunks": _INTEGER,
    "events_ms": {"type": "array", "items": _INTEGER},
}
_FORMS = {
    name: Form({"type": "object", "required": list(fields), "properties": {**fields, **_MORE}})
    for name, fields in _EVENTS.items()
}
_HEAD = Form({"properties": {"time_scale": {"type": "number", "exclusiveMinimum": 0}}})


class TraceWriter:
    """Adds events to a trace in the file at *path*; what *secrets* knows is cut out of them.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(
        self, path: Path, provider: str, secrets: Secrets, *, time_scale: float = 1.0
    ) -> None:
        self._secrets = secrets
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._write({"trace": 1, "provider": provider, "time_scale": time_scale})

    def add(self, event: Event) -> None:
        self._write(_to_json(event, self._secrets))

    def close(self) -> None:
        self._file.close()

    def _write(self, line: Json) -> None:
        self._file.write(self._secrets.cut(json.dumps(line)) + "\n")
        self._file.flush()


def write_trace(
    trace: Trace, path: Path, keys: Iterable[str] = (), contracts: Contracts | None = None
) -> None:
    """Save *trace* as JSON Lines, without *keys* and other texts in the shape of a key."""
    secrets = Secrets((contracts or shipped_contracts()).load(trace.provider).behaviour, keys)
    writer = TraceWriter(path, trace.provider, secrets, time_scale=trace.time_scale)
    for event in trace.events:
        writer.add(event)
    writer.close()


def read_trace(path: Path, contract: Contract) -> Trace:
    """The trace that `write_trace` saved. A last line that its writer did not finish is left out.

    Raises:
        ValueError: it is not a trace, or one of another provider.
    """
    return trace_of(path.read_text(encoding="utf-8"), str(path), contract)


def trace_of(text: str, name: str, contract: Contract) -> Trace:
    """As `read_trace`, of the *text* of the file *name*."""
    head, lines = _head_and_lines(text, name)
    if head.get("provider") != contract.provider:
        provider = head.get("provider")
        raise ValueError(f"{name} is a trace of {provider!r}, not {contract.provider!r}")
    trace = Trace(contract.provider, time_scale=head.get("time_scale", 1.0))
    for number, line, where in lines:
        trace.add(_from_json(_read_line(line, where), contract, number, where))
    return trace


def raws_of(text: str, name: str) -> Iterator[Raw]:
    """The exchanges in the *text* of the trace *name*, of whatever provider.

    Raises:
        ValueError: it is not a trace.
    """
    for _, line, where in _head_and_lines(text, name)[1]:
        event = _read_line(line, where)
        if _kind(event) == "exchange":
            _FORMS["exchange"].check(event, where)
            yield _raw(event, where)


def _head_and_lines(text: str, name: str) -> tuple[Json, Iterator[tuple[int, str, str]]]:
    """The first line, and each other one with its number and its place."""
    first, *lines = text.split("\n")
    head = _read_line(first, f"{name}: line 1")
    if not isinstance(head, dict) or "trace" not in head:
        raise ValueError(f'{name} is not a trace: its first line must be {{"trace": 1, …}}')
    _HEAD.check(head, f"{name}: line 1")
    # The text after the last newline is empty, or was cut when the writer was killed.
    whole = enumerate(lines[:-1], start=1)
    return head, ((number, line, f"{name}: line {number + 1}") for number, line in whole)


def _read_line(line: str, where: str) -> Json:
    try:
        return read_json(line)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}") from None


def _to_json(event: Event, secrets: Secrets) -> Json:
    match event:
        case Balance():
            return {
                "balance": event.actor,
                "at_ms": event.at_ms,
                "available": event.available,
                "held": event.held,
            }
        case SeenDelivery():
            return {
                "delivery": event.verdict,
                "at_ms": event.at_ms,
                "headers": dict(event.headers),
                "body": event.body.decode("utf-8", "replace"),
            }
        case Exchange():
            line = {
                "actor": event.actor,
                "key": event.key,
                "at_ms": event.at_ms,
                "ended_ms": event.ended_ms,
                "method": event.method,
                "path": event.path,
                "query": event.query,
                "request_headers": dict(event.request_headers),
                "request_body": _body_to_json(event.request_body, secrets),
                "status": event.status,
                "headers": dict(event.headers),
                "body": _body_to_json(event.body, secrets),
            }
            if event.lacks:
                line["lacks"] = sorted(part.value for part in event.lacks)
            if event.chunks:
                line["chunks"] = event.chunks
                line["events_ms"] = [it.at_ms for it in event.events]
            return line


def _kind(line: Json) -> str:
    kinds = [name for name in ("balance", "delivery") if isinstance(line, dict) and name in line]
    return kinds[0] if kinds else "exchange"


def _from_json(line: Json, contract: Contract, number: int, where: str) -> Event:
    _FORMS[_kind(line)].check(line, where)
    if "balance" in line:
        return Balance(line["at_ms"], line["balance"], line["available"], line["held"])
    if "delivery" in line:
        return SeenDelivery(line["at_ms"], line["headers"], line["body"].encode(), line["delivery"])
    raw = _raw(line, where)
    exchange = understand(contract, raw, number=number, actor=line["actor"], key=line["key"])
    times = line.get("events_ms", ())
    if len(times) != len(exchange.events):
        return exchange
    timed = zip(exchange.events, times, strict=True)
    events = tuple(replace(event, at_ms=at_ms) for event, at_ms in timed)
    return replace(exchange, events=events, chunks=line.get("chunks", 0))


def _raw(line: Json, where: str) -> Raw:
    """The exchange in a line of the form of one."""
    request_body, body = line["request_body"], line["body"]
    lacks = {LackingPart(it) for it in line.get("lacks", ())}
    lacks |= {LackingPart.SENT} if _is_cut(request_body) else set()
    lacks |= {LackingPart.BODY} if _is_cut(body) else set()
    return Raw(
        method=line["method"],
        path=line["path"],
        query=line["query"],
        request_headers=line["request_headers"],
        request_body=_body_from_json(request_body, f"{where}: at request_body"),
        status=line["status"],
        headers=line["headers"],
        body=_body_from_json(body, f"{where}: at body"),
        at_ms=line["at_ms"],
        ended_ms=line["ended_ms"],
        lacks=frozenset(lacks),
    )


def _body_to_json(body: bytes, secrets: Secrets) -> Json:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        if len(body) > _BINARY_KEPT_MAX:
            return {"bytes": len(body)}
        return {"base64": base64.b64encode(secrets.cut_bytes(body)).decode()}
    return text if len(body) <= _TEXT_KEPT_MAX else {"bytes": len(body)}


def _is_cut(body: Json) -> bool:
    return not isinstance(body, str) and "base64" not in body


def _body_from_json(body: Json, where: str) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="replace")
    return read_base64(body["base64"], where) if "base64" in body else b""

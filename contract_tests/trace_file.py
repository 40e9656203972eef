"""Traces in files: one JSON object a line, the first about the trace itself.

A line is written when its exchange is over, so whoever ends the writer loses nothing of before.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from msgspec.structs import replace

from screentest.specs.contract import Contract

from .redaction import Secrets
from .trace import Balance, Delivery, Event, Exchange, Part, Raw, Trace, understand

Json = Any

#: A file or a text that is longer is kept by its length alone. No documented answer in JSON comes
#: near the second.
_BINARY_KEPT_MAX = 256 * 1024
_TEXT_KEPT_MAX = 16 * 1024 * 1024


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


def write_trace(trace: Trace, path: Path, keys: Iterable[str] = ()) -> None:
    """Save *trace* as JSON Lines, without *keys* and whatever looks like one."""
    secrets = Secrets(trace.provider, keys)
    writer = TraceWriter(path, trace.provider, secrets, time_scale=trace.time_scale)
    for event in trace.events:
        writer.add(event)
    writer.close()


def read_trace(path: Path, contract: Contract) -> Trace:
    """The trace that `write_trace` saved. A last line that its writer did not finish is left out.

    Raises:
        ValueError: it is no trace, or one of another provider.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    head = _head(path, lines[0])
    if head["provider"] != contract.provider:
        raise ValueError(f"{path} is a trace of {head['provider']!r}, not {contract.provider!r}")
    trace = Trace(contract.provider, time_scale=head.get("time_scale", 1.0))
    # What follows the last end of a line is empty, or was cut when the writer was killed.
    for number, line in enumerate(lines[1:-1], start=1):
        try:
            trace.add(_from_json(json.loads(line), contract, number))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            told = f"line {number + 1} is no exchange ({type(error).__name__}: {error})"
            raise ValueError(f"{path} is no trace: {told}") from None
    return trace


def _head(path: Path, line: str) -> Json:
    try:
        head = json.loads(line)
    except ValueError:
        head = None
    if not isinstance(head, dict) or "trace" not in head or "provider" not in head:
        raise ValueError(f'{path} is no trace: its first line must be {{"trace": 1, …}}')
    return head


def _to_json(event: Event, secrets: Secrets) -> Json:
    match event:
        case Balance():
            return {"balance": event.actor, "at_ms": event.at_ms, "available": event.available,
                    "held": event.held}  # fmt: skip
        case Delivery():
            return {"delivery": event.verdict, "at_ms": event.at_ms, "headers": dict(event.headers),
                    "body": event.body.decode("utf-8", "replace")}  # fmt: skip
        case Exchange():
            line = {
                "actor": event.actor, "key": event.key, "at_ms": event.at_ms,
                "ended_ms": event.ended_ms, "method": event.method, "path": event.path,
                "query": event.query, "request_headers": dict(event.request_headers),
                "request_body": _body_to_json(event.request_body, secrets),
                "status": event.status, "headers": dict(event.headers),
                "body": _body_to_json(event.body, secrets),
            }  # fmt: skip
            if event.lacks:
                line["lacks"] = sorted(part.value for part in event.lacks)
            if event.chunks:
                line["chunks"] = event.chunks
                line["events_ms"] = [it.at_ms for it in event.events]
            return line


def _from_json(line: Json, contract: Contract, number: int) -> Event:
    if "balance" in line:
        return Balance(line["at_ms"], line["balance"], line["available"], line["held"])
    if "delivery" in line:
        return Delivery(line["at_ms"], line["headers"], line["body"].encode(), line["delivery"])
    request_body, body = line["request_body"], line["body"]
    lacks = {Part(it) for it in line.get("lacks", ())}
    lacks |= {Part.SENT} if _is_cut(request_body) else set()
    lacks |= {Part.BODY} if _is_cut(body) else set()
    raw = Raw(
        method=line["method"],
        path=line["path"],
        query=line["query"],
        request_headers=line["request_headers"],
        request_body=_body_from_json(request_body),
        status=line["status"],
        headers=line["headers"],
        body=_body_from_json(body),
        at_ms=line["at_ms"],
        ended_ms=line["ended_ms"],
        lacks=frozenset(lacks),
    )
    exchange = understand(contract, raw, number=number, actor=line["actor"], key=line["key"])
    times = line.get("events_ms", ())
    if len(times) != len(exchange.events):
        return exchange
    timed = zip(exchange.events, times, strict=True)
    events = tuple(replace(event, at_ms=at_ms) for event, at_ms in timed)
    return replace(exchange, events=events, chunks=line.get("chunks", 0))


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


def _body_from_json(body: Json) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return base64.b64decode(body["base64"]) if "base64" in body else b""

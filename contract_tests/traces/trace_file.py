"""Traces in files: one JSON object in each line, the first about the trace itself.

A line is written when its exchange ends, so a writer that is stopped loses no earlier exchange.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TextIO

from msgspec import Meta, Struct, to_builtins
from msgspec.structs import replace

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Secrets
from screentest.specs.contracts.registry import Contracts, shipped_contracts
from screentest.specs.json_types import Json

from .strict_json import read_as, read_base64, read_json
from .trace import Balance, Event, Exchange, LackingPart, Raw, SeenDelivery, Trace, understand

#: Of a longer file or text only the length is kept. No documented JSON answer is near the second
#: limit.
_BINARY_KEPT_MAX = 256 * 1024
_TEXT_KEPT_MAX = 16 * 1024 * 1024

#: A body as text, in base64, or the length alone.
_Body = str | Mapping[Literal["base64", "bytes"], str | int]


class _Head(Struct, frozen=True):
    """The first line."""

    trace: Json
    provider: Json = None
    time_scale: Annotated[float, Meta(gt=0)] = 1.0


class _BalanceLine(Struct, frozen=True):
    balance: str
    at_ms: int
    available: int
    held: int


class _DeliveryLine(Struct, frozen=True):
    delivery: int
    at_ms: int
    headers: Mapping[str, str]
    body: str


class _ExchangeLine(Struct, frozen=True, omit_defaults=True):
    actor: str
    key: str
    at_ms: int
    ended_ms: int
    method: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    request_body: _Body
    status: int
    headers: Mapping[str, str]
    body: _Body
    lacks: tuple[LackingPart, ...] = ()
    chunks: int = 0
    events_ms: tuple[int, ...] = ()


_Line = _BalanceLine | _DeliveryLine | _ExchangeLine


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
        self._write(to_builtins(_line_of(event, self._secrets)))

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


def trace_of(text: str, name: str, contract: Contract) -> Trace:
    """The trace that `write_trace` saved as *text* in the file *name*.

    A last line that its writer did not finish is left out.

    Raises:
        ValueError: it is not a trace, or one of another provider.
    """
    head, lines = _head_and_lines(text, name)
    if head.provider != contract.provider:
        raise ValueError(f"{name} is a trace of {head.provider!r}, not {contract.provider!r}")
    trace = Trace(contract.provider, time_scale=head.time_scale)
    for number, line, where in lines:
        trace.add(_event(_read_line(line, where), contract, number, where))
    return trace


def raws_of(text: str, name: str) -> Iterator[Raw]:
    """The exchanges in the *text* of the trace *name*, of whatever provider.

    Raises:
        ValueError: it is not a trace.
    """
    for _, line, where in _head_and_lines(text, name)[1]:
        event = _read_line(line, where)
        if isinstance(event, _ExchangeLine):
            yield _raw(event, where)


def _head_and_lines(text: str, name: str) -> tuple[_Head, Iterator[tuple[int, str, str]]]:
    """The first line, and each other one with its number and its place."""
    first, *lines = text.split("\n")
    raw = _read_json(first, f"{name}: line 1")
    if not isinstance(raw, dict) or "trace" not in raw:
        raise ValueError(f'{name} is not a trace: its first line must be {{"trace": 1, …}}')
    head = read_as(_Head, raw, f"{name}: line 1")
    # The text after the last newline is empty, or was cut when the writer was killed.
    whole = enumerate(lines[:-1], start=1)
    return head, ((number, line, f"{name}: line {number + 1}") for number, line in whole)


def _read_line(line: str, where: str) -> _Line:
    value = _read_json(line, where)
    if isinstance(value, dict) and "balance" in value:
        return read_as(_BalanceLine, value, where)
    if isinstance(value, dict) and "delivery" in value:
        return read_as(_DeliveryLine, value, where)
    return read_as(_ExchangeLine, value, where)


def _read_json(line: str, where: str) -> Json:
    try:
        return read_json(line)
    except ValueError as error:
        raise ValueError(f"{where} is not JSON: {error}") from None


def _line_of(event: Event, secrets: Secrets) -> _Line:
    match event:
        case Balance():
            return _BalanceLine(event.actor, event.at_ms, event.available, event.held)
        case SeenDelivery():
            body = event.body.decode("utf-8", "replace")
            return _DeliveryLine(event.verdict, event.at_ms, event.headers, body)
        case Exchange():
            return _ExchangeLine(
                event.actor,
                event.key,
                event.at_ms,
                event.ended_ms,
                event.method,
                event.path,
                event.query,
                event.request_headers,
                _body_to_json(event.request_body, secrets),
                event.status,
                event.headers,
                _body_to_json(event.body, secrets),
                tuple(sorted(event.lacks, key=lambda it: it.value)),
                event.chunks,
                tuple(it.at_ms for it in event.events) if event.chunks else (),
            )


def _event(line: _Line, contract: Contract, number: int, where: str) -> Event:
    if isinstance(line, _BalanceLine):
        return Balance(line.at_ms, line.balance, line.available, line.held)
    if isinstance(line, _DeliveryLine):
        return SeenDelivery(line.at_ms, line.headers, line.body.encode(), line.delivery)
    raw = _raw(line, where)
    exchange = understand(contract, raw, number=number, actor=line.actor, key=line.key)
    if len(line.events_ms) != len(exchange.events):
        return exchange
    timed = zip(exchange.events, line.events_ms, strict=True)
    events = tuple(replace(event, at_ms=at_ms) for event, at_ms in timed)
    return replace(exchange, events=events, chunks=line.chunks)


def _raw(line: _ExchangeLine, where: str) -> Raw:
    lacks = {*line.lacks}
    lacks |= {LackingPart.SENT} if _is_cut(line.request_body) else set()
    lacks |= {LackingPart.BODY} if _is_cut(line.body) else set()
    return Raw(
        method=line.method,
        path=line.path,
        query=line.query,
        request_headers=line.request_headers,
        request_body=_body_from_json(line.request_body, f"{where}: at request_body"),
        status=line.status,
        headers=line.headers,
        body=_body_from_json(line.body, f"{where}: at body"),
        at_ms=line.at_ms,
        ended_ms=line.ended_ms,
        lacks=frozenset(lacks),
    )


def _body_to_json(body: bytes, secrets: Secrets) -> _Body:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        if len(body) > _BINARY_KEPT_MAX:
            return {"bytes": len(body)}
        return {"base64": base64.b64encode(secrets.cut_bytes(body)).decode()}
    return text if len(body) <= _TEXT_KEPT_MAX else {"bytes": len(body)}


def _is_cut(body: _Body) -> bool:
    return not isinstance(body, str) and "base64" not in body


def _body_from_json(body: _Body, where: str) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="replace")
    return read_base64(str(body["base64"]), where) if "base64" in body else b""

"""Traces as files: one JSON object a line, the first of which says whose they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from screentest.specs.contract import Contract

from .reading import Form, read_base64, read_json
from .trace import Balance, Delivery, Event, Exchange, Raw, Trace, understand, without_keys

Json = Any

#: A body that is longer is kept by its length alone.
_BODY_KEPT_MAX = 256 * 1024

_NUMBER = {"type": "integer"}
_TEXT = {"type": "string"}
_HEADERS = {"type": "object", "additionalProperties": _TEXT}
_BODY = {
    "type": ["string", "object"],
    "properties": {"base64": _TEXT, "bytes": _NUMBER},
}
_EVENTS: Mapping[str, Mapping[str, Json]] = {
    "balance": {"balance": _TEXT, "at_ms": _NUMBER, "available": _NUMBER, "held": _NUMBER},
    "delivery": {"delivery": _NUMBER, "at_ms": _NUMBER, "headers": _HEADERS, "body": _TEXT},
    "exchange": {
        "actor": _TEXT, "key": _TEXT, "at_ms": _NUMBER, "ended_ms": _NUMBER, "method": _TEXT,
        "path": _TEXT, "query": _TEXT, "request_headers": _HEADERS, "request_body": _BODY,
        "status": _NUMBER, "headers": _HEADERS, "body": _BODY,
    },
}  # fmt: skip
_FORMS = {
    name: Form({"type": "object", "required": list(fields), "properties": fields})
    for name, fields in _EVENTS.items()
}


def write_trace(trace: Trace, path: Path) -> None:
    """Save *trace* as JSON Lines."""
    lines = [json.dumps({"trace": 1, "provider": trace.provider})]
    lines += [json.dumps(_to_json(event)) for event in trace.events]
    text = without_keys("\n".join(lines) + "\n", trace.provider)
    path.write_text(text, encoding="utf-8")


def read_trace(path: Path, contract: Contract) -> Trace:
    """The trace that `write_trace` saved.

    Raises:
        ValueError: it is no trace, or one of another provider.
    """
    return trace_of(path.read_text(encoding="utf-8"), str(path), contract)


def trace_of(text: str, name: str, contract: Contract) -> Trace:
    """As `read_trace`, of the *text* of the file *name*."""
    lines = text.rstrip("\n").split("\n")
    head = _read_line(lines[0], f"{name}: line 1")
    if not isinstance(head, dict) or "trace" not in head:
        raise ValueError(f'{name} is no trace: its first line must be {{"trace": 1, …}}')
    if head.get("provider") != contract.provider:
        provider = head.get("provider")
        raise ValueError(f"{name} is a trace of {provider!r}, not {contract.provider!r}")
    trace = Trace(contract.provider)
    for number, line in enumerate(lines[1:], start=1):
        where = f"{name}: line {number + 1}"
        trace.add(_from_json(_read_line(line, where), contract, number, where))
    return trace


def _read_line(line: str, where: str) -> Json:
    try:
        return read_json(line)
    except ValueError as error:
        raise ValueError(f"{where} is no JSON: {error}") from None


def _to_json(event: Event) -> Json:
    match event:
        case Balance():
            return {"balance": event.actor, "at_ms": event.at_ms, "available": event.available,
                    "held": event.held}  # fmt: skip
        case Delivery():
            return {"delivery": event.verdict, "at_ms": event.at_ms, "headers": dict(event.headers),
                    "body": event.body.decode("utf-8", "replace")}  # fmt: skip
        case Exchange():
            return {
                "actor": event.actor, "key": event.key, "at_ms": event.at_ms,
                "ended_ms": event.ended_ms, "method": event.method, "path": event.path,
                "query": event.query, "request_headers": dict(event.request_headers),
                "request_body": _body_to_json(event.request_body), "status": event.status,
                "headers": dict(event.headers), "body": _body_to_json(event.body),
            }  # fmt: skip


def _from_json(line: Json, contract: Contract, number: int, where: str) -> Event:
    kinds = [name for name in ("balance", "delivery") if isinstance(line, dict) and name in line]
    _FORMS[kinds[0] if kinds else "exchange"].check(line, where)
    if "balance" in line:
        return Balance(line["at_ms"], line["balance"], line["available"], line["held"])
    if "delivery" in line:
        return Delivery(line["at_ms"], line["headers"], line["body"].encode(), line["delivery"])
    raw = Raw(
        method=line["method"],
        path=line["path"],
        query=line["query"],
        request_headers=line["request_headers"],
        request_body=_body_from_json(line["request_body"], f"{where}: at request_body"),
        status=line["status"],
        headers=line["headers"],
        body=_body_from_json(line["body"], f"{where}: at body"),
        at_ms=line["at_ms"],
        ended_ms=line["ended_ms"],
    )
    return understand(contract, raw, number=number, actor=line["actor"], key=line["key"])


def _body_to_json(body: bytes) -> Json:
    if len(body) > _BODY_KEPT_MAX:
        return {"bytes": len(body)}
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _body_from_json(body: Json, where: str) -> bytes:
    if isinstance(body, str):
        return body.encode(errors="replace")
    return read_base64(body["base64"], where) if "base64" in body else b""

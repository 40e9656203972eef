"""HAR files, the format in which browsers and proxies save what they saw."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from screentest.specs.contract import Contract

from .reading import Form, read_base64, read_json
from .trace import Exchange, Raw, Trace, find_operation, understand, without_keys

Json = Any

#: Browsers keep the stack of each request's script, which can be long.
_DEPTH_MAX = 500
#: What browsers write as the status of a request that nobody answered.
_NO_ANSWER = 0
_TEXT = {"type": "string"}
_MAYBE_TEXT = {"type": ["string", "null"]}
_HEADERS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["name", "value"],
        "properties": {"name": _TEXT, "value": _TEXT},
    },
}
_LOG = Form({
    "type": "object",
    "required": ["log"],
    "properties": {
        "log": {
            "type": "object",
            "required": ["entries"],
            "properties": {"entries": {"type": "array"}},
        },
    },
})  # fmt: skip
#: Of requests to other servers, nothing more is looked at.
_ASKED = Form({
    "type": "object",
    "required": ["request"],
    "properties": {
        "request": {
            "type": "object",
            "required": ["method", "url"],
            "properties": {"method": _TEXT, "url": _TEXT},
        },
    },
})  # fmt: skip
_ENTRY = Form({
    "required": ["response"],
    "properties": {
        "startedDateTime": _TEXT,
        "time": {"type": ["number", "null"], "maximum": 86_400_000},
        "request": {
            "required": ["headers"],
            "properties": {
                "headers": _HEADERS,
                "postData": {"type": ["object", "null"], "properties": {"text": _MAYBE_TEXT}},
            },
        },
        "response": {
            "type": "object",
            "required": ["status", "headers"],
            "properties": {
                "status": {"type": "integer", "minimum": 0, "maximum": 999},
                "headers": _HEADERS,
                "content": {
                    "type": ["object", "null"],
                    "properties": {"text": _MAYBE_TEXT, "mimeType": _MAYBE_TEXT},
                },
            },
        },
    },
})  # fmt: skip


def read_har(path: Path, contract: Contract) -> Trace:
    """The exchanges in the HAR file at *path* that are about *contract*'s operations.

    Each credential in it counts as an account of its own; who has none is anonymous.

    Raises:
        ValueError: it is no HAR file.
    """
    return har_of(path.read_text(encoding="utf-8"), str(path), contract)


def har_of(text: str, name: str, contract: Contract) -> Trace:
    """As `read_har`, of the *text* of the file *name*."""
    try:
        log = read_json(text, depth_max=_DEPTH_MAX)
    except ValueError as error:
        raise ValueError(f"{name} is no HAR file: {error}") from None
    _LOG.check(log, f"{name} is no HAR file")
    trace = Trace(contract.provider)
    accounts: dict[str, str] = {}
    for count, entry in enumerate(log["log"]["entries"], start=1):
        raw = _raw(entry, contract, f"{name}: entry {count}")
        if raw is None:
            continue
        credential = _credential(raw.request_headers, contract)
        key = accounts.setdefault(credential, f"owner#{len(accounts)}") if credential else ""
        actor = "owner" if credential else "anonymous"
        number = len(trace.events) + 1
        trace.add(understand(contract, raw, number=number, actor=actor, key=key))
    return trace


def _credential(headers: Mapping[str, str], contract: Contract) -> str:
    for credential in contract.behaviour.credentials.values():
        for header, _ in credential.forms:
            if headers.get(header):
                return headers[header]
    return ""


def _raw(entry: Json, contract: Contract, where: str) -> Raw | None:
    """The exchange of *entry*; None when it is about something else, or had no answer."""
    _ASKED.check(entry, where)
    request = entry["request"]
    try:
        parts = urlsplit(request["url"])
    except ValueError as error:
        raise ValueError(f"{where}: at request/url: {error}") from None
    path = _known_path(contract, request["method"], parts.path)
    if path is None:
        return None
    _ENTRY.check(entry, where)
    response = entry["response"]
    if response["status"] == _NO_ANSWER:
        return None
    headers = {it["name"].lower(): it["value"] for it in response["headers"]}
    content = response.get("content") or {}
    headers.setdefault("content-type", content.get("mimeType") or "")
    body = content.get("text") or ""
    is_base64 = content.get("encoding") == "base64"
    at = f"{where}: at response/content/text"
    decoded = read_base64(body, at) if is_base64 else body.encode(errors="replace")
    at_ms = _instant_ms(entry.get("startedDateTime", "1970-01-01T00:00:00Z"), where)
    sent = (request.get("postData") or {}).get("text") or ""
    return Raw(
        method=request["method"],
        path=path,
        query=parts.query,
        request_headers={it["name"].lower(): it["value"] for it in request["headers"]},
        request_body=sent.encode(errors="replace"),
        status=response["status"],
        headers=headers,
        body=decoded,
        at_ms=at_ms,
        ended_ms=at_ms + max(0, int(entry.get("time") or 0)),
    )


def _known_path(contract: Contract, method: str, path: str) -> str | None:
    """*path* from where an operation begins: servers may put anything before it."""
    steps = path.split("/")
    for start in range(1, len(steps)):
        tail = "/" + "/".join(steps[start:])
        if find_operation(contract, method, tail)[0] is not None:
            return tail
    return None


def _instant_ms(text: str, where: str) -> int:
    try:
        read = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ValueError(f"{where}: at startedDateTime: {error}") from None
    if read.tzinfo is None:
        read = read.replace(tzinfo=UTC)
    since = read - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000


def write_har(trace: Trace, path: Path, base_url: str) -> None:
    """Save the exchanges of *trace*; credentials are not in it."""
    log = {
        "version": "1.2",
        "creator": {"name": "screentest", "version": "1"},
        "entries": [_entry(it, base_url) for it in trace.exchanges if it.operation],
    }
    text = without_keys(json.dumps({"log": log}, indent=1), trace.provider)
    path.write_text(text, encoding="utf-8")


def _entry(exchange: Exchange, base_url: str) -> Json:
    started = datetime.fromtimestamp(exchange.at_ms / 1_000, UTC).isoformat()
    query = f"?{exchange.query}" if exchange.query else ""
    request: dict[str, Json] = {
        "method": exchange.method,
        "url": f"{base_url}{exchange.path}{query}",
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(exchange.request_headers),
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(exchange.request_body),
    }
    if exchange.request_body:
        mime = exchange.request_headers.get("content-type", "")
        text = exchange.request_body.decode("utf-8", "replace")
        request["postData"] = {"mimeType": mime, "text": text}
    content: dict[str, Json] = {
        "size": len(exchange.body),
        "mimeType": exchange.headers.get("content-type", ""),
    }
    try:
        content["text"] = exchange.body.decode()
    except UnicodeDecodeError:
        content |= {"text": base64.b64encode(exchange.body).decode(), "encoding": "base64"}
    response = {
        "status": exchange.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(exchange.headers),
        "cookies": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(exchange.body),
    }
    return {
        "startedDateTime": started,
        "time": exchange.ended_ms - exchange.at_ms,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": exchange.ended_ms - exchange.at_ms, "receive": 0},
    }


def _pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]

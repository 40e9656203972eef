"""Writing HAR files, for whatever reads the format of browsers and proxies."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from screentest.contract_tests.recordings.har import HarReading, har_of
from screentest.contract_tests.traces.trace import Exchange, Trace
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Secrets
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json


def write_har(trace: Trace, path: Path, base_url: str, keys: Iterable[str] = ()) -> None:
    """Save the exchanges of *trace*, without *keys* and whatever looks like one."""
    log = {
        "version": "1.2",
        "creator": {"name": "screentest", "version": "1"},
        "entries": [_entry(it, base_url) for it in trace.exchanges if it.operation],
    }
    text = Secrets(load_contract(trace.provider).behaviour, keys).cut(
        json.dumps({"log": log}, indent=1)
    )
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


def read_har(path: Path, contract: Contract) -> HarReading:
    """What the kit reads from the HAR file at *path*."""
    return har_of(path.read_text(encoding="utf-8-sig"), str(path), contract)

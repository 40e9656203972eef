"""A loopback proxy that keeps what your program and a provider say to each other.

It passes everything on, writes the trace as it goes, and tells at once what breaks the contract.
With a budget it answers 402 itself when that is spent.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from screentest.specs.checks import load_checks
from screentest.specs.contract import Contract

from .guard import BUDGET_HEADER, Budget, changes_something, price_of
from .judge import Finding, Judge
from .live import Live
from .monitors.monitors import Monitors
from .rules import rules_of
from .target import Identity, Wire
from .trace import Raw, Trace, understand, write_trace

_HOP_HEADERS = frozenset({
    "connection", "keep-alive", "transfer-encoding", "te", "upgrade", "proxy-authorization",
    "host", "content-length", "accept-encoding",
})  # fmt: skip


@dataclass(slots=True)
class Recorder:
    """A WSGI application in front of *url*."""

    contract: Contract
    url: str
    path: Path | None = None
    budget: Budget = field(default_factory=lambda: Budget(None))
    is_read_only: bool = False
    on_finding: Callable[[Finding], None] = lambda finding: None
    trace: Trace = field(init=False)
    judge: Judge = field(init=False)
    _monitors: Monitors = field(init=False)
    _live: Live = field(init=False)
    _lock: Lock = field(default_factory=Lock)
    _accounts: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        checks = load_checks(self.contract.provider)
        self.trace = Trace(self.contract.provider)
        self.judge = Judge(rules_of(self.contract, checks))
        self._monitors = Monitors(self.contract, checks, self.judge, is_open=True)
        self._live = Live(self.url.rstrip("/"), Identity("owner"), retries=0)

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        headers = {
            name[5:].replace("_", "-").lower(): value
            for name, value in environ.items()
            if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["content-type"] = environ["CONTENT_TYPE"]
        sent = {name: value for name, value in headers.items() if name not in _HOP_HEADERS}
        wire = Wire(environ["REQUEST_METHOD"], environ["PATH_INFO"],
                    environ.get("QUERY_STRING", ""), sent,
                    environ["wsgi.input"].read(length))  # fmt: skip
        raw = self.pass_on(wire)
        kept = [(name, value) for name, value in raw.headers.items() if name not in _HOP_HEADERS]
        start(_line(raw.status), [*kept, ("Content-Length", str(len(raw.body)))])
        return [raw.body]

    def pass_on(self, wire: Wire) -> Raw:
        """The server's answer to *wire*, judged; or our own 402 or 403 where it may not pass."""
        if self.is_read_only and changes_something(self.contract, wire):
            return self._refusal(wire, 403, "read-only")
        price = price_of(self.contract, wire)
        if not self.budget.reserve(price):
            return self._refusal(wire, 402, "exhausted")
        status = 0
        try:
            raw = self._live.send(wire)
            status = raw.status
        finally:
            self.budget.settle(price, is_spent=200 <= status < 300)
        self._note(raw)
        return raw

    def _refusal(self, wire: Wire, status: int, why: str) -> Raw:
        headers = {"content-type": "application/json", BUDGET_HEADER: why}
        body = b'{"detail": "stopped by the guard of screentest"}'
        return Raw(wire.method, wire.path, wire.query, wire.headers, wire.body, status, headers,
                   body, self._live.now_ms())  # fmt: skip

    def _note(self, raw: Raw) -> None:
        with self._lock:
            credential = self._credential(raw)
            key = ""
            if credential:
                key = self._accounts.setdefault(credential, f"owner#{len(self._accounts)}")
            actor = "owner" if credential else "anonymous"
            number = len(self.trace.events) + 1
            exchange = understand(self.contract, raw, number=number, actor=actor, key=key)
            before = len(self.judge.findings)
            self.trace.add(exchange)
            self._monitors.see(exchange)
            for finding in self.judge.findings[before:]:
                self.on_finding(finding)
            if self.path is not None:
                write_trace(self.trace, self.path)

    def _credential(self, raw: Raw) -> str:
        for credential in self.contract.behaviour.credentials.values():
            for header, _ in credential.forms:
                if raw.request_headers.get(header):
                    return raw.request_headers[header]
        return ""


def _line(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def is_reachable(url: str) -> bool:
    """Whether somebody listens at *url*."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=3)
    try:
        connection.request("HEAD", parts.path or "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True

"""A loopback proxy that keeps what your program and a provider say to each other.

It passes everything on, writes the trace as it goes, and tells at once what breaks the contract.
With a budget it answers 402 itself when that is spent.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from screentest.specs.checks import load_checks
from screentest.specs.contract import Contract

from .callers import Callers
from .front import answer, refusal, wire_of
from .guard import Budget, Guard, ReadOnlyError, SpentError
from .judge import Finding, Judge
from .live import Live, UnreachableError
from .monitors.monitors import Monitors
from .opening import base_address
from .rules import rules_of
from .target import Identity, Wire
from .trace import Raw, Trace, understand
from .trace_file import write_trace


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
    _guard: Guard = field(init=False)
    _callers: Callers = field(init=False)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        checks = load_checks(self.contract.provider)
        self.trace = Trace(self.contract.provider)
        self.judge = Judge(rules_of(self.contract, checks))
        self._monitors = Monitors(self.contract, checks, self.judge, is_open=True)
        self._live = Live(base_address(self.url, self.contract), Identity("owner"))
        self._guard = Guard(self.contract, self.budget, self.is_read_only)
        self._callers = Callers(self.contract)

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        return answer(self.pass_on(wire_of(environ)), start)

    def pass_on(self, wire: Wire) -> Raw:
        """The server's answer to *wire*, judged.

        Ours is 402 or 403 where it may not pass, and 502 where nobody answers.
        """
        try:
            raw = self._guard.pass_on(wire, self._live.send)
        except ReadOnlyError as error:
            return refusal(wire, 403, "read-only", str(error), self._live.now_ms())
        except SpentError as error:
            return refusal(wire, 402, "exhausted", str(error), self._live.now_ms())
        except UnreachableError as error:
            return refusal(wire, 502, "unreachable", str(error), self._live.now_ms())
        self._note(raw)
        return raw

    def _note(self, raw: Raw) -> None:
        with self._lock:
            key = self._callers.label(raw.request_headers)
            actor = "owner" if key else "anonymous"
            number = len(self.trace.events) + 1
            exchange = understand(self.contract, raw, number=number, actor=actor, key=key)
            before = len(self.judge.findings)
            self.trace.add(exchange)
            self._monitors.see(exchange)
            for finding in self.judge.findings[before:]:
                self.on_finding(finding)
            if self.path is not None:
                write_trace(self.trace, self.path)


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

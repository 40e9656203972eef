"""A loopback proxy that records the traffic between your program and a provider.

It passes everything on, event streams piece by piece, adds each exchange to the trace as it ends,
and reports at once what breaks the contract. When its budget is spent, it answers 402 itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from msgspec.structs import replace

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import Secrets

from ..monitors.monitors import Monitors
from ..monitors.undocumented import Undocumented
from ..rules.contract_rules import rules_of
from ..rules.judge import Judge, RuleFinding
from ..runs.open_target import base_address
from ..runs.wsgi_adapter import answer, passed_on, refusal, status_line, wire_of
from ..targets.guard import BudgetGuard, CreditBudget, ReadOnlyError, SpentError
from ..targets.live import Answering, Live, UnreachableError
from ..targets.target import Identity, OutgoingRequest
from ..traces.caller_identity import Callers
from ..traces.trace import LackingPart, Raw, Trace, understand
from ..traces.trace_file import TraceWriter

#: Begins an answer of an application; returns a function that sends a piece of the body at once.
Start = Callable[[str, list[tuple[str, str]]], Callable[[bytes], object]]


@dataclass(slots=True)
class _Relay:
    """Passes one event stream on to the client. It is not open for other answers."""

    start: Start | None
    is_open: bool = False
    is_cut: bool = False
    _write: Callable[[bytes], object] | None = None

    def open(self, answering: Answering) -> None:
        if self.start is not None and answering.is_stream:
            self.is_open = True
            line = status_line(answering.status)
            self._write = self.start(line, passed_on(answering.headers))

    def pass_on(self, piece: bytes) -> bool:
        """Whether the client still reads."""
        if self._write is not None:
            try:
                self._write(piece)
            except OSError:
                self.is_cut = True
        return not self.is_cut


@dataclass(slots=True)
class Recorder:
    """A WSGI application in front of *url*, whose clock runs *time_scale* times as fast as ours."""

    contract: Contract
    url: str
    path: Path | None = None
    budget: CreditBudget = field(default_factory=lambda: CreditBudget(None))
    is_read_only: bool = False
    on_finding: Callable[[RuleFinding], None] = lambda finding: None
    on_unreachable: Callable[[str], None] = lambda detail: None
    time_scale: float = 1.0
    trace: Trace = field(init=False)
    judge: Judge = field(init=False)
    secrets: Secrets = field(init=False)
    _monitors: Monitors = field(init=False)
    _undocumented: Undocumented = field(init=False)
    _live: Live = field(init=False)
    _guard: BudgetGuard = field(init=False)
    _callers: Callers = field(init=False)
    _writer: TraceWriter | None = None
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        provider = self.contract.provider
        checks = load_checks(self.contract)
        self.trace = Trace(provider, time_scale=self.time_scale)
        self.judge = Judge(rules_of(self.contract, checks))
        self.secrets = Secrets(self.contract.behaviour)
        self._monitors = Monitors(self.contract, checks, self.judge, is_open=True)
        self._undocumented = Undocumented(self.contract, self.judge)
        self._live = Live(
            base_address(self.url, self.contract), Identity("owner"), time_scale=self.time_scale
        )
        self._guard = BudgetGuard(self.contract, self.budget, self.is_read_only)
        self._callers = Callers(self.contract)
        if self.path is not None:
            self._writer = TraceWriter(
                self.path, provider, self.secrets, time_scale=self.time_scale
            )

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        """Answer one request.

        Raises:
            ConnectionAbortedError: the server's stream broke off, so the client's must too.
        """
        wire, relay = wire_of(environ), _Relay(start)
        try:
            raw = self.pass_on(wire, relay)
        except UnreachableError as error:
            raw = self._unreachable(wire, str(error))
        if relay.is_cut:
            raise ConnectionAbortedError("the stream broke off")
        return [] if relay.is_open else answer(raw, start)

    def pass_on(self, wire: OutgoingRequest, relay: _Relay | None = None) -> Raw:
        """The server's answer to *wire*, judged; or our own 402 or 403 where it may not pass.

        Raises:
            UnreachableError: the server does not answer.
        """
        relay = relay or _Relay(None)
        with self._lock:
            self.secrets.learn_from(wire.headers)
        try:
            raw = self._guard.pass_on(wire, lambda it: self._send(it, relay))
        except ReadOnlyError as error:
            return refusal(wire, 403, "read-only", str(error), self._live.now_ms())
        except SpentError as error:
            return refusal(wire, 402, "exhausted", str(error), self._live.now_ms())
        self._note(raw)
        return raw

    def _send(self, wire: OutgoingRequest, relay: _Relay) -> Raw:
        pieces: list[tuple[int, bytes]] = []
        lacks: frozenset[LackingPart] = frozenset()
        with self._live.begin(wire) as answering:
            relay.open(answering)
            try:
                for at_ms, piece in answering.pieces:
                    pieces.append((at_ms, piece))
                    if not relay.pass_on(piece):
                        lacks = frozenset({LackingPart.BODY})
                        break
            except UnreachableError:
                if not relay.is_open:
                    raise
                relay.is_cut = True
            return replace(answering.ended(pieces, self._live.now_ms()), lacks=lacks)

    def _note(self, raw: Raw) -> None:
        with self._lock:
            actor, key = self._callers.who_asked(raw)
            number = len(self.trace.events) + 1
            exchange = understand(self.contract, raw, number=number, actor=actor, key=key)
            before = len(self.judge.findings)
            self.trace.add(exchange)
            self._monitors.see(exchange)
            self._undocumented.see(exchange)
            for finding in self.judge.findings[before:]:
                self.on_finding(finding)
            if self._writer is not None:
                self._writer.add(exchange)

    def _unreachable(self, wire: OutgoingRequest, detail: str) -> Raw:
        with self._lock:
            self.on_unreachable(detail)
        headers = {"content-type": "application/problem+json"}
        problem = {
            "type": "about:blank",
            "title": "Bad Gateway",
            "status": 502,
            "detail": f"screentest record got no answer from {detail}",
        }
        return wire.answered(502, headers, json.dumps(problem).encode(), self._live.now_ms())

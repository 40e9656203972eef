"""All monitors as one class-based check of schemathesis, for users' runs and for ours."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import find_contracts

from ..monitors.monitors import Monitors
from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..targets.guard import BUDGET_HEADER
from ..traces.caller_identity import Callers
from ..traces.trace import Event, Exchange, Raw, understand

#: The header by which schemathesis identifies its cases.
CASE_HEADER = "x-schemathesis-testcaseid"


@dataclass(slots=True)
class Watcher:
    """Shows each answer that schemathesis gets to the monitors, once."""

    contract: Contract
    judge: Judge
    see: Callable[[Event], None]
    callers: Callers
    now_ms: Callable[[], int]
    by_case: dict[str, Exchange] = field(default_factory=dict[str, Exchange])

    def judge_response(self, response: Any, case: Any) -> None:
        """Judge one answer.

        Raises:
            AssertionError: it breaks a rule, or more than one.
        """
        base_path = urlsplit(case.operation.base_url or "").path.rstrip("/")
        exchange = self._understand(response, base_path)
        name = response.request.headers.get(CASE_HEADER, "")
        # An answer comes again while an example is made smaller, and an answer of the guard is
        # not one of the server.
        if (name and name in self.by_case) or BUDGET_HEADER in exchange.headers:
            return
        self.by_case[name] = exchange
        before = len(self.judge.findings)
        self.see(exchange)
        new = self.judge.findings[before:]
        assert not new, "; ".join(f"{it.rule.id} ({it.rule.source}): {it.summary}" for it in new)

    def _understand(self, response: Any, base_path: str) -> Exchange:
        request = response.request
        parts = urlsplit(request.url)
        path = self.contract.behaviour.prefixes[0] + parts.path.removeprefix(base_path)
        sent = {name.lower(): value for name, value in request.headers.items()}
        received = {
            name.lower(): value[0] if isinstance(value, list) else value
            for name, value in response.headers.items()
        }
        body = request.body or b""
        raw = Raw(
            request.method,
            path,
            parts.query,
            sent,
            body.encode() if isinstance(body, str) else bytes(body),
            response.status_code,
            received,
            response.content or b"",
            self.now_ms(),
        )
        key = self.callers.label(sent, parts.query)
        actor = "owner" if key else "anonymous"
        number = len(self.by_case) + 1
        return understand(self.contract, raw, number=number, actor=actor, key=key)


class ScreentestMonitors:
    """All monitors as one check; register a subclass that sets `provider`."""

    provider = ""

    def __init__(self) -> None:
        contract = find_contracts().load(self.provider)
        checks = load_checks(contract)
        judge = Judge(rules_of(contract, checks))
        monitors = Monitors(contract, checks, judge)
        self._watcher = Watcher(contract, judge, monitors.see, Callers(contract), _wall_ms)

    def after_response(self, ctx: Any, response: Any, case: Any) -> None:
        """Judge one answer; a broken rule fails the case.

        Raises:
            AssertionError: a rule is broken.
        """
        self._watcher.judge_response(response, case)

    def after_run(self, ctx: Any) -> None:
        """Fail a run that judged nothing.

        Raises:
            AssertionError: no answer came from this provider.
        """
        assert self._watcher.judge.kept or self._watcher.judge.broken, (
            f"no answer belonged to an operation of {self.provider}; is the base URL right?"
        )


def _wall_ms() -> int:
    return int(time.time() * 1_000)

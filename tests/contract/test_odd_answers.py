"""The kit reports a server that answers nonsense, and does not crash."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from screentest.contract_tests.report.html import html_report
from screentest.contract_tests.report.text import text_report
from screentest.contract_tests.scenarios.verify import scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import timed
from screentest.contract_tests.targets.mock_app import App, make_app
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from .hands import PROVIDERS

#: What a field of an answer may become.
_ODD: tuple[Json, ...] = (None, 0, -1, 10**20, True, "", "x", [], {}, [1], "http://[::1")


@dataclass(slots=True)
class OddApp:
    """*app*, with a part of the provider's answers spoilt."""

    app: App
    rng: Random

    @property
    def receivers(self) -> dict[str, Any]:
        return self.app.receivers

    def __call__(self, environ: Any, start: Any, /) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/w/") or self.rng.random() > 0.3:
            return self.app(environ, start)
        started: list[tuple[str, list[tuple[str, str]]]] = []
        body = b"".join(self.app(environ, lambda status, sent: started.append((status, sent))))
        status, sent = started[-1]
        if dict(sent).get("Content-Type") == "application/json":
            body = json.dumps(self._spoilt(json.loads(body))).encode()
        kept = [(name, value) for name, value in sent if name != "Content-Length"]
        start(status, kept)
        return [body]

    def _spoilt(self, value: Json) -> Json:
        if not isinstance(value, dict) or not value or self.rng.random() < 0.1:
            return self.rng.choice(_ODD)
        name = self.rng.choice(sorted(value))
        return {**value, name: self._spoilt(value[name])}


@pytest.mark.long
@pytest.mark.parametrize("provider", PROVIDERS)
def test_server_that_answers_nonsense_is_judged(provider: str) -> None:
    contract, rng = load_contract(provider), Random(provider)
    checks = load_checks(contract)
    app, budget = OddApp(make_app(contract), rng), CreditBudget(None)
    chosen = rng.sample(scenarios_of(contract, checks), 12)

    result = verify(
        contract, checks, lambda: Guarded(InProcessTarget(app, contract), contract, budget), chosen
    )

    assert result.is_broken
    assert "BROKEN" in "\n".join(text_report(result))
    assert "<h2>Broken</h2>" in html_report(result)


@pytest.mark.parametrize(
    ("times", "ended_ms", "count"),
    [
        ((0, 20, 40), 50, 3),
        ((40, 40, 40), 50, 0),  # A busy machine may have read them late.
        ((0, 40), 50, 0),
        ((2_000,), 2_000, 1),
    ],
)
def test_a_short_stream_that_was_read_at_once_says_nothing_about_its_times(
    times: tuple[int, ...], ended_ms: int, count: int
) -> None:
    scale = 600
    pieces = tuple((it * scale, b"data: {}\n\n") for it in times)
    wire = OutgoingRequest("POST", "/", "", {}, b"")
    raw = wire.answered(200, {}, b"", 0, ended_ms * scale, pieces)

    assert len(timed(raw, scale).pieces) == count

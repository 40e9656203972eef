"""No request that schemathesis makes of a provider's schema breaks a rule.

Each phase runs on a WSGI application in front of the target, so the same tests work for our own
mocks and for servers at an address. Such a server costs money, so it needs a budget.
"""

from __future__ import annotations

import pytest

from .rules.contract_rules import rules_of
from .rules.judge import Judge
from .runs.named_target import NamedTarget
from .runs.phases import PHASES, run_phase
from .sessions.session import Session

_EXAMPLES = 10


@pytest.mark.parametrize("phase", PHASES)
def test_no_made_up_request_breaks_a_rule(target: NamedTarget, phase: str) -> None:
    if target.is_remote and target.options.budget is None:
        pytest.skip("made-up requests cost money: say how much in SCREENTEST_BUDGET")
    judge = Judge(rules_of(target.contract, target.checks))
    session = Session(
        target.open(), target.contract, target.checks, judge, is_open=target.is_remote
    )

    run_phase(session, phase, examples=_EXAMPLES)

    assert [f"{it.rule.id} ({it.rule.source}): {it.summary}" for it in judge.findings] == []
    if target.is_out_of_budget:
        pytest.skip("the budget was spent before everything was asked")

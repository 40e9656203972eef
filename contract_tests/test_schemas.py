"""Whatever schemathesis makes of a provider's schema, no rule is broken.

Each phase runs on a WSGI application in front of the target, so the same tests are about our own
mocks and about servers at an address. Those have to be paid, so there a budget must be named.
"""

from __future__ import annotations

import os

import pytest

from screentest.specs.checks import load_checks
from screentest.specs.contract import load_contract

from .command import open_target
from .judge import Judge
from .named_target import options_of
from .phases import PHASES, run_phase
from .rules import rules_of
from .session import Session

_EXAMPLES = 10


@pytest.mark.parametrize("phase", PHASES)
def test_no_made_up_request_breaks_a_rule(target_name: str, phase: str) -> None:
    options = options_of(target_name, os.environ)
    if options.url is not None and options.budget is None:
        pytest.skip("made-up requests cost money: say how much in SCREENTEST_BUDGET")
    contract, checks = load_contract(options.provider), load_checks(options.provider)
    judge = Judge(rules_of(contract, checks))
    is_remote = options.url is not None
    session = Session(open_target(options), contract, checks, judge, is_open=is_remote)

    run_phase(session, phase, examples=_EXAMPLES)

    assert [f"{it.rule.id} ({it.rule.source}): {it.told}" for it in judge.findings] == []

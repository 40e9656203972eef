"""A provider keeps its contract: each family of rules is one test.

Run with `pytest --pyargs screentest.contract_tests`; for a server of your own add
`--screentest-target ozor=URL`.
"""

from __future__ import annotations

from functools import cache

import pytest

from .rules.contract_rules import FAMILIES
from .rules.judge import RuleVerdict
from .runs.command import choose
from .runs.named_target import NamedTarget
from .scenarios.verify import Result, scenarios_of, verify
from .targets.live import UnreachableError


@cache
def verified(target: NamedTarget) -> Result:
    """The result of all scenarios at a target; made once for all families."""
    contract, checks, is_remote = target.contract, target.checks, target.is_remote
    chosen = choose(target.options, scenarios_of(contract, checks))
    # Kept even if the server stops, or each family would begin, and pay, again.
    return verify(
        contract,
        checks,
        target.open,
        chosen,
        is_open=is_remote,
        is_shared=is_remote,
        ends_by=(UnreachableError,),
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_is_broken(target: NamedTarget, family: str) -> None:
    result = verified(target)
    rules = [it for it in result.judge.rules.values() if it.family == family]
    judged = [it for it in rules if result.judge.verdict(it.id) is not RuleVerdict.NOT_JUDGED]

    detail = [
        f"{it.rule.id} ({it.rule.source}): {it.summary}"
        for it in result.judge.findings
        if it.rule.family == family
    ]

    assert detail == []
    assert not result.ending
    if not judged:
        why = ": the budget was spent" if target.is_out_of_budget else ""
        pytest.skip(f"nothing about {FAMILIES[family]} was judged here{why}")

"""A provider keeps its contract: each family of rules is one test.

Run with `pytest --pyargs screentest.contract_tests`; for a server of your own add
`--screentest-target ozor=URL`.
"""

from __future__ import annotations

import os
from functools import cache

import pytest

from screentest.specs.checks import load_checks
from screentest.specs.contract import load_contract

from .command import choose, open_target
from .judge import Verdict
from .named_target import options_of
from .rules import FAMILIES
from .target import Target
from .verify import Result, scenarios_of, verify


@cache
def verified(target_name: str) -> Result:
    """The result of all scenarios that a target can show; made once for all families."""
    options = options_of(target_name, os.environ)
    provider, is_remote = options.provider, options.url is not None
    contract, checks = load_contract(provider), load_checks(provider)
    chosen = choose(options, scenarios_of(contract, checks))

    def opened() -> Target:
        return open_target(options)

    return verify(contract, checks, opened, chosen, is_open=is_remote, is_shared=is_remote)


@pytest.mark.parametrize("family", FAMILIES)
def test_no_rule_is_broken(target_name: str, family: str) -> None:
    result = verified(target_name)
    rules = [it for it in result.judge.rules.values() if it.family == family]
    judged = [it for it in rules if result.judge.verdict(it.id) is not Verdict.NOT_JUDGED]

    told = [
        f"{it.rule.id} ({it.rule.source}): {it.told}"
        for it in result.judge.findings
        if it.rule.family == family
    ]

    assert told == []
    if not judged:
        pytest.skip(f"nothing about {FAMILIES[family]} was judged here")

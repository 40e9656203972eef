"""The kit finds nothing in a mock without a defect, and leaves nothing unjudged."""

from __future__ import annotations

import pytest

from screentest.contract_tests.judge import Verdict

from .hands import PROVIDERS, verified


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_is_judged_and_kept(provider: str) -> None:
    result = verified(provider)

    told = [f"{it.rule.id}: {it.told}" for it in result.judge.findings]
    assert told == []
    assert [rule.id for rule in result.judge.not_judged] == []
    assert [f"{it.scenario.name}: {it.unable}" for it in result.ran if it.unable] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 11))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_seed_raises_a_false_alarm(provider: str, seed: int) -> None:
    result = verified(provider, seed)

    counts = result.judge.counts()
    assert (counts[Verdict.BROKEN], counts[Verdict.NOT_JUDGED]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_all_scenarios_take_a_second_at_most(provider: str) -> None:
    """The best of three runs, as other programs may use this machine too."""
    assert min(verified(provider).seconds for _ in range(3)) <= 1.0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_names_where_it_comes_from(provider: str) -> None:
    rules = verified(provider).judge.rules.values()

    assert [rule.id for rule in rules if not rule.source] == []

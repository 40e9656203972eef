"""Every rule without a verdict says why, and what would let it be judged."""

from __future__ import annotations

from screentest.contract_tests.rules.judge import Rule
from screentest.contract_tests.rules.rule_ids import RuleId
from screentest.contract_tests.scenarios.unjudged import Unjudged, by_remedy, unjudged
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

CONTRACT = load_contract("oshara")


def _result(*names: str, limit: int | None = None) -> Result:
    """The scenarios whose names begin with one of *names*, with one key alone."""
    checks = load_checks(CONTRACT)
    plain = PlainTarget(InProcessTarget(make_app(CONTRACT), CONTRACT), has_others=False)
    target = Guarded(plain, CONTRACT, CreditBudget(limit))
    chosen = [it for it in scenarios_of(CONTRACT, checks) if it.name.startswith(names)]
    return verify(CONTRACT, checks, lambda: target, chosen, is_open=True, is_shared=True)


def test_a_rule_names_the_option_that_its_scenario_lacks() -> None:
    found = {it.rule.id: it for it in unjudged(_result("owners", "credentials"))}

    foreign = found[RuleId("own.getVideoJob.foreign")]
    assert (foreign.why, foreign.remedy) == ("it needs --second-api-key", "--second-api-key")


def test_a_rule_of_a_scenario_that_was_not_chosen_names_the_full_run() -> None:
    found = {it.rule.id: it for it in unjudged(_result("credentials"))}

    lists = found[RuleId("list.listVideoJobs.order")]
    assert lists.why == "its scenarios were not chosen"
    assert lists.remedy.startswith("a run of all scenarios")


def test_a_run_in_which_everything_was_judged_has_none() -> None:
    checks, app = load_checks(CONTRACT), make_app(CONTRACT)

    result = verify(
        CONTRACT, checks, lambda: InProcessTarget(app, CONTRACT), scenarios_of(CONTRACT, checks)
    )

    assert unjudged(result) == []


def test_the_largest_group_comes_first_and_what_nothing_helps_comes_last() -> None:
    rule = Rule(RuleId("x"), "STA", "a rule", ())
    found = [
        Unjudged(rule, "no scenario shows it"),
        Unjudged(rule, "", "--callback"),
        Unjudged(rule, "", "--bearer"),
        Unjudged(rule, "", "--bearer"),
    ]

    groups = by_remedy(found)

    assert [(remedy, len(group)) for remedy, group in groups.items()] == [
        ("--bearer", 2),
        ("--callback", 1),
        ("", 1),
    ]

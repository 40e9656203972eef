"""The kit finds nothing in a mock without a defect, and leaves nothing unjudged."""

from __future__ import annotations

import time
from functools import cache

import pytest
from msgspec.structs import replace

from screentest.contract_tests.report.html import html_report
from screentest.contract_tests.report.junit import junit_report
from screentest.contract_tests.report.ndjson import ndjson_report
from screentest.contract_tests.report.text import text_report
from screentest.contract_tests.rules import rule_ids
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge, RuleVerdict, UnknownRuleError
from screentest.contract_tests.scenarios.verify import Result
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.clauses.clauses import Clause, Subject
from screentest.specs.contracts.registry import load_contract
from screentest.specs.errors import ContractError

from ..yardstick import slowness
from .hands import PROVIDERS, session_with, verified


@cache
def clean(provider: str) -> Result:
    """The one run that several tests read."""
    return verified(provider)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_is_judged_and_kept(provider: str) -> None:
    result = clean(provider)

    detail = [f"{it.rule.id}: {it.summary}" for it in result.judge.findings]
    assert detail == []
    assert [rule.id for rule in result.judge.not_judged] == []
    assert [f"{it.scenario.name}: {it.unable}" for it in result.ran if it.unable] == []


#: The least number of clauses of each document, and of those that bind the server.
CLAUSES_MIN = {
    "oshara": (64, 64),
    "ozor": (232, 227),
    "ugc_copilot": (91, 87),
    "ulazai": (80, 74),
    "znapai": (70, 65),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_clause_is_judged_or_listed(provider: str) -> None:
    result = clean(provider)
    all_min, judged_min = CLAUSES_MIN[provider]

    clauses = result.checks.clauses
    listed = {it.id for it in (*result.clauses_not_judged, *result.clauses_of_others)}
    judged = clauses.keys() - listed
    assert len(clauses) >= all_min
    assert len(judged) >= judged_min
    assert [it.id for it in result.clauses_not_judged] == []
    assert f"{len(judged)} of {len(clauses)} clauses judged" in result.coverage
    text, junit = "\n".join(text_report(result)), junit_report(result)
    page, lines = html_report(result), ndjson_report(result)
    for clause in listed:
        assert f" {clause} " in f"{text} ".replace("\n", " ")
        assert f'name="{clause}"' in junit
        assert f"<code>{clause}</code>" in page
        assert f'"id": "{clause}"' in lines


def test_a_repeated_answer_is_not_an_extra_call() -> None:
    """Ten calls fill the window; the eleventh repeats the first, and the mock lets it pass."""
    session = session_with("ugc_copilot")
    again = {"idempotency-key": "0b5e9c1e-6f0a-4a53-9a53-0c8f6e6f6c55"}

    answers = [
        session.call("proxyFetchTopSellingProducts", headers=again if number in {0, 10} else None)
        for number in range(12)
    ]

    assert [it.status for it in answers] == [200] * 11 + [429]
    assert [it.summary for it in session.judge.findings] == []


def test_a_key_that_the_kit_makes_up_does_not_warn_its_user(
    caplog: pytest.LogCaptureFixture,
) -> None:
    contract = load_contract("ulazai")
    target = InProcessTarget(make_app(contract), contract)
    key = "ulazai_" + "live_" + "0" * 32
    status = "/api/v1/sora/status/1/"

    answer = target.send(OutgoingRequest("GET", status, headers={"Authorization": f"Token {key}"}))

    assert (answer.status, caplog.messages) == (401, [])


def test_a_clause_without_a_rule_is_not_judged() -> None:
    result = verified("ulazai")
    added = Clause("UL-999", "A new sentence.", Subject(topic=frozenset({"price"})))
    before = result.clauses_not_judged
    result.checks = replace(result.checks, clauses={**result.checks.clauses, added.id: added})

    assert result.clauses_not_judged == [*before, added]
    assert f"of {len(result.checks.clauses)} clauses judged" in result.coverage


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 11))
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_seed_raises_a_false_alarm(provider: str, seed: int) -> None:
    result = verified(provider, seed)

    counts = result.judge.counts()
    assert (counts[RuleVerdict.BROKEN], counts[RuleVerdict.NOT_JUDGED]) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_all_scenarios_take_a_second_at_most(provider: str) -> None:
    """The best of three runs, in processor time and relative to the machine's present speed."""
    took_s: list[float] = []
    for _ in range(3):
        began_s = time.process_time()
        verified(provider)
        took_s.append(time.process_time() - began_s)

    assert min(took_s) <= 1.0 * slowness(), took_s


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_names_where_it_comes_from(provider: str) -> None:
    rules = clean(provider).judge.rules.values()

    assert [rule.id for rule in rules if not rule.source] == []


def test_a_rule_that_does_not_exist_cannot_be_judged() -> None:
    contract = load_contract("ulazai")
    judge = Judge(rules_of(contract, load_checks(contract)))

    with pytest.raises(UnknownRuleError, match=r"url\.share\.works"):
        judge.check(rule_ids.url("share", "works"), "", holds=True)
    assert judge.check_optional(rule_ids.url("share", "works"), "", holds=True)
    assert judge.counts()[RuleVerdict.KEPT] == 0


def test_clauses_can_be_added_to_a_rule() -> None:
    contract = load_contract("ulazai")
    checks = load_checks(contract)
    rule_id = rule_ids.money("generateTextToVideo", "short")
    before = rules_of(contract, checks)[rule_id].clauses

    rules = rules_of(contract, replace(checks, also={rule_id: ("UL-071",)}))

    assert rules[rule_id].clauses == ("UL-071", *before)


def test_clauses_cannot_be_added_to_an_unknown_rule() -> None:
    contract = load_contract("ulazai")
    checks = load_checks(contract)
    wrong = replace(checks, also={"money.generateTextToVideo.shortage": ("UL-071",)})

    with pytest.raises(ContractError, match=r"no rule .* did you mean 'money\..*short'"):
        rules_of(contract, wrong)

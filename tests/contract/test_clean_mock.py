"""The kit finds nothing in a mock without a defect, and leaves nothing unjudged."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from screentest.contract_tests.rules.judge import Verdict
from screentest.contract_tests.targets.in_process import InProcess, make_app
from screentest.contract_tests.targets.target import OutgoingRequest
from screentest.specs import checks
from screentest.specs.checks import read_checks
from screentest.specs.contract import load_contract
from screentest.specs.errors import ContractError

from .hands import PROVIDERS, session_with, verified


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_rule_is_judged_and_kept(provider: str) -> None:
    result = verified(provider)

    detail = [f"{it.rule.id}: {it.summary}" for it in result.judge.findings]
    assert detail == []
    assert [rule.id for rule in result.judge.not_judged] == []
    assert [f"{it.scenario.name}: {it.unable}" for it in result.ran if it.unable] == []


@pytest.mark.parametrize(
    ("provider", "coverage"),
    [
        ("oshara", "100 % of 71 rules and 100 % of 41 clauses judged, 1 more binds no server"),
        ("ozor", "100 % of 195 rules and 100 % of 109 clauses judged, 1 more binds no server"),
        ("ugc_copilot", "100 % of 227 rules and 100 % of 44 clauses judged"),
        ("ulazai", "100 % of 68 rules and 100 % of 30 clauses judged, 1 more binds no server"),
        ("znapai", "100 % of 85 rules and 100 % of 35 clauses judged, 1 more binds no server"),
    ],
)
def test_every_clause_that_binds_a_server_is_judged(provider: str, coverage: str) -> None:
    result = verified(provider)

    assert result.clauses_not_judged == set()
    assert result.coverage == coverage


def test_an_answer_that_is_repeated_is_no_call_too_many() -> None:
    """Ten calls fill the window; the eleventh repeats the first, and the mock lets it pass."""
    session = session_with("ugc_copilot")
    again = {"idempotency-key": "0b5e9c1e-6f0a-4a53-9a53-0c8f6e6f6c55"}

    answers = [
        session.call("proxyFetchTopSellingProducts", headers=again if number in {0, 10} else None)
        for number in range(12)
    ]

    assert [it.status for it in answers] == [200] * 11 + [429]
    assert [it.summary for it in session.judge.findings] == []


def test_a_key_that_the_kit_makes_up_is_no_warning_to_its_user(
    caplog: pytest.LogCaptureFixture,
) -> None:
    contract = load_contract("ulazai")
    target = InProcess(make_app(contract), contract)
    key = "ulazai_" + "live_" + "0" * 32
    status = "/api/v1/sora/status/1/"

    answer = target.send(OutgoingRequest("GET", status, headers={"Authorization": f"Token {key}"}))

    assert (answer.status, caplog.messages) == (401, [])


def test_a_clause_that_no_rule_speaks_of_is_not_judged() -> None:
    result = verified("ulazai")
    result.checks = replace(result.checks, clauses=result.checks.clauses | {"UL-999"})

    assert result.clauses_not_judged == {"UL-999"}
    assert "96 % of 31 clauses judged" in result.coverage


def test_what_binds_no_server_must_be_named_somewhere(tmp_path: Path) -> None:
    text = (Path(checks.__file__).parent / "ulazai" / "behaviour.yaml").read_text()
    path = tmp_path / "behaviour.yaml"
    path.write_text(text.replace("    UL-069: How", "    UL-999: How", 1))

    with pytest.raises(ContractError, match="nothing has the source 'UL-999'"):
        read_checks(path, load_contract("ulazai"))


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

"""What the kit does with the accounts that a user supplies for a server without controls."""

from __future__ import annotations

import pytest

from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import run_scenario, scenarios_of
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.needs import NeedError
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract


def plain_session(provider: str, *, has_others: bool = True) -> Session:
    """A session at *provider*'s mock without its controls."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    target = PlainTarget(InProcessTarget(make_app(contract), contract), has_others)
    return Session(target, contract, checks, Judge(rules_of(contract, checks)), is_open=True)


def scenario(session: Session, name: str) -> Scenario:
    return next(it for it in scenarios_of(session.contract, session.checks) if it.name == name)


@pytest.mark.parametrize(
    ("provider", "operation"), [("ozor", "messageVideo"), ("ugc_copilot", "proxyApplyTextOverlay")]
)
def test_few_credits_pay_for_what_a_refusal_needs(provider: str, operation: str) -> None:
    session = plain_session(provider)

    run_scenario(scenario(session, "few credits"), session, is_shared=True)
    run_scenario(scenario(session, f"credits for {operation}"), session, is_shared=True)

    assert session.judge.kept[f"money.{operation}.short"] > 0
    assert session.judge.findings == []


def test_last_credit_of_an_account_suffices() -> None:
    session = plain_session("ozor")

    run_scenario(scenario(session, "few credits"), session, is_shared=True)

    assert session.judge.kept["money.generateVideo.enough"] == 1


def test_account_with_many_credits_counts_as_none() -> None:
    session = plain_session("ozor")
    assert isinstance(session.target, PlainTarget)
    session.target.empty = session.target.owner

    ran = run_scenario(scenario(session, "few credits"), session, is_shared=True)

    assert ran.unable == "the account of --empty-api-key paid for 30 calls of generateVideo"
    with pytest.raises(NeedError, match="paid for 30 calls"):
        session.empty  # noqa: B018


def test_key_that_the_api_makes_and_revokes_is_the_revoked_one() -> None:
    session = plain_session("ozor", has_others=False)

    answers = [session.call("listVideos", who=session.revoked) for _ in range(2)]

    assert [it.status for it in answers] == [401, 401]
    assert len([it for it in session.trace.exchanges if it.operation == "createApiKey"]) == 1


def test_revoked_key_must_be_given_where_the_api_makes_none() -> None:
    session = plain_session("ulazai", has_others=False)

    with pytest.raises(NeedError, match="--revoked-api-key"):
        session.revoked  # noqa: B018

"""What the kit does with the accounts that a user supplies for a server without controls."""

from __future__ import annotations

import pytest

from screentest.contract_tests.mutants.run import mutated_contract
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.rules.known import silence_of
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import run_scenario, scenarios_of
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.needs import NeedError
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract


def plain_session(
    provider: str, *, has_others: bool = True, target: PlainTarget | None = None
) -> Session:
    """A session at *target*, or at *provider*'s mock without its controls."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    if target is None:
        target = PlainTarget(InProcessTarget(make_app(contract), contract), has_others)
    judge = Judge(rules_of(contract, checks), silence=silence_of(contract, checks))
    return Session(target, contract, checks, judge, is_open=True)


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


def _end_of_keys(keeps_ms: int) -> Session:
    """The scenario about the end of keys, at a mock that keeps them for *keeps_ms*."""
    contract = load_contract("ugc_copilot")
    change = {"at": "/idempotency/keeps_ms", "set": keeps_ms}
    mock = InProcessTarget(make_app(mutated_contract(contract, change)), contract)
    session = plain_session("ugc_copilot", target=PlainTarget(mock, has_others=False))
    run_scenario(
        scenario(session, "end of keys of proxyStartVideoGeneration"), session, is_shared=True
    )
    return session


def test_end_of_an_idempotency_key_shows_with_one_key_alone() -> None:
    session = _end_of_keys(keeps_ms=24 * 3_600_000)

    assert session.judge.kept["idem.expiry"] == 2
    assert session.judge.findings == []


@pytest.mark.parametrize(
    ("hours", "detail"),
    [
        (12, "864 s before its end the key was not kept"),
        (48, "864 s after its end the key was still kept"),
    ],
)
def test_key_that_lives_for_another_time_differs_from_the_reading(hours: int, detail: str) -> None:
    session = _end_of_keys(keeps_ms=hours * 3_600_000)

    assert session.judge.differs["idem.expiry"].summary == detail
    assert session.judge.findings == []


def test_run_that_comes_back_after_the_end_of_a_key_judges_the_end_alone() -> None:
    session = plain_session("ugc_copilot", has_others=False)
    assert isinstance(session.target, PlainTarget)
    session.target = Late(session.target.mock, has_others=False)

    run_scenario(
        scenario(session, "end of keys of proxyStartVideoGeneration"), session, is_shared=True
    )

    assert session.judge.kept["idem.expiry"] == 1
    assert session.judge.differs == {}


class Late(PlainTarget):
    """A server to which the run comes back an hour late after a long wait."""

    def wait(self, ms: int) -> None:
        super().wait(ms + 3_600_000 if ms > 3_600_000 else ms)


def test_window_of_an_address_counts_a_call_with_a_key_too() -> None:
    session = plain_session("ugc_copilot", has_others=False)

    run_scenario(scenario(session, "rate of personas"), session, is_shared=True)

    assert session.judge.kept["rate.personas.scope"] == 1


def test_job_of_another_engine_is_polled_with_its_engine() -> None:
    session = plain_session("ugc_copilot", has_others=False)

    run_scenario(scenario(session, "example accepted.7"), session, is_shared=True)

    polls = [it for it in session.trace.exchanges if it.operation == "proxyCheckVideoStatus"]
    assert {(it.status, it.sent["data"]["engine"]) for it in polls} == {(200, "kling")}


def test_two_accounts_of_other_tiers_show_a_cap_and_a_window_of_many_jobs() -> None:
    session = plain_session("ugc_copilot")

    for name in ("rate of video generation", "jobs at once of the second account"):
        run_scenario(scenario(session, name), session, is_shared=True)

    assert session.judge.findings == []
    assert session.judge.kept["cap.starter"] > 0
    assert session.judge.kept["rate.video generation.limit"] == 1

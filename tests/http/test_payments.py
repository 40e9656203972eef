"""Paid twice and paid for nothing: each is found, and what good clients do is not."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import MINUTE_MS, Account, MockWorld
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc
from tests.znapai import steps as znapai

from .paid_jobs import LOOK, START, each_provider, follow
from .receiver import receiving

_TWICE = {
    "oshara": "paid twice",
    "ozor": "1 credit paid twice",
    "ugc_copilot": "18 credits paid twice",
    "ulazai": "70 credits paid twice",
    "znapai": "paid twice",
}
#: Attributes of faults with which a test does not wait.
_SHORT: dict[str, Json] = {"limit_data": {"bytes": 9}, "timeout": {"delay_ms": 1}}


def _found(world: MockWorld, **query: object) -> list[str]:
    """The codes of the findings about money, oldest first."""
    return [it["code"] for it in world.findings(**query) if "SC210" <= it["code"] <= "SC213"]


def _lose(world: MockWorld, type_: str = "timeout", phase: str = "after_commit") -> None:
    world.order_fault(type_, phase=phase, attributes=_SHORT.get(type_, {}))


def _start_unheard(account: Account) -> None:
    """Start a job whose answer does not arrive."""
    with pytest.raises((AssertionError, ValueError)):
        START[account.provider](account)


# --- SC210: paid twice for a lost answer ----------------------------------------------------------


@each_provider
@pytest.mark.parametrize(
    ("type_", "phase"),
    [
        ("timeout", "after_commit"),
        ("reset_peer", "after_commit"),
        ("http_error", "after_commit"),
        ("malformed_json", "during_body"),
        ("empty", "during_body"),
        ("limit_data", "during_body"),
    ],
)
def test_repetition_after_a_lost_answer_is_paid_twice(
    world: MockWorld, provider: str, type_: str, phase: str
) -> None:
    account = world.account(provider)
    world.order_fault(type_, phase=phase, attributes=_SHORT.get(type_, {}))
    _start_unheard(account)
    world.advance(1_500)

    follow(account, START[provider](account))

    (found,) = [it for it in world.findings() if it["code"] == "SC210"]
    assert found["severity"] == "error"
    assert found["where"]["id"] == "req_2"
    assert found["actual"] == (
        f"the same call again 1.5 s after req_1, whose answer was lost: {_TWICE[provider]}"
    )
    assert _found(world) == ["SC210"]


def test_each_further_repetition_of_a_lost_answer_is_found(ozor: Account) -> None:
    for _ in range(2):
        _lose(ozor.world)
        _start_unheard(ozor)

    follow(ozor, ozor_steps.generate(ozor))

    where = [it["where"]["id"] for it in ozor.world.findings() if it["code"] == "SC210"]
    assert where == ["req_2", "req_3"]


def test_paid_answer_without_a_job_is_paid_twice_as_well(ozor: Account) -> None:
    _lose(ozor.world)
    with pytest.raises((AssertionError, ValueError)):
        ozor_steps.analyze(ozor)

    ozor_steps.analyze(ozor)

    assert _found(ozor.world) == ["SC210"]


@pytest.mark.parametrize(
    ("provider", "fix"),
    [
        ("ozor", "before a retry, look in GET /api/v1/videos for what"),
        ("ugc_copilot", "send one Idempotency-Key for each result that is wanted"),
        ("ulazai", "do not repeat a paid call without an answer by itself"),
        ("znapai", "before a retry, look in GET /videos for what"),
    ],
)
def test_fix_is_what_the_provider_offers(world: MockWorld, provider: str, fix: str) -> None:
    account = world.account(provider)
    _lose(world)
    _start_unheard(account)

    START[provider](account)

    (found,) = [it for it in world.findings() if it["code"] == "SC210"]
    assert found["fix"].startswith(fix)


def test_repetition_with_the_same_idempotency_key_is_paid_once(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    headers = {"Idempotency-Key": "one-video"}
    _lose(world)
    account.client.post(ugc.START, json=ugc.body(), headers=headers)

    again = account.client.post(ugc.START, json=ugc.body(), headers=headers)
    follow(account, ugc.accepted(again)["operation"]["name"])

    assert _found(world) == []


def test_repetition_with_a_new_idempotency_key_is_paid_twice(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    _lose(world)
    account.client.post(ugc.START, json=ugc.body(), headers={"Idempotency-Key": "first"})

    again = account.client.post(ugc.START, json=ugc.body(), headers={"Idempotency-Key": "second"})
    follow(account, ugc.accepted(again)["operation"]["name"])

    assert _found(world) == ["SC210"]


@each_provider
def test_repetition_of_a_call_that_failed_before_its_work_is_no_finding(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)
    _lose(world, phase="before")
    _start_unheard(account)

    follow(account, START[provider](account))

    assert _found(world) == []


def test_call_for_something_else_after_a_lost_answer_is_no_finding(ozor: Account) -> None:
    _lose(ozor.world)
    _start_unheard(ozor)

    follow(ozor, ozor_steps.generate(ozor, prompt="Another lamp"))

    assert _found(ozor.world) == []


def test_same_call_of_another_account_after_a_lost_answer_is_no_finding(world: MockWorld) -> None:
    first, second = world.account("ozor"), world.account("ozor")
    _lose(world)
    _start_unheard(first)

    follow(second, ozor_steps.generate(second))

    assert _found(world) == []


def test_repetition_after_the_lost_job_failed_is_no_finding(ozor: Account) -> None:
    ozor.world.order_fault("job_failure")
    _lose(ozor.world)
    _start_unheard(ozor)
    ozor.world.advance_until_idle()

    follow(ozor, ozor_steps.generate(ozor))

    assert _found(ozor.world) == []


@pytest.mark.parametrize("provider", ["ozor", "znapai"])
def test_client_that_finds_the_lost_job_in_the_list_is_not_accused(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)
    _lose(world)
    _start_unheard(account)
    listed = account.client.get(ozor_steps.VIDEOS if provider == "ozor" else znapai.VIDEOS).json()

    world.advance_until_idle()
    if provider == "ozor":
        ozor_steps.video(account, listed["videos"][0]["videoId"])
    else:
        znapai.read(account, listed["data"][0]["id"])

    assert _found(world) == []


# --- SC211: one of two results unused -------------------------------------------------------------


@each_provider
def test_second_click_whose_first_job_nobody_asks_for_is_an_advice(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)
    START[provider](account)
    world.advance(200)

    follow(account, START[provider](account))

    (found,) = [it for it in world.findings() if it["code"] == "SC211"]
    assert (found["severity"], found["where"]["id"], found["where"]["twin"]) == (
        "warning",
        "req_1",
        "req_2",
    )
    assert _found(world) == ["SC211"]


@each_provider
def test_two_takes_that_are_both_used_are_no_finding(world: MockWorld, provider: str) -> None:
    account = world.account(provider)
    first, second = START[provider](account), START[provider](account)

    follow(account, first)
    LOOK[provider](account, second)

    assert _found(world) == []


@each_provider
def test_second_take_after_the_end_of_the_first_is_no_finding(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)

    for _ in range(2):
        follow(account, START[provider](account))

    assert _found(world) == []


def test_late_answer_that_the_client_did_not_wait_for_is_paid_twice(ozor: Account) -> None:
    ozor.world.order_fault("latency", attributes={"delay_ms": 1})
    ozor_steps.generate(ozor)

    follow(ozor, ozor_steps.generate(ozor))

    (found,) = [it for it in ozor.world.findings() if it["code"] == "SC210"]
    assert "req_1, whose answer came late: 1 credit paid twice" in found["actual"]
    assert found["severity"] == "error"


# --- SC212, SC213: paid for nothing ---------------------------------------------------------------


@each_provider
def test_job_that_ended_unseen_is_never_fetched(world: MockWorld, provider: str) -> None:
    account = world.account(provider)
    START[provider](account)

    world.advance(60 * MINUTE_MS)

    (found,) = world.findings(code="SC212")
    assert (found["severity"], found["where"]["kind"], found["where"]["id"]) == (
        "warning",
        "payment",
        "req_1",
    )
    assert _found(world) == ["SC212"]


@each_provider
def test_job_that_the_client_gave_up_is_abandoned(world: MockWorld, provider: str) -> None:
    account = world.account(provider)
    job = START[provider](account)
    world.advance(1_000)
    LOOK[provider](account, job)

    world.advance(60 * MINUTE_MS)

    assert _found(world) == ["SC213"]
    LOOK[provider](account, job)
    assert _found(world) == []


def test_abandoned_while_it_runs_says_how_long_ago(ozor: Account) -> None:
    job = ozor_steps.generate(ozor, prompt="A lamp [[screentest:stall]]")
    for _ in range(3):
        ozor.world.advance(4_000)
        ozor_steps.job(ozor, job)

    ozor.world.advance(20_000)

    (found,) = ozor.world.findings(final="false")
    assert found["code"] == "SC213"
    assert found["actual"] == "asked 3 times, the last time 20 s ago: processing"
    assert found["expected"] == "the end of the job for which req_1 paid 1 credit"


def test_client_that_may_still_come_back_is_not_accused_before_it_has_ended(ozor: Account) -> None:
    job = ozor_steps.generate(ozor, prompt="A lamp [[screentest:stall]]")
    for _ in range(6):
        ozor.world.advance(4_000)
        ozor_steps.job(ozor, job)

    ozor.world.advance(4_000)

    assert (_found(ozor.world, final="false"), _found(ozor.world)) == ([], ["SC213"])


def test_client_that_gives_a_stuck_job_up_after_ten_minutes_is_not_accused(ozor: Account) -> None:
    job = ozor_steps.generate(ozor, prompt="A lamp [[screentest:stall]]")
    for _ in range(61):
        ozor.world.advance(10_000)
        ozor_steps.job(ozor, job)

    ozor.world.advance(60 * MINUTE_MS)

    assert _found(ozor.world) == []


@each_provider
def test_job_that_still_runs_and_was_never_asked_for_is_no_finding(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)

    START[provider](account)

    assert _found(world) == []


def test_job_that_failed_and_was_refunded_is_no_finding(ozor: Account) -> None:
    ozor.world.order_fault("job_failure")
    ozor_steps.generate(ozor)

    ozor.world.advance(60 * MINUTE_MS)

    assert _found(ozor.world) == []


def test_job_whose_webhook_was_delivered_is_used(world: MockWorld) -> None:
    account = world.account("ugc_copilot")
    with receiving() as receiver:
        body = {"provider": "ugc_copilot", "account": account.id, "url": receiver.url}
        world.control.post(f"{world.path}/webhooks/endpoints", json=body)
        ugc.start(account)
        world.advance_until_idle()

    assert _found(world) == []


def test_stream_that_was_read_to_its_end_is_used(ozor: Account) -> None:
    ozor_steps.finished_plan(ozor)

    ozor.world.advance(60 * MINUTE_MS)

    assert _found(ozor.world) == []


def test_stream_that_broke_off_and_was_taken_for_the_end_is_never_fetched(ozor: Account) -> None:
    plan = ozor_steps.plan_with(ozor, voiced=2)
    ozor.world.order_fault("stream_cut", phase="during_body", attributes={"after_events": 2})
    ozor_steps.generate_plan(ozor, plan)

    ozor.world.advance_until_idle()

    (found,) = ozor.world.findings(code="SC212")
    assert (found["where"]["kind"], found["where"]["credits"]) == ("stream", 1)
    assert found["actual"].startswith("a stream that ended before its last event")


def test_lost_answer_that_the_client_reports_is_no_finding(ozor: Account) -> None:
    _lose(ozor.world)
    _start_unheard(ozor)

    ozor.world.advance(60 * MINUTE_MS)

    assert _found(ozor.world) == []

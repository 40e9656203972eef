"""Money: 80 credits or 70, taken at submission, given back in full and once."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account
from . import steps

both = pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
#: What is said about the Prompt Directory, and the price.
CHOICES = [
    pytest.param({"prompt_directory_optin": False}, 80, id="out"),
    pytest.param({"prompt_directory_optin": True}, 70, id="in"),
    pytest.param({}, 70, id="unsaid"),
]


@pytest.mark.clause("UL-019", "UL-020", "UL-021", "UL-022", "UL-028", "UL-040", "UL-041")
@pytest.mark.parametrize(("choice", "charged"), CHOICES)
@both
def test_video_costs_80_and_10_less_in_the_directory(
    ulazai: Account, submission: tuple[str, Json], choice: Json, charged: int
) -> None:
    path, body = submission

    data = steps.accepted(ulazai.client.post(path, json={**body, **choice}))

    assert data["credits_charged"] == charged
    assert type(data["credits_charged"]) is int
    assert data["credits_remaining"] == 1000 - charged


@pytest.mark.clause("UL-029", "UL-032")
@both
def test_balance_falls_at_submission_and_not_again(
    ulazai: Account, submission: tuple[str, Json]
) -> None:
    path, body = submission
    data = steps.accepted(ulazai.client.post(path, json=body))
    at_submission = ulazai.money

    steps.finish(ulazai, data["task_id"])

    assert data["credits_remaining"] == 930
    assert at_submission == (930, 0, 70)
    assert ulazai.money == (930, 0, 70)


@pytest.mark.clause("UL-029")
def test_credits_remaining_counts_every_charge(ulazai: Account) -> None:
    remaining = [
        steps.from_text(ulazai)["credits_remaining"],
        steps.from_image(ulazai, prompt_directory_optin=False)["credits_remaining"],
        steps.from_text(ulazai, quality="high")["credits_remaining"],
    ]

    assert remaining == [930, 850, 780]
    assert ulazai.money == (780, 0, 220)


@pytest.mark.clause("UL-057", "UL-058")
@pytest.mark.parametrize(("choice", "charged"), CHOICES)
@both
def test_failure_gives_back_all_that_was_charged(
    ulazai: Account, submission: tuple[str, Json], choice: Json, charged: int
) -> None:
    path, body = submission
    data = steps.accepted(ulazai.client.post(path, json={**body, **choice}))
    ulazai.world.fail_job(data["task_id"], "The model gave up")

    last = steps.poll(ulazai, data["task_id"])[-1]

    assert (data["credits_charged"], last["credits_refunded"]) == (charged, charged)
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-059")
def test_refund_is_one_line_of_the_ledger_however_often_the_task_is_read(ulazai: Account) -> None:
    task_id, last = steps.failed(ulazai)

    for _ in range(20):
        ulazai.world.advance(HOUR_MS)
        assert steps.status(ulazai, task_id) == last

    assert steps.lines(ulazai) == [("grant", 1000), ("charge", 70), ("refund", 70)]


@pytest.mark.clause("UL-058", "UL-059")
def test_refund_comes_with_the_failure_without_a_poll(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    ulazai.world.fail_job(task_id, "The model gave up")
    while_processing = ulazai.money

    ulazai.world.advance_until_idle()

    assert while_processing == (930, 0, 70)
    assert ulazai.money == (1000, 0, 0)
    assert steps.lines(ulazai) == [("grant", 1000), ("charge", 70), ("refund", 70)]


@pytest.mark.clause("UL-058")
def test_refund_of_one_task_leaves_the_others_paid(ulazai: Account) -> None:
    steps.from_text(ulazai)
    failing = steps.from_text(ulazai)["task_id"]
    ulazai.world.fail_job(failing, "The model gave up")

    steps.from_image(ulazai)
    ulazai.world.advance_until_idle()

    assert ulazai.money == (860, 0, 140)


@pytest.mark.clause("UL-062")
@pytest.mark.parametrize(("choice", "cost"), CHOICES)
@both
def test_one_credit_too_few_is_402_and_changes_nothing(
    ulazai: Account, submission: tuple[str, Json], choice: Json, cost: int
) -> None:
    path, body = submission
    ulazai.set_credits(cost - 1)
    before = ulazai.ledger()

    answer = ulazai.client.post(path, json={**body, **choice})

    assert steps.refusal(answer) == (402, "credits")
    assert answer.json()["error"] == (
        f"Insufficient credits: this video costs {cost}, your balance is {cost - 1}."
    )
    assert ulazai.ledger() == before
    assert steps.job_count(ulazai.world) == 0


@pytest.mark.clause("UL-062")
@both
def test_last_credits_are_enough(ulazai: Account, submission: tuple[str, Json]) -> None:
    path, body = submission
    ulazai.set_credits(70)

    data = steps.accepted(ulazai.client.post(path, json=body))

    assert data["credits_remaining"] == 0
    assert ulazai.money[0] == 0


@pytest.mark.clause("UL-058", "UL-062")
def test_credits_that_came_back_can_be_spent_again(ulazai: Account) -> None:
    ulazai.set_credits(70)
    steps.failed(ulazai)

    assert steps.from_text(ulazai)["credits_remaining"] == 0


@pytest.mark.clause("UL-071")
def test_2500_credits_pay_for_31_videos(ulazai: Account) -> None:
    rich = ulazai.world.account("ulazai", credits=2500)
    for _ in range(31):
        steps.from_text(rich, prompt_directory_optin=False)
        rich.world.advance_until_idle()

    refused = rich.client.post(
        steps.TEXT, json={**steps.TEXT_BODY, "prompt_directory_optin": False}
    )

    assert steps.refusal(refused) == (402, "credits")
    assert rich.money == (20, 0, 2480)


@pytest.mark.clause("UL-067")
@pytest.mark.parametrize("operation", ["generateTextToVideo", "generateImageToVideo"])
def test_server_error_costs_nothing(ulazai: Account, operation: str) -> None:
    steps.fault(ulazai.world, "http_error", operation, status=500)
    path, body = steps.SUBMISSIONS[operation == "generateImageToVideo"]

    broken = ulazai.client.post(path, json=body)
    after = ulazai.money
    again = ulazai.client.post(path, json=body)

    assert broken.status == 500
    assert broken.json() == {
        "success": False,
        "error": "Server error (500). Please try again.",
        "credits_refunded": 0,
    }
    assert after == (1000, 0, 0)
    assert again.status == 201


@pytest.mark.clause("UL-067")
@pytest.mark.parametrize("pace", ["documented", "instant"])
def test_server_error_after_the_charge_gives_it_back(ulazai: Account, pace: str) -> None:
    """The task was accepted and paid; its answer was lost in a 500, so no client has its id."""
    ulazai.world.control.patch(ulazai.world.path, json={"pace": pace})
    steps.fault(ulazai.world, "http_error", "generateTextToVideo", "after_commit", status=500)

    broken = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)
    money, lines = ulazai.money, steps.lines(ulazai)
    ulazai.world.advance_until_idle()

    assert broken.status == 500
    assert broken.json() == {
        "success": False,
        "error": "Server error (500). Please try again.",
        "credits_refunded": 70,
    }
    assert lines == [("grant", 1000), ("charge", 70), ("refund", 70)]
    assert (money, ulazai.money, steps.lines(ulazai)) == ((1000, 0, 0), (1000, 0, 0), lines)


@pytest.mark.clause("UL-066", "UL-067")
def test_task_of_a_server_error_has_failed_and_frees_its_place(ulazai: Account) -> None:
    kept = [steps.from_text(ulazai)["task_id"] for _ in range(9)]
    steps.fault(ulazai.world, "http_error", "generateTextToVideo", "after_commit", status=500)
    ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)

    tenth = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)
    eleventh = ulazai.client.post(steps.TEXT, json=steps.TEXT_BODY)

    assert (tenth.status, eleventh.status) == (201, 429)
    assert {steps.status(ulazai, task)["data"]["status"] for task in kept} == {"processing"}


@pytest.mark.clause("UL-067")
def test_server_error_of_a_status_call_ends_no_task(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    steps.fault(ulazai.world, "http_error", "getTaskStatus", "after_commit", status=500)

    broken = ulazai.client.get(steps.status_path(task_id))

    assert (broken.status, broken.json()["credits_refunded"]) == (500, 0)
    assert steps.status(ulazai, task_id)["data"]["status"] == "processing"
    assert ulazai.money == (930, 0, 70)


@pytest.mark.clause("UL-032", "UL-059")
def test_accounts_pay_for_themselves(ulazai: Account, neighbour: Account) -> None:
    steps.from_text(ulazai)
    steps.failed(neighbour)

    assert ulazai.money == (930, 0, 70)
    assert neighbour.money == (1000, 0, 0)


@pytest.mark.clause("UL-032", "UL-058")
def test_ledger_always_adds_up(ulazai: Account) -> None:
    steps.from_text(ulazai)
    steps.failed(ulazai, prompt_directory_optin=False)
    steps.from_image(ulazai)

    ledger = ulazai.ledger()

    assert ledger["granted"] == ledger["available"] + ledger["held"] + ledger["spent"] == 1000

"""Credits: what costs what, when it is taken, and that a 402 or a failure takes nothing.

`account.money` is (available, held, spent). While paid work runs its price is held.
"""

from __future__ import annotations

import pytest

from ..mock_client import Account, Answer
from . import steps


@pytest.mark.clause("OZ-037")
def test_new_account_has_ten_credits(ozor: Account) -> None:
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-038", "OZ-039")
def test_generation_is_paid_when_its_job_completes(ozor: Account) -> None:
    submitted = steps.generate(ozor)
    at_submission = ozor.money
    steps.wait_until_running(ozor, submitted)
    while_running = ozor.money
    steps.finish_job(ozor, submitted)

    assert at_submission == (9, 1, 0)
    assert while_running == (9, 1, 0)
    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-038")
def test_generation_is_paid_at_the_instant_of_completion(ozor: Account) -> None:
    """It needs no poll, and a long advance does not change the date of the payment."""
    submitted = steps.generate(ozor)

    fired = ozor.world.advance(600_000)

    (ended,) = [item["at"] for item in fired if item["subject"] == submitted["jobId"]][-1:]
    (paid,) = [e["at"] for e in ozor.ledger()["entries"] if e["kind"] == "capture"]
    assert paid == ended


@pytest.mark.clause("OZ-040", "OZ-041")
def test_message_is_paid_when_its_job_completes(ozor: Account, video_id: str) -> None:
    submitted = steps.send_message(ozor, video_id)
    at_submission = ozor.money
    steps.finish_job(ozor, submitted)

    assert at_submission == (8, 1, 1)
    assert ozor.money == (8, 0, 2)


@pytest.mark.clause("OZ-042")
@pytest.mark.parametrize("quality", ["720p", "1080p", "4k"])
@pytest.mark.parametrize("is_public", [False, True])
def test_export_is_free(ozor: Account, video_id: str, quality: str, *, is_public: bool) -> None:
    steps.exported(ozor, video_id, quality=quality, isPublic=is_public)

    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-042")
def test_export_works_without_any_credit(ozor: Account, video_id: str) -> None:
    ozor.set_credits(0)

    done = steps.exported(ozor, video_id)

    assert done["exportStatus"] == "complete"


@pytest.mark.clause("OZ-043")
def test_automatic_export_adds_nothing_to_the_price(ozor: Account) -> None:
    submitted = steps.generate(ozor, export=True, exportQuality="4k", exportIsPublic=True)
    steps.finish_job(ozor, submitted)
    steps.finish_export(ozor, submitted["videoId"])

    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-044")
def test_analysis_is_paid_at_once(ozor: Account) -> None:
    steps.analyze(ozor)

    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-045", "OZ-052", "OZ-053", "OZ-179")
@pytest.mark.parametrize(
    ("voiced", "cost"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3), (13, 6)]
)
def test_plan_costs_half_its_voiced_scenes_rounded_down(
    ozor: Account, voiced: int, cost: int
) -> None:
    plan_id = steps.plan_with(ozor, voiced, silent=1)
    shown = steps.plan(ozor, plan_id)["creditsCost"]
    last = steps.generate_plan(ozor, plan_id).events[-1]

    assert last["step"] == "done"
    assert shown == cost
    assert ozor.money == (9 - cost, 0, 1 + cost)


@pytest.mark.clause("OZ-046", "OZ-216")
def test_plan_is_paid_when_it_is_done_and_once(ozor: Account, plan_id: str) -> None:
    stream = steps.open_stream(ozor, plan_id)
    stream.next()
    at_start = ozor.money
    for _ in stream.events:
        pass
    at_end = ozor.money
    ozor.world.advance(3_600_000)

    assert at_start == (6, 3, 1)
    assert at_end == (6, 0, 4)
    assert ozor.money == (6, 0, 4)


@pytest.mark.clause("OZ-050")
def test_failed_generation_is_free(ozor: Account) -> None:
    submitted = steps.generate(ozor)
    ozor.world.fail_job(submitted["jobId"], "the model gave up")

    assert steps.finish_job(ozor, submitted)["status"] == "failed"
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-050")
def test_failed_message_is_free(ozor: Account, video_id: str) -> None:
    submitted = steps.send_message(ozor, video_id)
    ozor.world.fail_job(submitted["jobId"], "the model gave up")

    assert steps.finish_job(ozor, submitted)["status"] == "failed"
    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-051")
def test_failed_plan_generation_is_free(ozor: Account, plan_id: str) -> None:
    steps.fail_next(ozor.world, "generatePlan", "TTS failed")

    assert steps.generate_plan(ozor, plan_id).events[-1]["step"] == "error"
    assert ozor.money == (9, 0, 1)


@pytest.mark.clause("OZ-042")
def test_failed_export_is_free_too(ozor: Account, video_id: str) -> None:
    export = steps.export(ozor, video_id)
    ozor.world.fail_job(export["exportId"], "the renderer stopped")

    assert steps.finish_export(ozor, video_id)["exportStatus"] == "failed"
    assert ozor.money == (9, 0, 1)


def is_shortfall(answer: Answer, *, cost: int, balance: int) -> bool:
    """A 402 in JSON whose detail is a text with the price and what there is."""
    assert steps.refusal(answer) == (402, "credits")
    assert answer.headers["content-type"].startswith("application/json")
    detail = answer.json()["detail"]
    return str(cost) in detail and str(balance) in detail and "credit" in detail.lower()


@pytest.mark.clause("OZ-047", "OZ-048", "OZ-049", "OZ-054")
def test_generation_without_credits_is_402_and_makes_nothing(ozor: Account) -> None:
    ozor.set_credits(0)

    answer = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp"})

    assert is_shortfall(answer, cost=1, balance=0)
    assert steps.list_videos(ozor) == []
    assert steps.job_count(ozor.world) == 0
    assert ozor.money == (0, 0, 0)


@pytest.mark.clause("OZ-047", "OZ-048", "OZ-049", "OZ-133")
def test_message_without_credits_is_402_and_makes_no_job(ozor: Account, video_id: str) -> None:
    ozor.set_credits(0)
    before = steps.video(ozor, video_id), steps.job_count(ozor.world), ozor.ledger()

    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/message", json={"message": "Slower"})

    assert is_shortfall(answer, cost=1, balance=0)
    assert (steps.video(ozor, video_id), steps.job_count(ozor.world), ozor.ledger()) == before


@pytest.mark.clause("OZ-047", "OZ-049", "OZ-180")
def test_analysis_without_credits_is_402_and_makes_no_plan(ozor: Account) -> None:
    ozor.set_credits(0)
    before = ozor.ledger()

    answer = ozor.client.post(steps.ANALYZE, form={"file": steps.pdf()})

    assert is_shortfall(answer, cost=1, balance=0)
    assert "planId" not in answer.text
    assert ozor.ledger() == before


@pytest.mark.clause("OZ-047", "OZ-049", "OZ-054", "OZ-203")
def test_plan_without_credits_is_402_before_any_event(ozor: Account, plan_id: str) -> None:
    ozor.set_credits(2)
    before = steps.plan(ozor, plan_id)["updatedAt"], steps.job_count(ozor.world), ozor.ledger()

    answer = steps.generate_plan(ozor, plan_id)

    assert is_shortfall(answer, cost=3, balance=2)
    assert "data:" not in answer.text
    after = steps.plan(ozor, plan_id)
    assert after["status"] == "draft"
    assert (after["updatedAt"], steps.job_count(ozor.world), ozor.ledger()) == before
    assert steps.list_videos(ozor) == []


@pytest.mark.clause("OZ-047")
def test_last_credit_is_enough(ozor: Account) -> None:
    ozor.set_credits(1)

    steps.make_video(ozor)

    assert ozor.money[0] == 0


@pytest.mark.clause("OZ-047", "OZ-050")
def test_credit_of_a_failed_job_can_be_used_again(ozor: Account) -> None:
    ozor.set_credits(1)
    submitted = steps.generate(ozor)
    ozor.world.fail_job(submitted["jobId"], "the model gave up")
    steps.finish_job(ozor, submitted)

    steps.make_video(ozor)

    assert ozor.money[0] == 0


@pytest.mark.clause("OZ-047")
def test_topping_up_opens_the_door_again(ozor: Account) -> None:
    ozor.set_credits(0)
    refused = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp"})
    ozor.set_credits(5)

    accepted = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp"})

    assert (refused.status, accepted.status) == (402, 200)


@pytest.mark.clause("OZ-146")
def test_reading_and_polling_are_free(ozor: Account, plan_id: str) -> None:
    submitted = steps.generate(ozor)
    steps.finish_job(ozor, submitted)
    before = ozor.ledger()

    for _ in range(20):
        steps.job(ozor, submitted)
        steps.video(ozor, submitted["videoId"])
        steps.plan(ozor, plan_id)
        steps.list_videos(ozor)

    assert ozor.ledger() == before


@pytest.mark.clause("OZ-038", "OZ-040", "OZ-044", "OZ-046")
def test_money_adds_up_over_a_whole_journey(ozor: Account) -> None:
    video_id = steps.make_video(ozor)  # 1
    steps.edit(ozor, video_id)  # 1
    steps.exported(ozor, video_id)  # 0
    plan_id = steps.analyze(ozor)["planId"]  # 1
    steps.generate_plan(ozor, plan_id)  # 3

    ledger = ozor.ledger()

    assert ozor.money == (4, 0, 6)
    assert ledger["granted"] == ledger["available"] + ledger["held"] + ledger["spent"]


@pytest.mark.clause("OZ-028", "OZ-034")
def test_accounts_pay_for_themselves(ozor: Account, neighbour: Account) -> None:
    steps.make_video(ozor)

    assert ozor.money == (9, 0, 1)
    assert neighbour.money == (10, 0, 0)

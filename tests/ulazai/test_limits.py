"""Ten tasks at once, and no other limit."""

from __future__ import annotations

import pytest

from ..mock_client import Account
from . import steps


@pytest.fixture
def rich(ulazai: Account) -> Account:
    """An account that can pay for everything here."""
    ulazai.set_credits(100_000)
    return ulazai


def start(account: Account, count: int) -> list[str]:
    """*count* tasks at once, of both kinds; their ids."""
    submit = (steps.from_text, steps.from_image)
    return [str(submit[number % 2](account)["task_id"]) for number in range(count)]


@pytest.mark.clause("UL-065")
def test_ten_at_once_pass(rich: Account) -> None:
    tasks = start(rich, 10)

    assert {steps.status(rich, task)["data"]["status"] for task in tasks} == {"processing"}


@pytest.mark.clause("UL-064")
@pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)
def test_eleventh_is_429_and_costs_nothing(
    rich: Account, submission: tuple[str, dict[str, str]]
) -> None:
    path, body = submission
    start(rich, 10)
    before = rich.ledger(), steps.job_count(rich.world)

    answer = rich.client.post(path, json=body)

    assert steps.refusal(answer) == (429, "concurrency")
    assert answer.json()["error"] == "Rate limit exceeded: at most 10 tasks at a time."
    assert answer.headers["retry-after"] == "30"
    assert (rich.ledger(), steps.job_count(rich.world)) == before


@pytest.mark.clause("UL-066")
def test_finished_task_makes_room_for_one(rich: Account) -> None:
    start(rich, 10)
    rich.world.advance_to_next()

    statuses = [rich.client.post(steps.TEXT, json=steps.TEXT_BODY).status for _ in range(2)]

    assert statuses == [201, 429]


@pytest.mark.clause("UL-066")
def test_failed_task_makes_room_too(rich: Account) -> None:
    for task in start(rich, 10):
        rich.world.fail_job(task, "The model gave up")
    rich.world.advance_until_idle()

    assert len(start(rich, 10)) == 10


@pytest.mark.clause("UL-064")
def test_held_task_keeps_its_place(rich: Account) -> None:
    held = start(rich, 1)[0]
    rich.world.change(f"jobs/{held}", {"held": True})
    start(rich, 9)
    rich.world.advance(3_600_000)

    start(rich, 9)

    answer = rich.client.post(steps.TEXT, json=steps.TEXT_BODY)
    assert steps.refusal(answer) == (429, "concurrency")


@pytest.mark.clause("UL-064", "UL-065")
def test_limit_is_counted_by_account(rich: Account, neighbour: Account) -> None:
    start(rich, 10)

    assert len(start(neighbour, 10)) == 10


@pytest.mark.clause("UL-065", "UL-068")
def test_reading_is_not_limited(rich: Account) -> None:
    tasks = start(rich, 10)

    statuses = {
        rich.client.get(steps.status_path(task)).status for _ in range(20) for task in tasks
    }

    assert statuses == {200}


@pytest.mark.clause("UL-064", "UL-065")
def test_hundred_tasks_one_after_another_pass(rich: Account) -> None:
    for _ in range(10):
        start(rich, 10)
        rich.world.advance_until_idle()

    assert rich.money[0] == 100_000 - 100 * 70

"""The four numbers, which add up at any moment."""

from __future__ import annotations

import pytest

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OS-049", "OS-050")
def test_new_account_counts_nothing(oshara: Account) -> None:
    assert steps.stats(oshara) == {"total": 0, "completed": 0, "failed": 0, "pending": 0}


@pytest.mark.clause("OS-049", "OS-050", "OS-052")
def test_jobs_are_counted_by_how_they_ended(oshara: Account) -> None:
    steps.finished(oshara)
    steps.finished(oshara)
    steps.failed(oshara)
    steps.create(oshara)

    assert steps.stats(oshara) == {"total": 4, "completed": 2, "failed": 1, "pending": 1}


@pytest.mark.clause("OS-052")
def test_numbers_add_up_while_jobs_are_on_their_way(oshara: Account) -> None:
    """S7: what a worker has in hand counts as pending."""
    for number in range(12):
        job = steps.create(oshara)
        if number % 3 == 0:
            oshara.world.fail_job(str(job["id"]), "No face.")
        oshara.world.advance(20_000)

        counted = steps.stats(oshara)

        assert counted["total"] == number + 1
        assert counted["total"] == counted["completed"] + counted["failed"] + counted["pending"]

    oshara.world.advance_until_idle()
    assert steps.stats(oshara) == {"total": 12, "completed": 8, "failed": 4, "pending": 0}


@pytest.mark.clause("OS-052")
def test_numbers_agree_with_the_list(oshara: Account) -> None:
    for _ in range(6):
        steps.create(oshara)
        oshara.world.advance(50_000)

    statuses = [job["status"] for job in steps.listed(oshara)]

    assert set(statuses) == {"PROCESSING", "COMPLETED"}
    assert steps.stats(oshara) == {
        "total": 6,
        "completed": statuses.count("COMPLETED"),
        "failed": 0,
        "pending": statuses.count("PROCESSING"),
    }


@pytest.mark.clause("OS-051")
def test_only_the_callers_jobs_are_counted(oshara: Account, neighbour: Account) -> None:
    steps.create(neighbour)
    steps.create(neighbour)

    assert steps.stats(oshara)["total"] == 0
    assert steps.stats(neighbour)["total"] == 2


@pytest.mark.clause("OS-053")
def test_stats_is_not_taken_for_an_id(oshara: Account) -> None:
    answer = oshara.client.get("/api/video-jobs/stats/")

    assert answer.status == 200
    assert set(answer.json()) == {"total", "completed", "failed", "pending"}

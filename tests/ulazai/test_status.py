"""Polling a task from its first percent to its end, and after."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account
from . import steps

PROCESSING_FIELDS = {"task_id", "status", "progress", "estimated_completion"}
VIDEO_FIELDS = {
    "task_id",
    "status",
    "video_url",
    "thumbnail_url",
    "duration",
    "resolution",
    "file_size",
    "created_at",
}

both = pytest.mark.parametrize("submission", steps.SUBMISSIONS, ids=steps.name_of)


@pytest.mark.clause("UL-042", "UL-043", "UL-045", "UL-070")
@both
def test_processing_task_tells_its_progress_and_no_video(
    ulazai: Account, submission: tuple[str, Json]
) -> None:
    path, body = submission
    task_id = steps.accepted(ulazai.client.post(path, json=body))["task_id"]
    ulazai.world.advance(60_000)

    answer = steps.status(ulazai, task_id)

    assert set(answer) == {"success", "data"}
    assert answer["success"] is True
    assert set(answer["data"]) == PROCESSING_FIELDS
    assert (answer["data"]["task_id"], answer["data"]["status"]) == (task_id, "processing")
    assert 40 <= answer["data"]["progress"] <= 50
    assert answer["data"]["estimated_completion"] == "1-2 minutes"


@pytest.mark.clause("UL-044")
def test_progress_is_an_integer_from_0_to_100_that_never_falls(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]

    seen: list[Json] = []
    for _ in range(24):
        seen.append(steps.status(ulazai, task_id)["data"]["progress"])
        ulazai.world.advance(4_900)

    assert seen[0] == 0
    assert all(type(progress) is int and 0 <= progress <= 100 for progress in seen)
    assert seen == sorted(seen)
    assert len(set(seen)) == 24


@pytest.mark.clause("UL-027", "UL-043")
def test_estimate_counts_down(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]

    estimates = [body["data"].get("estimated_completion") for body in steps.poll(ulazai, task_id)]

    assert estimates == [
        "2-3 minutes",
        "1-2 minutes",
        "1-2 minutes",
        "less than a minute",
        "less than a minute",
        None,
    ]


@pytest.mark.clause("UL-046", "UL-047", "UL-048", "UL-049", "UL-050", "UL-053", "UL-070")
@both
def test_finished_task_has_its_video(ulazai: Account, submission: tuple[str, Json]) -> None:
    path, body = submission
    task_id = steps.accepted(ulazai.client.post(path, json=body))["task_id"]

    data = steps.finish(ulazai, task_id)

    assert set(data) == VIDEO_FIELDS
    assert (data["task_id"], data["status"]) == (task_id, "success")
    assert (data["duration"], data["resolution"]) == (10, "1920x1080")
    assert data["video_url"].endswith(f"/sora/videos/{task_id}.mp4")
    assert data["thumbnail_url"].endswith(f"/sora/thumbnails/{task_id}.jpg")


@pytest.mark.clause("UL-051")
def test_file_size_is_a_text_in_megabytes(ulazai: Account) -> None:
    data = steps.finish(ulazai, steps.from_text(ulazai)["task_id"])

    assert re.fullmatch(r"\d+\.\d MB", data["file_size"])


@pytest.mark.clause("UL-052")
def test_created_at_is_iso_8601(ulazai: Account) -> None:
    ulazai.world.advance(90_500)
    task_id = steps.from_text(ulazai)["task_id"]

    created_at = steps.finish(ulazai, task_id)["created_at"]

    assert created_at == "2026-01-01T00:01:30Z"
    assert datetime.fromisoformat(created_at).utcoffset() is not None


@pytest.mark.clause("UL-027", "UL-069")
@pytest.mark.parametrize("quality", ["standard", "high"])
def test_task_polled_every_30_seconds_ends_after_two_to_three_minutes(
    ulazai: Account, quality: str
) -> None:
    for _ in range(8):
        task_id = steps.from_text(ulazai, quality=quality)["task_id"]

        seen = steps.poll(ulazai, task_id)

        assert [body["data"]["status"] for body in seen[:4]] == ["processing"] * 4
        assert 5 <= len(seen) <= 7
        assert seen[-1]["data"]["status"] == "success"


@pytest.mark.clause("UL-054", "UL-055", "UL-056", "UL-057")
def test_failed_task_is_answered_as_documented(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai, prompt_directory_optin=False)["task_id"]
    ulazai.world.fail_job(task_id, "Content policy violation detected in prompt")

    assert steps.poll(ulazai, task_id)[-1] == {
        "success": False,
        "error": "Video generation failed",
        "error_details": "Content policy violation detected in prompt",
        "credits_refunded": 80,
    }


@pytest.mark.clause("UL-056")
def test_prompt_can_ask_for_a_failure_and_its_reason(ulazai: Account) -> None:
    prompt = "A boat [[screentest:fail=The water was too cold]]"
    task_id = steps.from_text(ulazai, prompt=prompt)["task_id"]

    last = steps.poll(ulazai, task_id)[-1]

    assert (last["success"], last["error_details"]) == (False, "The water was too cold")


@pytest.mark.clause("UL-056")
def test_failure_without_a_reason_has_the_documented_one(ulazai: Account) -> None:
    steps.fault(ulazai.world, "job_failure", "generateImageToVideo")
    task_id = steps.from_image(ulazai)["task_id"]

    last = steps.poll(ulazai, task_id)[-1]

    assert last["error_details"] == "Content policy violation detected in prompt"


@pytest.mark.clause("UL-060")
def test_finished_task_stays_as_it_is(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    steps.finish(ulazai, task_id)
    before = ulazai.client.get(steps.status_path(task_id)).content
    ulazai.world.advance(48 * HOUR_MS)

    after = ulazai.client.get(steps.status_path(task_id)).content

    assert after == before


@pytest.mark.clause("UL-060")
def test_failed_task_stays_as_it_is(ulazai: Account) -> None:
    task_id, last = steps.failed(ulazai)
    ulazai.world.advance(48 * HOUR_MS)

    assert steps.status(ulazai, task_id) == last


@pytest.mark.clause("UL-060")
def test_ended_task_cannot_get_another_outcome(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    steps.finish(ulazai, task_id)
    path = f"{ulazai.world.path}/jobs/{task_id}"

    answer = ulazai.world.control.patch(path, json={"outcome": "failed"})

    assert (answer.status, answer.json()["code"]) == (409, "job_finished")


@pytest.mark.clause("UL-060", "UL-068")
def test_polling_changes_nothing(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    ulazai.world.advance(45_000)
    before = ulazai.ledger()

    answers = {ulazai.client.get(steps.status_path(task_id)).content for _ in range(50)}

    assert len(answers) == 1
    assert ulazai.ledger() == before


@pytest.mark.clause("UL-043", "UL-044")
def test_held_task_stays_where_it_is_and_goes_on_when_released(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]
    ulazai.world.advance(60_000)
    ulazai.world.change(f"jobs/{task_id}", {"held": True})
    before = steps.status(ulazai, task_id)
    ulazai.world.advance(24 * HOUR_MS)
    held = steps.status(ulazai, task_id)

    ulazai.world.change(f"jobs/{task_id}", {"held": False})

    assert held == before
    assert steps.finish(ulazai, task_id)["status"] == "success"

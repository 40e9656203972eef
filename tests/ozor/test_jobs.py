"""Messages to a video, and the jobs that the agent works on."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-129", "OZ-130")
def test_message_is_answered_at_once_with_a_queued_job(ozor: Account, video_id: str) -> None:
    answer = ozor.client.post(
        f"{steps.VIDEOS}/{video_id}/message", json={"message": "Make it slower"}
    )

    assert answer.status == 200
    assert set(answer.json()) == {"videoId", "jobId", "status"}
    assert (answer.json()["videoId"], answer.json()["status"]) == (video_id, "queued")


@pytest.mark.clause("OZ-131", "OZ-225")
@pytest.mark.parametrize(
    "body",
    [{}, {"message": ""}, {"message": None}, {"message": 7}, {"message": "a" * 2001}],
    ids=["missing", "empty", "null", "number", "2001"],
)
def test_message_needs_a_text_of_1_to_2000_characters(
    ozor: Account, video_id: str, body: Json
) -> None:
    jobs_before = steps.job_count(ozor.world)

    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/message", json=body)

    assert steps.refusal(answer) == (400, "validation")
    assert "message" in answer.json()["detail"]
    assert steps.job_count(ozor.world) == jobs_before


@pytest.mark.clause("OZ-131", "OZ-132")
@pytest.mark.parametrize("length", [1, 2000])
@pytest.mark.parametrize("character", ["a", "🎬"])
def test_message_of_1_and_of_2000_characters_passes(
    ozor: Account, video_id: str, length: int, character: str
) -> None:
    submitted = steps.send_message(ozor, video_id, message=character * length)

    assert submitted["status"] == "queued"


@pytest.mark.clause("OZ-132")
@pytest.mark.parametrize("body", [{}, {"images": []}, {"videos": []}])
def test_message_may_leave_out_media(ozor: Account, video_id: str, body: dict[str, Json]) -> None:
    assert steps.send_message(ozor, video_id, **body)["status"] == "queued"


@pytest.mark.clause("OZ-134")
def test_message_to_an_unknown_video_is_404_and_to_a_foreign_one_403(
    ozor: Account, neighbour: Account
) -> None:
    theirs = steps.make_video(neighbour)

    unknown = ozor.client.post(f"{steps.VIDEOS}/{steps.NO_VIDEO}/message", json={"message": "Hi"})
    foreign = ozor.client.post(f"{steps.VIDEOS}/{theirs}/message", json={"message": "Hi"})

    assert steps.refusal(unknown) == (404, "not_found")
    assert steps.refusal(foreign) == (403, "ownership")
    assert ozor.money == (10, 0, 0)


@pytest.mark.clause("OZ-135")
def test_every_message_has_its_own_job(ozor: Account, video_id: str) -> None:
    jobs = {steps.send_message(ozor, video_id)["jobId"] for _ in range(3)}

    assert len(jobs) == 3


@pytest.mark.clause("OZ-136", "OZ-137")
def test_running_job_has_four_fields_and_no_result(ozor: Account) -> None:
    submitted = steps.generate(ozor)

    polled = steps.poll_job(ozor, submitted)

    for running in polled[:-1]:
        assert running == {
            "videoId": submitted["videoId"],
            "jobId": submitted["jobId"],
            "status": running["status"],
            "createdAt": "2026-01-01T00:00:00Z",
        }


@pytest.mark.clause("OZ-138", "OZ-141", "OZ-136")
def test_completed_job_has_a_response(ozor: Account) -> None:
    done = steps.finish_job(ozor, steps.generate(ozor))

    assert set(done) == {"videoId", "jobId", "status", "response", "createdAt"}
    assert done["status"] == "completed"
    assert isinstance(done["response"], str)
    assert done["response"]


@pytest.mark.clause("OZ-138")
def test_completed_message_has_a_response(ozor: Account, video_id: str) -> None:
    done = steps.edit(ozor, video_id)

    assert (done["status"], bool(done["response"])) == ("completed", True)


@pytest.mark.clause("OZ-139", "OZ-136")
def test_failed_job_has_an_error(ozor: Account) -> None:
    submitted = steps.generate(ozor)
    ozor.world.fail_job(submitted["jobId"], "the scene graph is empty")

    failed = steps.finish_job(ozor, submitted)

    assert set(failed) == {"videoId", "jobId", "status", "error", "createdAt"}
    assert failed["status"] == "failed"
    assert "the scene graph is empty" in failed["error"]


@pytest.mark.clause("OZ-139")
@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("A lamp [[screentest:fail]]", ""),
        ("[[screentest:fail=no such colour]] A lamp", "no such colour"),
    ],
)
def test_prompt_itself_can_ask_for_a_failure(ozor: Account, prompt: str, reason: str) -> None:
    """For clients whose tests cannot reach the control API."""
    failed = steps.finish_job(ozor, steps.generate(ozor, prompt=prompt))

    assert failed["status"] == "failed"
    assert reason in failed["error"]


@pytest.mark.clause("OZ-139", "OZ-050")
def test_message_itself_can_ask_for_a_failure(ozor: Account, video_id: str) -> None:
    failed = steps.edit(ozor, video_id, message="Slower [[screentest:fail=too slow]]")

    assert failed["status"] == "failed"
    assert "too slow" in failed["error"]


@pytest.mark.clause("OZ-140")
@pytest.mark.parametrize("fails", [False, True])
def test_job_is_queued_then_processing_then_at_its_end(ozor: Account, *, fails: bool) -> None:
    submitted = steps.generate(ozor)
    if fails:
        ozor.world.fail_job(submitted["jobId"], "the model gave up")
    seen: list[str] = []
    for _ in range(4):
        seen.append(steps.job(ozor, submitted)["status"])
        if seen[-1] in {"completed", "failed"}:
            break
        ozor.world.advance_to_next()

    assert seen == ["queued", "processing", "failed" if fails else "completed"]


@pytest.mark.clause("OZ-140")
def test_message_job_passes_the_same_states(ozor: Account, video_id: str) -> None:
    submitted = steps.send_message(ozor, video_id)

    seen = [item["status"] for item in steps.poll_job(ozor, submitted)]

    assert list(dict.fromkeys(seen)) == ["queued", "processing", "completed"]


@pytest.mark.clause("OZ-142")
@pytest.mark.parametrize("fails", [False, True])
def test_ended_job_never_changes(ozor: Account, *, fails: bool) -> None:
    submitted = steps.generate(ozor)
    if fails:
        ozor.world.fail_job(submitted["jobId"], "the model gave up")
    ended = steps.finish_job(ozor, submitted)
    steps.exported(ozor, steps.make_video(ozor))
    ozor.world.advance(30 * 86_400_000)

    assert steps.job(ozor, submitted) == ended


@pytest.mark.clause("OZ-140", "OZ-146")
def test_polling_does_not_push_a_job_on(ozor: Account) -> None:
    submitted = steps.generate(ozor)

    answers = [steps.job(ozor, submitted) for _ in range(50)]

    assert answers == answers[:1] * 50


@pytest.mark.clause("OZ-143")
def test_unknown_video_and_unknown_job_are_404(ozor: Account) -> None:
    submitted = steps.generate(ozor)

    no_video = ozor.client.get(steps.job_path({**submitted, "videoId": steps.NO_VIDEO}))
    no_job = ozor.client.get(steps.job_path({**submitted, "jobId": steps.NO_JOB}))

    assert steps.refusal(no_video) == (404, "not_found")
    assert steps.refusal(no_job) == (404, "not_found")


@pytest.mark.clause("OZ-144")
def test_job_under_another_video_is_404(ozor: Account) -> None:
    first, second = steps.generate(ozor), steps.generate(ozor)

    answer = ozor.client.get(steps.job_path({**first, "jobId": second["jobId"]}))

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-143")
def test_export_is_not_a_job(ozor: Account, video_id: str) -> None:
    export = steps.export(ozor, video_id)

    answer = ozor.client.get(f"{steps.VIDEOS}/{video_id}/jobs/{export['exportId']}")

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-145")
def test_job_of_a_foreign_video_is_403(ozor: Account, neighbour: Account) -> None:
    theirs = steps.generate(neighbour)

    answer = ozor.client.get(steps.job_path(theirs))

    assert steps.refusal(answer) == (403, "ownership")


@pytest.mark.clause("OZ-144", "OZ-034")
def test_own_video_does_not_open_a_foreign_job(ozor: Account, neighbour: Account) -> None:
    mine, theirs = steps.generate(ozor), steps.generate(neighbour)

    answer = ozor.client.get(steps.job_path({**mine, "jobId": theirs["jobId"]}))

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-055", "OZ-129")
def test_job_takes_tens_of_seconds(ozor: Account) -> None:
    """A client that waits a second and continues has a bug, which must show."""
    submitted = steps.generate(ozor)
    ozor.world.advance(5_000)
    early = steps.job(ozor, submitted)["status"]
    ozor.world.advance(600_000)

    assert early != "completed"
    assert steps.job(ozor, submitted)["status"] == "completed"

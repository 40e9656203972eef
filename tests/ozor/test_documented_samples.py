"""What the document shows letter by letter: texts, figures and the order of refusals."""

from __future__ import annotations

import pytest

from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps

#: The sample of the document, with an id in place of `abc123`; a plan of six scenes sends it.
SAMPLE = [
    'data: {"step": "init", "detail": "Starting generation", "pct": 0}',
    'data: {"step": "tts", "detail": "Generating voiceover 1/6", "pct": 15}',
    'data: {"step": "scenes", "detail": "Rendering scene 3/6", "pct": 55}',
    'data: {"step": "assembly", "detail": "Assembling project", "pct": 90}',
    'data: {"step": "done", "detail": "Video project ready!", "pct": 100, "projectId": "abc123"}',
]
EXAMPLE_402 = {"detail": "You are out of credits. Please add more to continue chatting."}


@pytest.mark.clause("OZ-205", "OZ-206", "OZ-207", "OZ-208")
def test_stream_has_the_lines_of_the_sample(ozor: Account, plan_id: str) -> None:
    answer = steps.generate_plan(ozor, plan_id)
    project = answer.events[-1]["projectId"]

    lines = answer.text.replace(project, "abc123").split("\n")

    assert [line for line in lines if line in SAMPLE] == SAMPLE


@pytest.mark.clause("OZ-206")
@pytest.mark.parametrize("voiced", [1, 2, 7, 60])
def test_pct_never_falls_whatever_the_number_of_scenes(ozor: Account, voiced: int) -> None:
    ozor.set_credits(100)
    events = steps.generate_plan(ozor, steps.plan_with(ozor, voiced)).events

    figures = [event["pct"] for event in events]

    assert figures == sorted(figures)
    assert (figures[0], figures[-1]) == (0, 100)


@pytest.mark.clause("OZ-210", "OZ-211")
def test_voiceover_that_fails_ends_the_stream_among_the_voiceovers(
    ozor: Account, plan_id: str
) -> None:
    """No scene is rendered, and nothing assembled, after the text-to-speech has failed."""
    steps.fault(ozor.world, "job_failure", "generatePlan")

    events = steps.generate_plan(ozor, plan_id).events

    assert [event["step"] for event in events] == ["init", "tts", "error"]
    assert events[-1]["detail"].startswith("TTS failed: ")


@pytest.mark.clause("OZ-210")
def test_failure_that_is_ordered_later_still_reaches_a_reader_who_has_seen_more(
    ozor: Account, plan_id: str
) -> None:
    stream = steps.open_stream(ozor, plan_id)
    seen = [stream.next() for _ in range(9)]
    running = steps.accepted(ozor.world.control.get(f"{ozor.world.path}/jobs"))["items"]
    job_id = next(it["id"] for it in running if it["id"].startswith("gen_"))
    ozor.world.control.patch(f"{ozor.world.path}/jobs/{job_id}", json={"outcome": "failed"})

    rest = list(stream.events)

    assert seen[-1]["step"] == "scenes"
    assert rest[-1]["step"] == "error"


# 402


@pytest.mark.clause("OZ-048", "OZ-054")
def test_402_says_what_the_call_costs_and_what_there_is(ozor: Account, plan_id: str) -> None:
    ozor.set_credits(2)

    refused = steps.generate_plan(ozor, plan_id)

    assert refused.json() == {
        "detail": "You are out of credits: this operation costs 3, your balance is 2. "
        "Please add more to continue."
    }


@pytest.mark.clause("OZ-039", "OZ-048")
def test_402_counts_what_running_jobs_have_reserved_to_the_balance(ozor: Account) -> None:
    """Submitting took nothing yet, so the balance is not 0."""
    ozor.set_credits(1)
    steps.generate(ozor)

    refused = ozor.client.post(steps.GENERATE, json={"prompt": "Another"})

    assert refused.json()["detail"] == (
        "You are out of credits: this operation costs 1, your balance is 1, of which running jobs "
        "have reserved 1. Please add more to continue."
    )


@pytest.mark.clause("OZ-048")
def test_402_may_be_the_documented_example(ozor: Account, video_id: str) -> None:
    """A36, example."""
    ozor.world.choose(ozor__shortfall_detail="example")
    ozor.set_credits(0)

    refused = ozor.client.post(f"{steps.VIDEOS}/{video_id}/message", json={"message": "Blue"})

    assert (refused.status, refused.json()) == (402, EXAMPLE_402)


# Ownership before what is within


@pytest.mark.clause("OZ-145", "OZ-153")
@pytest.mark.parametrize("rest", ["jobs/job_zzzzzzzzzzzz", "conversations/conv_zzz/tool-trace"])
def test_unknown_thing_under_a_video_of_another_account_is_403(
    ozor: Account, neighbour: Account, rest: str
) -> None:
    """A9: the video comes first in the path."""
    theirs = steps.generate(neighbour)["videoId"]

    refused = ozor.client.get(f"{steps.VIDEOS}/{theirs}/{rest}")

    assert steps.refusal(refused) == (403, "ownership")
    assert refused.json()["detail"] == f"This API key does not own Video {theirs}."


@pytest.mark.clause("OZ-143", "OZ-153")
@pytest.mark.parametrize("rest", ["jobs/job_zzzzzzzzzzzz", "conversations/conv_zzz/tool-trace"])
def test_unknown_thing_under_a_hidden_video_is_404(
    ozor: Account, neighbour: Account, rest: str
) -> None:
    """A9, 404."""
    ozor.world.choose(ozor__foreign_resource="404")
    theirs = steps.generate(neighbour)["videoId"]

    refused = ozor.client.get(f"{steps.VIDEOS}/{theirs}/{rest}")

    assert steps.refusal(refused) == (404, "not_found")


# The same export twice


@pytest.mark.clause("OZ-117")
def test_identical_export_is_rendered_again_while_the_first_one_runs(
    ozor: Account, video_id: str
) -> None:
    """A42, render_again: there is no result yet that could be returned."""
    first = steps.export(ozor, video_id)

    second = steps.export(ozor, video_id)

    assert second["exportStatus"] == "queued"
    assert second["exportId"] != first["exportId"]


@pytest.mark.clause("OZ-117")
def test_identical_export_may_be_the_one_that_runs(ozor: Account, video_id: str) -> None:
    """A42, same_export: queued, then processing, then complete."""
    ozor.world.choose(ozor__unfinished_export="same_export")
    first = steps.export(ozor, video_id)

    again = steps.export(ozor, video_id)
    ozor.world.advance(9_000)
    running = steps.export(ozor, video_id)
    other = steps.export(ozor, video_id, quality="4k")
    steps.finish_export(ozor, video_id)

    assert [it["exportId"] == first["exportId"] for it in (again, running, other)] == [
        True,
        True,
        False,
    ]
    assert [it["exportStatus"] for it in (again, running)] == ["queued", "processing"]


# The PATCH sample


def patch_sample(path: str) -> Json:
    """The request of the document, with *path* as its storagePath."""
    return {
        "scenes": [
            {
                "order": 1,
                "sceneTitle": "Introduction",
                "scenePrompt": "A blue-tinted title card...",
                "voiceoverText": "Welcome to Acme — we're reimagining collaboration.",
                "imageRefs": [{"storagePath": path}],
                "keyPoints": ["intro"],
            }
        ],
        "voiceSettings": {"voiceId": "nova", "speakingStyle": "warm", "speakingRate": 1.0},
    }


@pytest.mark.clause("OZ-190", "OZ-193", "OZ-195")
def test_patch_sample_works_with_an_image_of_the_plan(ozor: Account, plan_id: str) -> None:
    path = steps.plan(ozor, plan_id)["scenes"][0]["imageRefs"][0]["storagePath"]

    edited = steps.update_plan(ozor, plan_id, **patch_sample(path))

    assert [it["storagePath"] for it in edited["scenes"][0]["imageRefs"]] == [path]


def test_patch_sample_works_as_it_is_where_unknown_images_are_left_out(
    ozor: Account, plan_id: str
) -> None:
    """A38, leave_out: `plan_...` is not an image of any plan."""
    ozor.world.choose(ozor__unknown_images="leave_out")
    sample = patch_sample("users/uid/plans/plan_.../page_0_img_0.png")

    edited = steps.update_plan(ozor, plan_id, **sample)

    assert edited["scenes"][0]["imageRefs"] == []


# Job statuses


@pytest.mark.clause("OZ-140")
@pytest.mark.parametrize(
    ("status", "problems"), [("pending", 0), ("queued", 0), ("processing", 0), ("waiting", 1)]
)
def test_pending_is_a_documented_status_of_a_job(status: str, problems: int) -> None:
    body = {
        "videoId": "abc123abc123",
        "jobId": "job_s0m3R4nd0mId",
        "status": status,
        "createdAt": "2026-04-20T10:30:00Z",
    }

    found = (
        load_contract("ozor").operations["getJob"].reply_violations(200, "application/json", body)
    )

    assert len(found) == problems


@pytest.mark.clause("OZ-011")
def test_firebase_token_is_among_the_variables_of_a_world(ozor: Account) -> None:
    """Three operations need it, so a client learns it where it learns the API key."""
    world = steps.accepted(ozor.world.control.get(ozor.world.path))

    assert world["env"]["OZOR_FIREBASE_TOKEN"] == world["providers"]["ozor"]["account"]["bearer"]

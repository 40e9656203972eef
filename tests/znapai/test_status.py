"""A video job from its acceptance to its end."""

from __future__ import annotations

from itertools import pairwise

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps

START_S = 1_767_225_600
DAY_S = 86_400


@pytest.mark.clause("ZN-031", "ZN-032", "ZN-033", "ZN-034", "ZN-041", "ZN-042", "ZN-044")
def test_new_job_has_thirteen_fields(znapai: Account) -> None:
    made = steps.create(znapai, prompt="Läuft 🎬", seconds="8", size="1792x1024")

    answer = znapai.client.get(f"/v1/videos/{made['id']}")

    assert answer.status == 200
    assert answer.json() == {
        "id": made["id"],
        "completed_at": None,
        "created_at": START_S,
        "error": None,
        "expires_at": None,
        "model": "sora-2",
        "object": "video",
        "progress": 0,
        "prompt": "Läuft 🎬",
        "remixed_from_video_id": None,
        "seconds": "8",
        "size": "1792x1024",
        "status": "queued",
    }


@pytest.mark.clause("ZN-030", "ZN-033")
def test_create_answers_what_a_read_answers(znapai: Account) -> None:
    made = steps.create(znapai)

    assert made == steps.read(znapai, made["id"])


@pytest.mark.clause("ZN-035", "ZN-036", "ZN-037", "ZN-038", "ZN-039", "ZN-040", "ZN-047")
def test_completed_job_tells_when_and_until_when(znapai: Account) -> None:
    """Z8: the files live for a day."""
    made = steps.create(znapai)
    fired = znapai.world.advance_until_idle()

    done = steps.read(znapai, made["id"])

    assert [event["type"] for event in fired] == ["job.running", "job.completed"]
    assert set(done) == steps.FIELDS
    assert (done["status"], done["progress"], done["error"]) == ("completed", 100, None)
    assert done["created_at"] == START_S
    assert START_S + 32 <= done["completed_at"] <= START_S + 98
    assert done["expires_at"] == done["completed_at"] + DAY_S
    assert (done["seconds"], done["size"], done["prompt"]) == ("4", "720x1280", steps.PROMPT)


@pytest.mark.clause("ZN-045", "ZN-046", "ZN-047", "ZN-048")
def test_status_moves_forward_only(znapai: Account) -> None:
    made = steps.create(znapai, seconds="12")

    answers = steps.polled(znapai, made["id"])

    seen = list(dict.fromkeys(answer["status"] for answer in answers))
    changes = sum(one["status"] != other["status"] for one, other in pairwise(answers))
    assert seen == ["queued", "in_progress", "completed"]
    assert changes == 2


@pytest.mark.clause("ZN-038", "ZN-048")
def test_progress_never_falls_and_is_100_only_at_the_end(znapai: Account) -> None:
    made = steps.create(znapai)

    answers = steps.polled(znapai, made["id"])

    progress = [answer["progress"] for answer in answers]
    assert progress == sorted(progress)
    assert {type(value) for value in progress} == {int}
    assert (progress[0], progress[-1]) == (0, 100)
    assert [value for value in progress if value == 100] == [100]
    assert len(set(progress)) > 5


@pytest.mark.clause("ZN-033", "ZN-036", "ZN-037")
def test_every_answer_on_the_way_has_all_fields(znapai: Account) -> None:
    made = steps.create(znapai)

    *before, last = steps.polled(znapai, made["id"])

    assert {frozenset(answer) for answer in (*before, last)} == {frozenset(steps.FIELDS)}
    assert {answer["completed_at"] for answer in before} == {None}
    assert {answer["expires_at"] for answer in before} == {None}
    assert last["completed_at"] is not None


@pytest.mark.clause("ZN-043", "ZN-060")
def test_failed_job_tells_code_and_message(znapai: Account) -> None:
    """Z4: a state that OpenAI's libraries know and the document does not list."""
    made = steps.create(znapai)
    znapai.world.fail_job(made["id"], "")
    znapai.world.advance_until_idle()

    failed = steps.read(znapai, made["id"])

    assert set(failed) == steps.FIELDS
    assert failed["status"] == "failed"
    assert failed["error"] == {
        "code": "internal_error",
        "message": "The video could not be generated.",
    }
    assert (failed["completed_at"], failed["expires_at"]) == (None, None)
    assert failed["progress"] < 100


@pytest.mark.clause("ZN-043")
@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("out of memory", {"code": "internal_error", "message": "out of memory"}),
        (
            "moderation_blocked",
            {
                "code": "moderation_blocked",
                "message": "The request was blocked by the moderation system.",
            },
        ),
    ],
)
def test_failure_may_be_ordered_in_the_prompt(
    znapai: Account, reason: str, error: dict[str, str]
) -> None:
    failed = steps.finished(znapai, prompt=f"A boat [[screentest:fail={reason}]]")

    assert (failed["status"], failed["error"]) == ("failed", error)


@pytest.mark.clause("ZN-048")
def test_reading_changes_nothing(znapai: Account) -> None:
    made = steps.create(znapai)
    znapai.world.advance(20_000)

    answers = [steps.read(znapai, made["id"]) for _ in range(5)]

    assert answers == [answers[0]] * 5


@pytest.mark.clause("ZN-061")
def test_wait_is_short_with_a_stopped_clock(znapai: Account) -> None:
    """Z22: waiting alone gets nowhere, so a client is not made to wait."""
    answer = znapai.client.post(steps.VIDEOS, json=steps.LEAST)
    polled = znapai.client.get(f"/v1/videos/{answer.json()['id']}")

    assert answer.headers["openai-poll-after-ms"] == "10"
    assert polled.headers["openai-poll-after-ms"] == "10"


@pytest.mark.clause("ZN-061")
@pytest.mark.parametrize("clock", [{"mode": "real", "speed": 1}, {"mode": "warp"}])
def test_wait_is_a_second_at_most_where_time_passes(znapai: Account, clock: Json) -> None:
    """Z22: a second is what the libraries wait by themselves."""
    znapai.world.change("clock", clock)

    answer = znapai.client.post(steps.VIDEOS, json=steps.LEAST)

    assert answer.headers["openai-poll-after-ms"] == "1000"


@pytest.mark.clause("ZN-061")
def test_wait_is_until_the_next_step_where_that_is_sooner(znapai: Account) -> None:
    """Z22: at 20,000 times real speed the first step is less than a millisecond away."""
    znapai.world.change("clock", {"mode": "real", "speed": 20_000})

    answer = znapai.client.post(steps.VIDEOS, json=steps.LEAST)

    assert answer.headers["openai-poll-after-ms"] == "10"


@pytest.mark.clause("ZN-061")
def test_finished_job_asks_for_no_further_poll(znapai: Account, video_id: str) -> None:
    answer = znapai.client.get(f"/v1/videos/{video_id}")

    assert "openai-poll-after-ms" not in answer.headers


@pytest.mark.clause("ZN-061")
def test_held_job_asks_for_a_poll_now_and_then(znapai: Account) -> None:
    made = steps.create(znapai)
    znapai.world.change(f"jobs/{made['id']}", {"held": True})

    answer = znapai.client.get(f"/v1/videos/{made['id']}")

    assert answer.headers["openai-poll-after-ms"] == "1000"


@pytest.mark.clause("ZN-031")
@pytest.mark.parametrize("video_id", [steps.NO_VIDEO, "video_1", "x", "%F0%9F%8E%AC"])
def test_unknown_id_is_404_in_openais_form(znapai: Account, video_id: str) -> None:
    """Z5."""
    answer = znapai.client.get(f"/v1/videos/{video_id}")

    error = answer.json()["error"]
    assert answer.status == 404
    assert error.pop("message").endswith("not found.")
    assert error == {"type": "invalid_request_error", "param": None, "code": None}


@pytest.mark.clause("ZN-030")
def test_same_calls_in_another_world_give_the_same_bytes(znapai: Account) -> None:
    first = znapai.client.post(steps.VIDEOS, json=steps.LEAST).content
    znapai.world.control.post(f"{znapai.world.path}/reset", json={})
    again = znapai.world.account("znapai")

    assert again.client.post(steps.VIDEOS, json=steps.LEAST).content == first

"""Generating a video: the body and its limits, the immediate answer, and the automatic export."""

from __future__ import annotations

import re

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-055", "OZ-056", "OZ-057")
def test_submission_is_answered_at_once_with_a_pending_job(ozor: Account) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": steps.PROMPT})

    assert answer.status == 200
    assert set(answer.json()) == {"videoId", "jobId", "status"}
    assert answer.json()["status"] == "pending"
    assert re.fullmatch(r"job_[A-Za-z0-9]{12,}", answer.json()["jobId"])
    assert steps.job(ozor, answer.json())["status"] == "queued"


@pytest.mark.clause("OZ-055")
def test_submission_needs_json(ozor: Account) -> None:
    answer = ozor.client.post(steps.GENERATE, form={"prompt": "A lamp"})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-058", "OZ-225")
@pytest.mark.parametrize("body", [{}, {"aspect": "16:9"}, {"prompt": None}, {"prompt": 7}])
def test_prompt_is_required_and_a_text(ozor: Account, body: Json) -> None:
    answer = ozor.client.post(steps.GENERATE, json=body)

    assert steps.refusal(answer) == (400, "validation")
    assert "prompt" in answer.json()["detail"]
    assert steps.list_videos(ozor) == []


@pytest.mark.clause("OZ-059", "OZ-060")
@pytest.mark.parametrize("length", [1, 2000])
@pytest.mark.parametrize("character", ["a", "ü", "🎬"])
def test_prompt_of_1_to_2000_characters_passes(ozor: Account, length: int, character: str) -> None:
    """Characters are counted, neither bytes nor UTF-16 units."""
    assert steps.generate(ozor, prompt=character * length)["status"] == "pending"


@pytest.mark.clause("OZ-059", "OZ-060", "OZ-225")
@pytest.mark.parametrize("prompt", ["", "a" * 2001, "🎬" * 2001], ids=["none", "2001", "2001 wide"])
def test_prompt_outside_its_length_is_400(ozor: Account, prompt: str) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": prompt})

    assert steps.refusal(answer) == (400, "validation")
    assert "prompt" in answer.json()["detail"]


@pytest.mark.clause("OZ-060")
def test_refusal_tells_the_limit_and_what_was_sent(ozor: Account) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": "a" * 2001})

    assert "2000" in answer.json()["detail"]
    assert "2001" in answer.json()["detail"]


@pytest.mark.clause("OZ-061")
@pytest.mark.parametrize("aspect", ["16:9", "9:16"])
def test_documented_aspect_passes(ozor: Account, aspect: str) -> None:
    assert steps.generate(ozor, aspect=aspect)["status"] == "pending"


@pytest.mark.clause("OZ-061", "OZ-225")
@pytest.mark.parametrize("aspect", ["1:1", "4:3", "16x9", "", "landscape", 1.78, None])
def test_other_aspect_is_400(ozor: Account, aspect: Json) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", "aspect": aspect})

    assert steps.refusal(answer) == (400, "validation")
    assert "aspect" in answer.json()["detail"]


@pytest.mark.clause("OZ-063", "OZ-064", "OZ-087")
@pytest.mark.parametrize("body", [{}, {"export": False}])
def test_without_export_no_export_ever_shows(ozor: Account, body: dict[str, Json]) -> None:
    video_id = steps.make_video(ozor, **body)
    ozor.world.advance_until_idle()

    assert set(steps.video(ozor, video_id)) == steps.VIDEO_FIELDS


@pytest.mark.clause("OZ-063", "OZ-070")
@pytest.mark.parametrize("name", ["export", "exportIsPublic"])
@pytest.mark.parametrize("value", ["perhaps", 7, [], {}])
def test_switches_are_booleans(ozor: Account, name: str, value: Json) -> None:
    answer = ozor.client.post(steps.GENERATE, json={"prompt": "A lamp", name: value})

    assert steps.refusal(answer) == (400, "validation")
    assert name in answer.json()["detail"]


@pytest.mark.clause("OZ-065", "OZ-066", "OZ-089")
def test_export_appears_when_the_agent_has_finished(ozor: Account) -> None:
    submitted = steps.generate(ozor, export=True)
    seen: list[tuple[str, str | None]] = []
    for _ in range(steps.POLLS_MAX):
        status = steps.job(ozor, submitted)["status"]
        seen.append((status, steps.video(ozor, submitted["videoId"]).get("exportStatus")))
        if seen[-1][1] == "complete":
            break
        ozor.world.advance(500)

    in_order = list(dict.fromkeys(seen))

    assert in_order == [
        ("queued", None),
        ("processing", None),
        ("completed", "queued"),
        ("completed", "processing"),
        ("completed", "complete"),
    ]


@pytest.mark.clause("OZ-065")
def test_failed_agent_triggers_no_export(ozor: Account) -> None:
    submitted = steps.generate(ozor, export=True)
    ozor.world.fail_job(submitted["jobId"], "the model gave up")
    ozor.world.advance_until_idle()

    assert set(steps.video(ozor, submitted["videoId"])) == steps.VIDEO_FIELDS


@pytest.mark.clause("OZ-067")
@pytest.mark.parametrize("quality", ["720p", "1080p", "4k"])
def test_documented_export_quality_passes(ozor: Account, quality: str) -> None:
    assert steps.generate(ozor, export=True, exportQuality=quality)["status"] == "pending"


@pytest.mark.clause("OZ-067", "OZ-225")
@pytest.mark.parametrize("quality", ["480p", "4K", "1080", "", 720, None])
def test_other_export_quality_is_400(ozor: Account, quality: Json) -> None:
    body = {"prompt": "A lamp", "export": True, "exportQuality": quality}

    answer = ozor.client.post(steps.GENERATE, json=body)

    assert steps.refusal(answer) == (400, "validation")
    assert "exportQuality" in answer.json()["detail"]


@pytest.mark.clause("OZ-069")
def test_export_settings_without_export_do_nothing(ozor: Account) -> None:
    video_id = steps.make_video(ozor, export=False, exportQuality="4k", exportIsPublic=True)
    ozor.world.advance_until_idle()

    assert set(steps.video(ozor, video_id)) == steps.VIDEO_FIELDS


@pytest.mark.clause("OZ-070", "OZ-109")
@pytest.mark.parametrize("body", [{}, {"exportIsPublic": False}])
def test_automatic_export_is_private_unless_asked(ozor: Account, body: dict[str, Json]) -> None:
    video_id = steps.make_video(ozor, export=True, **body)

    done = steps.finish_export(ozor, video_id)

    assert done["exportStatus"] == "complete"
    assert (done.get("shareUrl"), done.get("shareCode")) == (None, None)


@pytest.mark.clause("OZ-071", "OZ-108", "OZ-103")
def test_public_automatic_export_is_shared(ozor: Account) -> None:
    video_id = steps.make_video(ozor, export=True, exportIsPublic=True)

    done = steps.finish_export(ozor, video_id)

    assert re.fullmatch(r"[a-z0-9]{7}", done["shareCode"])
    assert ozor.client.follow(done["shareUrl"]).status == 200


@pytest.mark.clause("OZ-068")
def test_automatic_export_is_720p_by_default(ozor: Account) -> None:
    """The 720p export already exists afterwards; the 1080p one does not."""
    video_id = steps.make_video(ozor, export=True)
    done = steps.finish_export(ozor, video_id)

    same = steps.export(ozor, video_id, quality="720p")
    other = steps.export(ozor, video_id, quality="1080p")

    assert (same["exportId"], same["exportStatus"]) == (done["exportId"], "complete")
    assert other["exportStatus"] == "queued"


@pytest.mark.clause("OZ-072", "OZ-073")
@pytest.mark.parametrize("body", [{}, {"images": []}, {"videos": []}, {"images": [], "videos": []}])
def test_media_may_be_left_out(ozor: Account, body: dict[str, Json]) -> None:
    assert steps.generate(ozor, **body)["status"] == "pending"


@pytest.mark.clause("OZ-074", "OZ-094")
def test_new_video_can_be_read_at_once(ozor: Account) -> None:
    submitted = steps.generate(ozor)

    found = steps.video(ozor, submitted["videoId"])

    assert (found["videoId"], found["status"]) == (submitted["videoId"], "draft")


@pytest.mark.clause("OZ-075")
def test_new_job_can_be_polled_at_once(ozor: Account) -> None:
    submitted = steps.generate(ozor)

    found = steps.job(ozor, submitted)

    assert (found["videoId"], found["jobId"]) == (submitted["videoId"], submitted["jobId"])


@pytest.mark.clause("OZ-056")
def test_each_submission_makes_its_own_video_and_job(ozor: Account) -> None:
    first, second = steps.generate(ozor), steps.generate(ozor)

    assert first["videoId"] != second["videoId"]
    assert first["jobId"] != second["jobId"]


@pytest.mark.clause("OZ-055")
def test_all_documented_fields_together_are_accepted(ozor: Account) -> None:
    """The request that the document shows."""
    submitted = steps.generate(
        ozor,
        prompt="Create a 30-second product showcase for a wireless headphone",
        aspect="16:9",
        export=True,
        exportQuality="1080p",
        exportIsPublic=True,
        images=[{"url": "https://example.com/product.jpg"}],
        videos=[
            {"url": "https://example.com/clip.mp4", "mimeType": "video/mp4", "durationSec": 8.5}
        ],
    )

    assert steps.finish_job(ozor, submitted)["status"] == "completed"

"""Exports: the body and its defaults, the lifecycle, public or private, the cache, failures."""

from __future__ import annotations

import re

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-097", "OZ-098")
def test_export_is_answered_at_once_as_queued(ozor: Account, video_id: str) -> None:
    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={"quality": "720p"})

    assert answer.status == 200
    assert answer.json()["videoId"] == video_id
    assert re.fullmatch(r"exp_[a-z0-9]{6,}", answer.json()["exportId"])
    assert answer.json()["exportStatus"] == "queued"


@pytest.mark.clause("OZ-097")
def test_detail_repeats_the_export_id(ozor: Account, video_id: str) -> None:
    made = steps.export(ozor, video_id)

    assert steps.video(ozor, video_id)["exportId"] == made["exportId"]


@pytest.mark.clause("OZ-099")
@pytest.mark.parametrize("quality", ["720p", "1080p", "4k"])
def test_documented_quality_passes(ozor: Account, video_id: str, quality: str) -> None:
    assert steps.export(ozor, video_id, quality=quality)["exportStatus"] == "queued"


@pytest.mark.clause("OZ-099", "OZ-225")
@pytest.mark.parametrize("quality", ["480p", "4K", "1440p", "", 720, None, ["4k"]])
def test_other_quality_is_400(ozor: Account, video_id: str, quality: Json) -> None:
    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={"quality": quality})

    assert steps.refusal(answer) == (400, "validation")
    assert "quality" in answer.json()["detail"]
    assert set(steps.video(ozor, video_id)) == steps.VIDEO_FIELDS


@pytest.mark.clause("OZ-101")
@pytest.mark.parametrize("is_public", ["perhaps", 7, [], {}])
def test_visibility_is_a_boolean(ozor: Account, video_id: str, is_public: Json) -> None:
    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={"isPublic": is_public})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-100", "OZ-121")
def test_quality_is_1080p_unless_given(ozor: Account, video_id: str) -> None:
    """The export without a quality is the one that an explicit 1080p finds again."""
    done = steps.exported(ozor, video_id)

    again = steps.export(ozor, video_id, quality="1080p")

    assert (again["exportId"], again["exportStatus"]) == (done["exportId"], "complete")


@pytest.mark.clause("OZ-101", "OZ-121", "OZ-109")
def test_export_without_a_body_is_private_1080p(ozor: Account, video_id: str) -> None:
    answer = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export")
    done = steps.finish_export(ozor, video_id)
    again = steps.export(ozor, video_id, quality="1080p", isPublic=False)

    assert answer.status == 200
    assert answer.json().get("shareCode") is None
    assert again["exportId"] == answer.json()["exportId"]
    assert (done["shareUrl"], done["shareCode"]) == (None, None)


@pytest.mark.clause("OZ-102", "OZ-103")
def test_public_export_has_its_share_code_at_once(ozor: Account, video_id: str) -> None:
    made = steps.export(ozor, video_id, isPublic=True)
    done = steps.finish_export(ozor, video_id)

    assert made["exportStatus"] == "queued"
    assert re.fullmatch(r"[a-z0-9]{7}", made["shareCode"])
    assert done["shareCode"] == made["shareCode"]


@pytest.mark.clause("OZ-103")
def test_share_codes_differ(ozor: Account, video_id: str) -> None:
    codes = {
        steps.export(ozor, video_id, quality=quality, isPublic=True)["shareCode"]
        for quality in ("720p", "1080p", "4k")
    }

    assert len(codes) == 3


@pytest.mark.clause("OZ-104", "OZ-105", "OZ-106")
@pytest.mark.parametrize("quality", ["720p", "1080p", "4k"])
def test_export_is_queued_then_processing_then_complete(
    ozor: Account, video_id: str, quality: str
) -> None:
    steps.export(ozor, video_id, quality=quality)
    seen: list[str] = []
    for _ in range(4):
        seen.append(steps.video(ozor, video_id)["exportStatus"])
        if seen[-1] == "complete":
            break
        ozor.world.advance_to_next()

    assert seen == ["queued", "processing", "complete"]


@pytest.mark.clause("OZ-105", "OZ-106")
def test_complete_export_stays_complete(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id)
    ozor.world.advance(86_400_000)

    later = steps.video(ozor, video_id)

    assert (later["exportId"], later["exportStatus"]) == (done["exportId"], "complete")


@pytest.mark.clause("OZ-107", "OZ-112")
def test_urls_are_null_until_the_export_is_complete(ozor: Account, video_id: str) -> None:
    steps.export(ozor, video_id, isPublic=True)

    polled = steps.poll_export(ozor, video_id)

    for unfinished in polled[:-1]:
        assert unfinished["downloadUrl"] is None
        assert unfinished["thumbnailUrl"] is None
    assert polled[-1]["downloadUrl"].startswith("http")
    assert polled[-1]["thumbnailUrl"].startswith("http")


@pytest.mark.clause("OZ-107", "OZ-108", "OZ-111", "OZ-112")
def test_complete_public_export_has_everything(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id, isPublic=True)

    for name in ("downloadUrl", "shareUrl", "thumbnailUrl"):
        assert ozor.client.follow(done[name]).status == 200
    assert re.fullmatch(r"[a-z0-9]{7}", done["shareCode"])
    assert done["exportError"] is None


@pytest.mark.clause("OZ-109")
def test_complete_private_export_is_not_shared(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id, isPublic=False)

    assert done["downloadUrl"].startswith("http")
    assert (done["shareUrl"], done["shareCode"]) == (None, None)


@pytest.mark.clause("OZ-110", "OZ-104")
def test_failed_export_tells_its_reason(ozor: Account, video_id: str) -> None:
    made = steps.export(ozor, video_id, isPublic=True)
    ozor.world.fail_job(made["exportId"], "the renderer ran out of memory")

    failed = steps.finish_export(ozor, video_id)

    assert failed["exportStatus"] == "failed"
    assert "the renderer ran out of memory" in failed["exportError"]
    assert failed["downloadUrl"] is None


@pytest.mark.clause("OZ-106", "OZ-110")
def test_failing_export_is_queued_and_processing_first(ozor: Account, video_id: str) -> None:
    made = steps.export(ozor, video_id)
    ozor.world.fail_job(made["exportId"], "the renderer stopped")
    seen: list[str] = []
    for _ in range(4):
        seen.append(steps.video(ozor, video_id)["exportStatus"])
        if seen[-1] == "failed":
            break
        ozor.world.advance_to_next()

    assert seen == ["queued", "processing", "failed"]


@pytest.mark.clause("OZ-111")
def test_export_error_is_null_while_nothing_failed(ozor: Account, video_id: str) -> None:
    steps.export(ozor, video_id)

    errors = {item["exportError"] for item in steps.poll_export(ozor, video_id)}

    assert errors == {None}


@pytest.mark.clause("OZ-110", "OZ-117")
def test_failed_export_is_not_found_again(ozor: Account, video_id: str) -> None:
    """Only a result can be cached; after a failure the same export is a new one."""
    made = steps.export(ozor, video_id)
    ozor.world.fail_job(made["exportId"], "the renderer stopped")
    steps.finish_export(ozor, video_id)

    again = steps.export(ozor, video_id)

    assert again["exportStatus"] == "queued"
    assert again["exportId"] != made["exportId"]
    assert steps.finish_export(ozor, video_id)["exportStatus"] == "complete"


@pytest.mark.clause("OZ-117")
@pytest.mark.parametrize("is_public", [True, False])
def test_identical_export_is_answered_complete_with_its_urls(
    ozor: Account, video_id: str, *, is_public: bool
) -> None:
    done = steps.exported(ozor, video_id, quality="720p", isPublic=is_public)

    again = steps.export(ozor, video_id, quality="720p", isPublic=is_public)

    assert again["exportStatus"] == "complete"
    assert ozor.client.follow(again["downloadUrl"]).status == 200
    assert again.get("shareUrl") == done["shareUrl"]
    assert again.get("shareCode") == done["shareCode"]


@pytest.mark.clause("OZ-117")
def test_identical_export_leaves_the_project_completed(ozor: Account, video_id: str) -> None:
    steps.exported(ozor, video_id)
    jobs_before = steps.job_count(ozor.world)

    steps.export(ozor, video_id)

    assert steps.video(ozor, video_id)["status"] == "completed"
    assert steps.job_count(ozor.world) == jobs_before


@pytest.mark.clause("OZ-118")
def test_other_quality_is_rendered_anew(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id, quality="720p")

    other = steps.export(ozor, video_id, quality="4k")

    assert other["exportStatus"] == "queued"
    assert other["exportId"] != done["exportId"]


@pytest.mark.clause("OZ-119")
@pytest.mark.parametrize("first", [True, False])
def test_other_visibility_is_rendered_anew(ozor: Account, video_id: str, *, first: bool) -> None:
    done = steps.exported(ozor, video_id, isPublic=first)

    other = steps.export(ozor, video_id, isPublic=not first)

    assert other["exportStatus"] == "queued"
    assert other["exportId"] != done["exportId"]


@pytest.mark.clause("OZ-117", "OZ-118")
def test_each_of_several_exports_is_found_again(ozor: Account, video_id: str) -> None:
    small = steps.exported(ozor, video_id, quality="720p")
    large = steps.exported(ozor, video_id, quality="4k")

    found = [steps.export(ozor, video_id, quality=quality) for quality in ("720p", "4k")]

    assert [item["exportId"] for item in found] == [small["exportId"], large["exportId"]]


@pytest.mark.clause("OZ-120")
def test_completed_edit_makes_the_same_export_a_new_one(ozor: Account, video_id: str) -> None:
    before = steps.exported(ozor, video_id)
    steps.edit(ozor, video_id)

    after = steps.export(ozor, video_id)

    assert after["exportStatus"] == "queued"
    assert after["exportId"] != before["exportId"]


@pytest.mark.clause("OZ-120", "OZ-117")
def test_edit_under_way_or_failed_keeps_the_export(ozor: Account, video_id: str) -> None:
    """The scenes are still the ones that were rendered."""
    done = steps.exported(ozor, video_id)
    submitted = steps.send_message(ozor, video_id)
    under_way = steps.export(ozor, video_id)
    ozor.world.fail_job(submitted["jobId"], "the model gave up")
    steps.finish_job(ozor, submitted)

    failed = steps.export(ozor, video_id)

    assert under_way["exportId"] == done["exportId"]
    assert failed["exportId"] == done["exportId"]


@pytest.mark.clause("OZ-117")
def test_exports_of_two_videos_do_not_meet(ozor: Account, video_id: str) -> None:
    """The same prompt twice is two videos all the same."""
    steps.exported(ozor, video_id)
    twin = steps.make_video(ozor)

    assert steps.export(ozor, twin)["exportStatus"] == "queued"


@pytest.mark.clause("OZ-122")
def test_export_of_an_unknown_video_is_404_and_of_a_foreign_one_403(
    ozor: Account, neighbour: Account
) -> None:
    theirs = steps.make_video(neighbour)

    unknown = ozor.client.post(f"{steps.VIDEOS}/{steps.NO_VIDEO}/export", json={})
    foreign = ozor.client.post(f"{steps.VIDEOS}/{theirs}/export", json={})

    assert steps.refusal(unknown) == (404, "not_found")
    assert steps.refusal(foreign) == (403, "ownership")


@pytest.mark.clause("OZ-123", "OZ-226")
def test_export_that_cannot_be_started_is_500_and_may_be_tried_again(
    ozor: Account, video_id: str
) -> None:
    steps.fault(ozor.world, "http_error", "exportVideo", status=500)

    refused = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={})
    fields = set(steps.video(ozor, video_id))
    accepted = ozor.client.post(f"{steps.VIDEOS}/{video_id}/export", json={})

    assert refused.status == 500
    assert isinstance(refused.json()["detail"], str)
    assert fields == steps.VIDEO_FIELDS
    assert accepted.status == 200

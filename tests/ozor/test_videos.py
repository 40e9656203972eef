"""Listing and reading videos: order, scope, limits, fields, and the status of a project."""

from __future__ import annotations

from datetime import datetime

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account
from . import steps


@pytest.mark.clause("OZ-076")
def test_list_of_a_new_account_is_empty(ozor: Account) -> None:
    answer = ozor.client.get(steps.VIDEOS)

    assert answer.status == 200
    assert answer.json() == {"videos": []}


@pytest.mark.clause("OZ-076", "OZ-077")
def test_newest_video_comes_first(ozor: Account) -> None:
    made: list[str] = []
    for _ in range(4):
        made.append(steps.generate(ozor)["videoId"])
        ozor.world.advance(1_000)

    listed = [item["videoId"] for item in steps.list_videos(ozor)]

    assert listed == made[::-1]


@pytest.mark.clause("OZ-077")
def test_an_edit_does_not_move_a_video_in_the_list(ozor: Account) -> None:
    first = steps.make_video(ozor)
    second = steps.make_video(ozor)
    steps.edit(ozor, first)

    assert [item["videoId"] for item in steps.list_videos(ozor)] == [second, first]


@pytest.mark.clause("OZ-078")
def test_list_shows_the_own_account_only(ozor: Account, neighbour: Account) -> None:
    mine = steps.generate(ozor)["videoId"]
    theirs = steps.generate(neighbour)["videoId"]

    assert [item["videoId"] for item in steps.list_videos(ozor)] == [mine]
    assert [item["videoId"] for item in steps.list_videos(neighbour)] == [theirs]


@pytest.mark.clause("OZ-079")
def test_video_of_the_web_app_is_not_listed(ozor: Account) -> None:
    """It can still be read by its id."""
    made_here = steps.generate(ozor)["videoId"]
    made_in_browser = ozor.world.control.post(
        f"{ozor.world.path}/resources",
        json={
            "provider": "ozor",
            "kind": "video",
            "account": ozor.id,
            "doc": {"createdVia": "web"},
        },
    )

    assert made_in_browser.status == 201, made_in_browser.text
    assert [item["videoId"] for item in steps.list_videos(ozor)] == [made_here]
    assert steps.video(ozor, made_in_browser.json()["id"])["status"] == "draft"


@pytest.fixture
def account_with_102_videos(ozor: Account) -> Account:
    ozor.set_credits(102)
    for _ in range(102):
        steps.generate(ozor)
    return ozor


@pytest.mark.clause("OZ-080", "OZ-081")
def test_limit_is_20_unless_given_and_up_to_100(account_with_102_videos: Account) -> None:
    account = account_with_102_videos

    lengths = [
        len(steps.list_videos(account)),
        len(steps.list_videos(account, limit=1)),
        len(steps.list_videos(account, limit=21)),
        len(steps.list_videos(account, limit=100)),
    ]

    assert lengths == [20, 1, 21, 100]


@pytest.mark.clause("OZ-077", "OZ-080")
def test_a_limit_cuts_off_the_oldest(account_with_102_videos: Account) -> None:
    newest = steps.list_videos(account_with_102_videos, limit=100)

    assert steps.list_videos(account_with_102_videos, limit=3) == newest[:3]


@pytest.mark.clause("OZ-082", "OZ-225")
@pytest.mark.parametrize("limit", ["0", "101", "-1", "1000000000000000000000"])
def test_limit_outside_1_to_100_is_400(ozor: Account, limit: str) -> None:
    answer = ozor.client.get(steps.VIDEOS, query={"limit": limit})

    assert steps.refusal(answer) == (400, "validation")
    assert "limit" in answer.json()["detail"]


@pytest.mark.clause("OZ-083", "OZ-084", "OZ-085")
def test_listed_video_has_its_five_fields(ozor: Account) -> None:
    ozor.world.advance(90_000)
    video_id = steps.generate(ozor)["videoId"]

    (listed,) = steps.list_videos(ozor)

    assert set(listed) == {"videoId", "title", "status", "editorUrl", "createdAt"}
    assert listed["videoId"] == video_id
    assert listed["editorUrl"].endswith(f"/editor?projectId={video_id}")
    assert listed["createdAt"] == "2026-01-01T00:01:30Z"


@pytest.mark.clause("OZ-085")
def test_creation_is_dated_in_utc(ozor: Account) -> None:
    created = steps.video(ozor, steps.generate(ozor)["videoId"])["createdAt"]

    assert created.endswith("Z")
    assert datetime.fromisoformat(created).isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.clause("OZ-083")
def test_title_is_the_beginning_of_the_prompt(ozor: Account) -> None:
    prompt = "Product showcase for a wireless headphone"

    video_id = steps.generate(ozor, prompt=prompt)["videoId"]

    title = steps.video(ozor, video_id)["title"]
    assert title.endswith("...")
    assert prompt.startswith(title.removesuffix("..."))


@pytest.mark.clause("OZ-086", "OZ-087")
def test_detail_without_export_is_what_the_list_shows(ozor: Account, video_id: str) -> None:
    assert [steps.video(ozor, video_id)] == steps.list_videos(ozor)


@pytest.mark.clause("OZ-083", "OZ-086")
def test_list_never_shows_export_fields(ozor: Account, video_id: str) -> None:
    steps.exported(ozor, video_id)

    (listed,) = steps.list_videos(ozor)

    assert set(listed) == steps.VIDEO_FIELDS


@pytest.mark.clause("OZ-088")
def test_manual_export_brings_the_export_fields(ozor: Account, video_id: str) -> None:
    steps.export(ozor, video_id, isPublic=True)

    assert set(steps.video(ozor, video_id)) == steps.VIDEO_FIELDS | steps.EXPORT_FIELDS


@pytest.mark.clause("OZ-089")
def test_automatic_export_brings_the_export_fields(ozor: Account) -> None:
    video_id = steps.make_video(ozor, export=True, exportIsPublic=True)

    assert set(steps.finish_export(ozor, video_id)) == steps.VIDEO_FIELDS | steps.EXPORT_FIELDS


@pytest.mark.clause("OZ-090")
def test_detail_shows_the_latest_export(ozor: Account, video_id: str) -> None:
    first = steps.exported(ozor, video_id, quality="720p")
    second = steps.export(ozor, video_id, quality="1080p")

    shown = steps.video(ozor, video_id)

    assert first["exportId"] != second["exportId"]
    assert (shown["exportId"], shown["exportStatus"]) == (second["exportId"], "queued")
    assert shown["downloadUrl"] is None


@pytest.mark.clause("OZ-090")
def test_latest_export_stays_the_one_shown_when_an_older_one_ends_later(
    ozor: Account, video_id: str
) -> None:
    steps.export(ozor, video_id, quality="4k")
    latest = steps.export(ozor, video_id, quality="720p")
    ozor.world.advance_until_idle()

    assert steps.video(ozor, video_id)["exportId"] == latest["exportId"]


@pytest.mark.clause("OZ-091")
def test_unknown_video_is_404(ozor: Account) -> None:
    answer = ozor.client.get(f"{steps.VIDEOS}/{steps.NO_VIDEO}")

    assert steps.refusal(answer) == (404, "not_found")
    assert steps.NO_VIDEO in answer.json()["detail"]


@pytest.mark.clause("OZ-091")
@pytest.mark.parametrize("video_id", ["a", "ABC", "x" * 500, "%2e%2e", "a%20b", "ü"])
def test_id_of_a_strange_form_is_404_too(ozor: Account, video_id: str) -> None:
    assert steps.refusal(ozor.client.get(f"{steps.VIDEOS}/{video_id}"))[0] == 404


@pytest.mark.clause("OZ-092")
def test_foreign_video_is_403(ozor: Account, neighbour: Account) -> None:
    theirs = steps.generate(neighbour)["videoId"]

    answer = ozor.client.get(f"{steps.VIDEOS}/{theirs}")

    assert steps.refusal(answer) == (403, "ownership")


@pytest.mark.clause("OZ-093", "OZ-094", "OZ-095", "OZ-096")
def test_project_is_draft_then_rendering_then_completed(ozor: Account) -> None:
    submitted = steps.generate(ozor)
    as_new = steps.video(ozor, submitted["videoId"])["status"]
    steps.finish_job(ozor, submitted)
    with_scenes = steps.video(ozor, submitted["videoId"])["status"]
    steps.export(ozor, submitted["videoId"])

    polled = [item["status"] for item in steps.poll_export(ozor, submitted["videoId"])]

    assert (as_new, with_scenes) == ("draft", "draft")
    assert list(dict.fromkeys(polled)) == ["rendering", "completed"]


@pytest.mark.clause("OZ-095", "OZ-096")
def test_second_render_is_rendering_and_completed_again(ozor: Account, video_id: str) -> None:
    steps.exported(ozor, video_id, quality="720p")
    steps.export(ozor, video_id, quality="1080p")

    polled = [item["status"] for item in steps.poll_export(ozor, video_id)]

    assert list(dict.fromkeys(polled)) == ["rendering", "completed"]


@pytest.mark.clause("OZ-093")
def test_failed_first_render_leaves_a_draft(ozor: Account, video_id: str) -> None:
    """No render has completed even once."""
    ozor.world.fail_job(steps.export(ozor, video_id)["exportId"], "the renderer stopped")

    assert steps.finish_export(ozor, video_id)["status"] == "draft"


@pytest.mark.clause("OZ-096")
def test_failed_second_render_leaves_a_completed_project(ozor: Account, video_id: str) -> None:
    """A render has completed at least once."""
    steps.exported(ozor, video_id, quality="720p")
    again = steps.export(ozor, video_id, quality="1080p")
    ozor.world.fail_job(again["exportId"], "the renderer stopped")

    assert steps.finish_export(ozor, video_id)["status"] == "completed"


@pytest.mark.clause("OZ-096")
def test_an_edit_does_not_undo_a_completed_project(ozor: Account, video_id: str) -> None:
    steps.exported(ozor, video_id)
    steps.edit(ozor, video_id)

    assert steps.video(ozor, video_id)["status"] == "completed"


@pytest.mark.clause("OZ-093", "OZ-146")
def test_reading_twice_gives_the_same(ozor: Account, video_id: str) -> None:
    """Only the signed address is new each time."""
    steps.exported(ozor, video_id)

    first, second = steps.video(ozor, video_id), steps.video(ozor, video_id)

    assert _without_download(first) == _without_download(second)


def _without_download(shown: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in shown.items() if name != "downloadUrl"}

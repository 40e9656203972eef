"""List, delete and remix: not documented, and called by OpenAI's unmodified libraries (Z19)."""

from __future__ import annotations

import pytest

from ..mock_client import Account
from . import steps


@pytest.fixture
def five(znapai: Account) -> list[str]:
    """Ids of five videos in the order of their creation, two of them at one instant."""
    made: list[str] = []
    for by_ms in (0, 1_000, 0, 1_000, 1_000):
        znapai.world.advance(by_ms)
        made.append(steps.create(znapai)["id"])
    return made


@pytest.mark.clause("ZN-063")
def test_list_of_a_new_account_is_empty(znapai: Account) -> None:
    answer = znapai.client.get(steps.VIDEOS)

    assert steps.accepted(answer) == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


@pytest.mark.clause("ZN-063")
def test_list_shows_whole_videos_newest_first(znapai: Account, five: list[str]) -> None:
    page = steps.accepted(znapai.client.get(steps.VIDEOS))

    newest_first = five[::-1]
    assert [video["id"] for video in page["data"]] == newest_first
    assert (page["first_id"], page["last_id"]) == (newest_first[0], newest_first[-1])
    assert page["has_more"] is False
    assert page["data"][0] == steps.read(znapai, newest_first[0])


@pytest.mark.clause("ZN-063")
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_each_other_without_a_gap(
    znapai: Account, five: list[str], order: str
) -> None:
    pages: list[list[str]] = []
    query: dict[str, object] = {"limit": 2, "order": order}
    for _ in range(5):
        page = steps.accepted(znapai.client.get(steps.VIDEOS, query=query))
        pages.append([video["id"] for video in page["data"]])
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]

    expected = five if order == "asc" else five[::-1]
    assert pages == [expected[:2], expected[2:4], expected[4:]]


@pytest.mark.clause("ZN-063")
def test_page_that_holds_exactly_the_rest_has_no_more(znapai: Account, five: list[str]) -> None:
    page = steps.accepted(znapai.client.get(steps.VIDEOS, query={"limit": len(five)}))

    assert (len(page["data"]), page["has_more"]) == (5, False)


@pytest.mark.clause("ZN-063")
def test_page_of_none_tells_that_there_are_some(znapai: Account, five: list[str]) -> None:
    page = steps.accepted(znapai.client.get(steps.VIDEOS, query={"limit": 0}))

    assert (page["data"], page["has_more"], page["last_id"]) == ([], bool(five), None)


@pytest.mark.clause("ZN-063")
def test_page_has_twenty_by_default(znapai: Account) -> None:
    for _ in range(21):
        steps.create(znapai)

    page = steps.accepted(znapai.client.get(steps.VIDEOS))

    assert (len(page["data"]), page["has_more"]) == (20, True)


@pytest.mark.clause("ZN-063", "ZN-026")
@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("limit", "101", "invalid_value"),
        ("limit", "-1", "invalid_value"),
        ("limit", "two", "invalid_type"),
        ("order", "up", "invalid_value"),
        ("after", steps.NO_VIDEO, "invalid_value"),
        ("after", "x", "invalid_value"),
    ],
)
def test_wrong_query_is_refused(znapai: Account, name: str, value: str, code: str) -> None:
    """Z30 for a cursor that names no video."""
    answer = znapai.client.get(steps.VIDEOS, query={name: value})

    assert steps.refusal(answer) == (400, name, code)


@pytest.mark.clause("ZN-063")
def test_video_of_another_account_is_not_a_cursor(znapai: Account, neighbour: Account) -> None:
    theirs = steps.create(neighbour)["id"]

    answer = znapai.client.get(steps.VIDEOS, query={"after": theirs})

    assert steps.refusal(answer) == (400, "after", "invalid_value")


@pytest.mark.clause("ZN-064")
def test_deleted_video_is_gone(znapai: Account, video_id: str) -> None:
    path = f"/v1/videos/{video_id}"

    answer = znapai.client.delete(path)

    assert steps.accepted(answer) == {"id": video_id, "object": "video.deleted", "deleted": True}
    assert znapai.client.get(path).status == 404
    assert znapai.client.get(f"{path}/content").status == 404
    assert znapai.client.delete(path).status == 404
    assert steps.accepted(znapai.client.get(steps.VIDEOS))["data"] == []


@pytest.mark.clause("ZN-064")
def test_failed_video_can_be_deleted(znapai: Account) -> None:
    failed = steps.finished(znapai, prompt="[[screentest:fail]]")

    assert znapai.client.delete(f"/v1/videos/{failed['id']}").status == 200


@pytest.mark.clause("ZN-064")
def test_running_video_cannot_be_deleted(znapai: Account) -> None:
    """Z25: OpenAI deletes what has ended."""
    made = steps.create(znapai)

    answer = znapai.client.delete(f"/v1/videos/{made['id']}")

    assert steps.refusal(answer) == (400, None, None)
    assert steps.read(znapai, made["id"]) == made


@pytest.mark.clause("ZN-065", "ZN-044")
def test_remix_is_a_new_job_that_names_its_source(znapai: Account) -> None:
    """Z26: it keeps size, length and model."""
    source = steps.finished(znapai, seconds="8", size="1280x720")

    answer = znapai.client.post(f"/v1/videos/{source['id']}/remix", json={"prompt": "At night"})

    remix = steps.accepted(answer)
    assert set(remix) == steps.FIELDS
    assert remix["id"] != source["id"]
    assert remix["remixed_from_video_id"] == source["id"]
    assert (remix["status"], remix["progress"]) == ("queued", 0)
    assert (remix["prompt"], remix["seconds"], remix["size"]) == ("At night", "8", "1280x720")
    assert steps.read(znapai, source["id"]) == source


@pytest.mark.clause("ZN-065")
def test_remix_completes_and_can_be_remixed(znapai: Account, video_id: str) -> None:
    first = znapai.client.post(f"/v1/videos/{video_id}/remix", json={"prompt": "At night"}).json()
    znapai.world.advance_until_idle()

    second = znapai.client.post(f"/v1/videos/{first['id']}/remix", json={"prompt": "At dawn"})

    assert steps.content(znapai, first["id"]).status == 200
    assert steps.accepted(second)["remixed_from_video_id"] == first["id"]


@pytest.mark.clause("ZN-065")
def test_remix_of_a_running_video_is_refused(znapai: Account) -> None:
    """Z26."""
    made = steps.create(znapai)

    answer = znapai.client.post(f"/v1/videos/{made['id']}/remix", json={"prompt": "At night"})

    assert steps.refusal(answer) == (400, None, None)


@pytest.mark.clause("ZN-065")
@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({}, (400, "prompt", "missing_required_parameter")),
        ({"prompt": 7}, (400, "prompt", "invalid_type")),
        ({"prompt": "x", "seconds": "8"}, (400, "seconds", "unknown_parameter")),
    ],
)
def test_remix_takes_a_prompt_and_nothing_else(
    znapai: Account, video_id: str, body: dict[str, object], refusal: tuple[int, str, str]
) -> None:
    answer = znapai.client.post(f"/v1/videos/{video_id}/remix", json=body)

    assert steps.refusal(answer) == refusal


@pytest.mark.clause("ZN-065")
def test_remix_of_an_unknown_video_is_404(znapai: Account) -> None:
    path = f"/v1/videos/{steps.NO_VIDEO}/remix"

    assert znapai.client.post(path, json={"prompt": "At night"}).status == 404

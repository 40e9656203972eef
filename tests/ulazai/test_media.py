"""The files at the two addresses: a real ten-second MP4 and a real JPEG, without a key."""

from __future__ import annotations

from importlib.resources import files

import pytest

from screentest.mock_server.media.clips import choose_clip, stamp_of

from ..mock_client import HOUR_MS, Account, Client
from . import steps

MEDIA = files("screentest").joinpath("fixtures", "media")


def without_key(account: Account) -> Client:
    """A client without a key: the files are on a public CDN."""
    return account.world.anonymous("ulazai")


@pytest.mark.clause("UL-079")
def test_video_address_serves_an_mp4_of_this_task(ulazai: Account) -> None:
    data = steps.finish(ulazai, steps.from_text(ulazai)["task_id"])

    file = without_key(ulazai).follow(data["video_url"])

    assert file.status == 200
    assert file.headers["content-type"] == "video/mp4"
    assert file.content[4:8] == b"ftyp"
    stamp = stamp_of(file.content)
    assert stamp is not None
    assert stamp["job"] == data["task_id"]


@pytest.mark.clause("UL-049", "UL-050", "UL-079")
@pytest.mark.parametrize(
    ("shape", "width", "height"),
    [("landscape", 1920, 1080), ("portrait", 1080, 1920), ("square", 1080, 1080)],
)
def test_file_is_the_clip_of_the_shape_with_24_frames_and_10_seconds(
    ulazai: Account, shape: str, width: int, height: int
) -> None:
    data = steps.finish(ulazai, steps.from_text(ulazai, aspect_ratio=shape)["task_id"])
    clip = choose_clip(width, height, fps=24, duration_ms=10_000)

    file = without_key(ulazai).follow(data["video_url"])

    assert (clip.width, clip.height, clip.fps, clip.duration_ms) == (width, height, 24, 10_000)
    assert file.content.startswith(MEDIA.joinpath(clip.name).read_bytes())


@pytest.mark.clause("UL-079")
def test_part_of_the_video_can_be_asked_for(ulazai: Account) -> None:
    data = steps.finish(ulazai, steps.from_text(ulazai)["task_id"])

    part = without_key(ulazai).follow(data["video_url"], headers={"Range": "bytes=4-7"})

    assert (part.status, part.content) == (206, b"ftyp")


@pytest.mark.clause("UL-080")
def test_thumbnail_address_serves_a_jpeg(ulazai: Account) -> None:
    data = steps.finish(ulazai, steps.from_image(ulazai)["task_id"])

    file = without_key(ulazai).follow(data["thumbnail_url"])

    assert file.status == 200
    assert file.headers["content-type"] == "image/jpeg"
    assert file.content[:3] == b"\xff\xd8\xff"


@pytest.mark.clause("UL-047", "UL-048", "UL-079", "UL-080")
def test_addresses_do_not_run_out(ulazai: Account) -> None:
    data = steps.finish(ulazai, steps.from_text(ulazai)["task_id"])
    ulazai.world.advance(300 * 24 * HOUR_MS)

    statuses = [
        without_key(ulazai).follow(data[name]).status for name in ("video_url", "thumbnail_url")
    ]

    assert statuses == [200, 200]
    assert steps.status(ulazai, data["task_id"])["data"]["video_url"] == data["video_url"]


@pytest.mark.clause("UL-045", "UL-079", "UL-080")
@pytest.mark.parametrize("path", ["videos/{}.mp4", "thumbnails/{}.jpg"])
def test_there_is_no_file_before_success_nor_after_failure(ulazai: Account, path: str) -> None:
    task_id = str(steps.from_text(ulazai)["task_id"])
    place = "/_storage/sora/" + path
    while_processing = without_key(ulazai).get(place.format(task_id)).status
    failed, _ = steps.failed(ulazai)

    after_failure = without_key(ulazai).get(place.format(failed)).status
    of_unknown = without_key(ulazai).get(place.format(steps.NO_TASK)).status

    assert (while_processing, after_failure, of_unknown) == (404, 404, 404)


@pytest.mark.clause("UL-053", "UL-079")
def test_two_tasks_never_serve_the_same_bytes(ulazai: Account) -> None:
    tasks = [steps.from_text(ulazai)["task_id"] for _ in range(2)]

    files = [
        without_key(ulazai).follow(steps.finish(ulazai, task)["video_url"]).content
        for task in tasks
    ]

    assert files[0] != files[1]

"""The files behind the URLs: real MP4s of the documented sizes, and how long each URL lives."""

from __future__ import annotations

import io
from urllib.parse import urlsplit, urlunsplit

import av
import pytest

from ..mock_client import HOUR_MS, Account
from . import steps

DAY_MS = 24 * HOUR_MS
SIZES = [
    ("16:9", "720p", (1280, 720)),
    ("16:9", "1080p", (1920, 1080)),
    ("16:9", "4k", (3840, 2160)),
    ("9:16", "720p", (720, 1280)),
    ("9:16", "1080p", (1080, 1920)),
    ("9:16", "4k", (2160, 3840)),
]


def probe(content: bytes) -> tuple[str, int, int, int]:
    """(codec, width, height, frames a second) as an independent decoder sees them."""
    with av.open(io.BytesIO(content), "r") as container:
        (stream,) = container.streams.video
        next(container.decode(stream))
        rate = stream.average_rate
        assert rate is not None
        return stream.codec_context.name, stream.width, stream.height, round(rate)


@pytest.mark.clause("OZ-124", "OZ-125", "OZ-126", "OZ-127", "OZ-128")
@pytest.mark.parametrize(("aspect", "quality", "size"), SIZES)
def test_file_is_mp4_at_30_frames_of_the_documented_size(
    ozor: Account, aspect: str, quality: str, size: tuple[int, int]
) -> None:
    video_id = steps.make_video(ozor, aspect=aspect)
    done = steps.exported(ozor, video_id, quality=quality)

    answer = ozor.client.follow(done["downloadUrl"])

    assert answer.status == 200
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"
    assert probe(answer.content) == ("h264", *size, 30)


@pytest.mark.clause("OZ-062", "OZ-068", "OZ-125")
def test_automatic_export_of_a_film_is_1280_by_720(ozor: Account) -> None:
    video_id = steps.make_video(ozor, export=True)
    done = steps.finish_export(ozor, video_id)

    assert probe(ozor.client.follow(done["downloadUrl"]).content)[1:3] == (1280, 720)


@pytest.mark.clause("OZ-067", "OZ-127")
def test_automatic_export_has_the_quality_asked_for(ozor: Account) -> None:
    video_id = steps.make_video(ozor, export=True, exportQuality="4k", aspect="9:16")
    done = steps.finish_export(ozor, video_id)

    assert probe(ozor.client.follow(done["downloadUrl"]).content)[1:3] == (2160, 3840)


@pytest.mark.clause("OZ-100", "OZ-126")
def test_manual_export_is_1920_by_1080_by_default(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id)

    assert probe(ozor.client.follow(done["downloadUrl"]).content)[1:3] == (1920, 1080)


@pytest.mark.clause("OZ-108", "OZ-116")
def test_share_url_gives_the_same_file(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id, isPublic=True)

    shared = ozor.client.follow(done["shareUrl"])

    assert shared.headers["content-type"] == "video/mp4"
    assert shared.content == ozor.client.follow(done["downloadUrl"]).content


@pytest.mark.clause("OZ-112")
def test_thumbnail_is_a_jpeg(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id)

    answer = ozor.client.follow(done["thumbnailUrl"])

    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content[:3] == b"\xff\xd8\xff"


@pytest.mark.clause("OZ-113", "OZ-115")
def test_download_url_lives_24_hours(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id)
    ozor.world.advance(DAY_MS - 1_000)
    in_time = ozor.client.follow(done["downloadUrl"])
    ozor.world.advance(1_000)

    too_late = ozor.client.follow(done["downloadUrl"])

    assert in_time.status == 200
    assert too_late.status == 403
    assert b"ftyp" not in too_late.content


@pytest.mark.clause("OZ-114")
def test_each_read_gives_a_fresh_download_url(ozor: Account, video_id: str) -> None:
    steps.exported(ozor, video_id)

    urls = [steps.video(ozor, video_id)["downloadUrl"] for _ in range(5)]

    assert len(set(urls)) == 5
    assert {ozor.client.follow(url).status for url in urls} == {200}


@pytest.mark.clause("OZ-113", "OZ-114")
def test_fresh_url_lives_24_hours_from_its_own_read(ozor: Account, video_id: str) -> None:
    old = steps.exported(ozor, video_id)["downloadUrl"]
    ozor.world.advance(20 * HOUR_MS)
    fresh = steps.video(ozor, video_id)["downloadUrl"]
    ozor.world.advance(20 * HOUR_MS)

    assert ozor.client.follow(old).status == 403
    assert ozor.client.follow(fresh).status == 200


@pytest.mark.clause("OZ-116")
def test_share_url_is_for_ever_and_stays_the_same(ozor: Account, video_id: str) -> None:
    done = steps.exported(ozor, video_id, isPublic=True)
    for _ in range(10):
        ozor.world.advance(365 * DAY_MS)

    assert ozor.client.follow(done["shareUrl"]).status == 200
    assert steps.video(ozor, video_id)["shareUrl"] == done["shareUrl"]


@pytest.mark.clause("OZ-115", "OZ-109")
@pytest.mark.parametrize("part", ["path", "query"])
def test_changed_download_url_is_403(ozor: Account, video_id: str, part: str) -> None:
    other = steps.make_video(ozor)
    url = urlsplit(str(steps.exported(ozor, video_id)["downloadUrl"]))
    other_url = urlsplit(str(steps.exported(ozor, other)["downloadUrl"]))

    mixed = url._replace(**{part: getattr(other_url, part)})

    assert ozor.client.follow(urlunsplit(mixed)).status == 403


@pytest.mark.clause("OZ-115")
def test_unsigned_download_url_is_403(ozor: Account, video_id: str) -> None:
    url = urlsplit(str(steps.exported(ozor, video_id)["downloadUrl"]))

    assert ozor.client.follow(urlunsplit(url._replace(query=""))).status == 403


@pytest.mark.clause("OZ-113")
def test_urls_need_no_key(ozor: Account, video_id: str) -> None:
    """They are handed on to players and browsers."""
    done = steps.exported(ozor, video_id, isPublic=True)

    statuses = [
        ozor.world.anonymous("ozor").follow(done[name]).status
        for name in ("downloadUrl", "shareUrl", "thumbnailUrl")
    ]

    assert statuses == [200, 200, 200]


@pytest.mark.clause("OZ-124")
def test_part_of_a_file_can_be_asked_for(ozor: Account, video_id: str) -> None:
    url = steps.exported(ozor, video_id, isPublic=True)["shareUrl"]
    whole = ozor.client.follow(url)

    part = ozor.client.follow(url, headers={"Range": "bytes=4-7"})

    assert whole.headers["content-length"] == str(len(whole.content))
    assert whole.headers["accept-ranges"] == "bytes"
    assert (part.status, part.content) == (206, b"ftyp")
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole.content)}"


@pytest.mark.clause("OZ-124")
def test_part_beyond_the_end_is_416(ozor: Account, video_id: str) -> None:
    url = steps.exported(ozor, video_id, isPublic=True)["shareUrl"]
    size = len(ozor.client.follow(url).content)

    answer = ozor.client.follow(url, headers={"Range": f"bytes={size}-"})

    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.clause("OZ-124")
@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "lines=1-2", "junk", "bytes=0-1,4-5"])
def test_invalid_range_gives_the_whole_file(ozor: Account, video_id: str, asked: str) -> None:
    """Several ranges at once count as none: object stores ignore them too."""
    url = steps.exported(ozor, video_id, isPublic=True)["shareUrl"]

    answer = ozor.client.follow(url, headers={"Range": asked})

    assert (answer.status, answer.content[4:8]) == (200, b"ftyp")


@pytest.mark.clause("OZ-124")
def test_file_can_be_asked_about_without_its_bytes(ozor: Account, video_id: str) -> None:
    url = steps.exported(ozor, video_id, isPublic=True)["shareUrl"]
    whole = ozor.client.follow(url)

    answer = ozor.client.request("HEAD", url)

    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole.content))
    assert answer.headers["etag"] == whole.headers["etag"]


@pytest.mark.clause("OZ-124")
def test_unchanged_file_is_not_sent_again(ozor: Account, video_id: str) -> None:
    url = steps.exported(ozor, video_id, isPublic=True)["shareUrl"]
    etag = ozor.client.follow(url).headers["etag"]

    again = ozor.client.follow(url, headers={"If-None-Match": etag})

    assert (again.status, again.content) == (304, b"")


@pytest.mark.clause("OZ-119", "OZ-124")
def test_every_export_is_a_file_of_its_own(ozor: Account, video_id: str) -> None:
    """A client that mixes two exports up sees that it did."""
    first = steps.exported(ozor, video_id)
    twin = steps.exported(ozor, steps.make_video(ozor))

    one = ozor.client.follow(first["downloadUrl"]).content
    other = ozor.client.follow(twin["downloadUrl"]).content

    assert one != other


@pytest.mark.clause("OZ-128", "OZ-209")
def test_project_of_a_plan_has_the_aspect_of_the_plan(ozor: Account) -> None:
    plan_id = steps.analyze(ozor, aspect_ratio="9:16")["planId"]
    project_id = steps.generate_plan(ozor, plan_id).events[-1]["projectId"]

    done = steps.exported(ozor, project_id)

    assert probe(ozor.client.follow(done["downloadUrl"]).content)[1:3] == (1080, 1920)

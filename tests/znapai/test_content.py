"""The files of a completed job: real videos of the size and length asked for, and previews."""

from __future__ import annotations

import io

import av
import pytest

from screentest.mock_server.media.clips import stamp_of

from ..mock_client import HOUR_MS, Account
from . import steps

SIZES = [
    ("720x1280", (720, 1280)),
    ("1280x720", (1280, 720)),
    ("1024x1792", (1024, 1792)),
    ("1792x1024", (1792, 1024)),
]


def probe(content: bytes) -> tuple[str, int, int, float]:
    """(codec, width, height, seconds) as an independent decoder sees them."""
    with av.open(io.BytesIO(content), "r") as container:
        (stream,) = container.streams.video
        next(container.decode(stream))
        assert container.duration is not None
        seconds = round(container.duration / 1_000_000, 1)
        return stream.codec_context.name, stream.width, stream.height, seconds


@pytest.mark.clause("ZN-049", "ZN-050", "ZN-016", "ZN-017", "ZN-018", "ZN-019")
@pytest.mark.parametrize(("size", "sides"), SIZES)
def test_content_is_an_mp4_of_the_size_asked_for(
    znapai: Account, size: str, sides: tuple[int, int]
) -> None:
    done = steps.finished(znapai, size=size)

    answer = steps.content(znapai, done["id"])

    assert (answer.status, answer.headers["content-type"]) == (200, "video/mp4")
    assert answer.headers["content-length"] == str(len(answer.content))
    assert probe(answer.content) == ("h264", *sides, 4.0)


@pytest.mark.clause("ZN-050", "ZN-011", "ZN-012", "ZN-013")
@pytest.mark.parametrize(("seconds", "lasts_s"), [("4", 4.0), ("8", 8.0), ("12", 12.0)])
def test_content_is_as_long_as_asked_for(znapai: Account, seconds: str, lasts_s: float) -> None:
    done = steps.finished(znapai, seconds=seconds)

    assert probe(steps.content(znapai, done["id"]).content)[3] == lasts_s


@pytest.mark.clause("ZN-050")
def test_every_job_is_a_file_of_its_own(znapai: Account) -> None:
    """A client that mixes two videos up sees that it did."""
    one, other = steps.finished(znapai)["id"], steps.finished(znapai)["id"]

    stamps = [stamp_of(steps.content(znapai, each).content) or {} for each in (one, other)]

    assert [stamp["job"] for stamp in stamps] == [one, other]


@pytest.mark.clause("ZN-050")
def test_content_is_offered_as_a_file(znapai: Account, video_id: str) -> None:
    """The name is the measured proxy's, which puts `video_` before an id that has it already."""
    answer = steps.content(znapai, video_id)

    expected = f"attachment; filename=video_{video_id}.mp4"
    assert answer.headers["content-disposition"] == expected


@pytest.mark.clause("ZN-051")
@pytest.mark.parametrize("by_ms", [0, 10_000])
def test_early_download_is_refused(znapai: Account, by_ms: int) -> None:
    """Z6: as an upstream error, which the proxy wraps."""
    made = steps.create(znapai)
    znapai.world.advance(by_ms)

    answer = steps.content(znapai, made["id"])

    status = steps.read(znapai, made["id"])["status"]
    assert steps.refusal(answer) == (400, None, None)
    assert steps.wrapped(steps.content(znapai, made["id"]))["message"].endswith(f"is {status}.")
    assert b"ftyp" not in answer.content


@pytest.mark.clause("ZN-051")
def test_failed_job_has_no_content(znapai: Account) -> None:
    failed = steps.finished(znapai, prompt="[[screentest:fail]]")

    assert steps.refusal(steps.content(znapai, failed["id"])) == (400, None, None)


@pytest.mark.clause("ZN-037")
def test_content_lives_for_a_day(znapai: Account) -> None:
    """Z7, Z8: from the completion on; afterwards it is not found, and the job still is."""
    made = steps.create(znapai)
    done_at = znapai.world.advance_until_idle()[-1]["at"]
    znapai.world.advance(24 * HOUR_MS - 1)
    in_time = steps.content(znapai, made["id"])
    znapai.world.advance(1)

    too_late = steps.content(znapai, made["id"])

    assert done_at
    assert in_time.status == 200
    assert (too_late.status, too_late.headers["x-screentest-reason"]) == (404, "expired")
    assert steps.read(znapai, made["id"])["status"] == "completed"


@pytest.mark.clause("ZN-052", "ZN-062")
@pytest.mark.parametrize(
    ("variant", "content_type", "begins"),
    [
        ("video", "video/mp4", b"ftyp"),
        ("thumbnail", "image/webp", b"RIFF"),
        ("spritesheet", "image/jpeg", b"\xff\xd8\xff"),
    ],
)
def test_variants_have_fitting_types(
    znapai: Account, video_id: str, variant: str, content_type: str, begins: bytes
) -> None:
    answer = steps.content(znapai, video_id, query={"variant": variant})

    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert begins in answer.content[:8]


@pytest.mark.clause("ZN-052")
def test_unknown_variant_is_refused(znapai: Account, video_id: str) -> None:
    answer = steps.content(znapai, video_id, query={"variant": "gif"})

    assert steps.refusal(answer) == (400, "variant", "invalid_value")


@pytest.mark.clause("ZN-050")
@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-3", 0, 4), ("bytes=4-7", 4, 8), ("bytes=-8", -8, None)]
)
def test_part_of_a_file_can_be_asked_for(
    znapai: Account, video_id: str, asked: str, start: int, end: int | None
) -> None:
    whole = steps.content(znapai, video_id)

    part = steps.content(znapai, video_id, headers={"Range": asked})

    first = start % len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    assert (part.status, part.content) == (206, whole.content[start:end])
    assert part.headers["content-range"].startswith(f"bytes {first}-")
    assert part.headers["content-range"].endswith(f"/{len(whole.content)}")


@pytest.mark.clause("ZN-050")
def test_part_beyond_the_end_is_416(znapai: Account, video_id: str) -> None:
    size = len(steps.content(znapai, video_id).content)

    answer = steps.content(znapai, video_id, headers={"Range": f"bytes={size}-"})

    assert (answer.status, answer.content) == (416, b"")
    assert answer.headers["content-range"] == f"bytes */{size}"


@pytest.mark.clause("ZN-050")
def test_unchanged_file_is_not_sent_again(znapai: Account, video_id: str) -> None:
    etag = steps.content(znapai, video_id).headers["etag"]

    again = steps.content(znapai, video_id, headers={"If-None-Match": etag})

    assert (again.status, again.content) == (304, b"")


@pytest.mark.clause("ZN-050")
def test_head_tells_the_size_without_the_bytes(znapai: Account, video_id: str) -> None:
    size = len(steps.content(znapai, video_id).content)

    answer = znapai.client.request("HEAD", f"/v1/videos/{video_id}/content")

    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(size)


@pytest.mark.clause("ZN-053")
def test_content_of_an_unknown_video_is_404(znapai: Account) -> None:
    assert steps.content(znapai, steps.NO_VIDEO).status == 404

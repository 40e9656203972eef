"""The shipped clips match their index, and a stamp makes a clip unique and leaves it playable."""

from __future__ import annotations

import io
import subprocess
import sys
from fractions import Fraction
from importlib.resources import files
from itertools import pairwise

import av
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from screentest.mock_server.media import clips
from screentest.mock_server.media.clips import Clip, Still, StillKind

FOLDER = files("screentest") / "fixtures" / "media"
FILES: tuple[Clip | Still, ...] = (*clips.clips(), *clips.stills())
STAMP = {"job": "job_1", "prompt": "5f2c", "world": "w_1"}


def file_bytes(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


def file_name(file: Clip | Still) -> str:
    return file.name


def test_all_files_together_stay_small() -> None:
    total_bytes = sum(len(entry.read_bytes()) for entry in FOLDER.iterdir())

    assert total_bytes <= 1_500_000


def test_index_names_every_file() -> None:
    named = {file.name for file in FILES}

    assert {entry.name for entry in FOLDER.iterdir()} == named | {"index.json"}


@pytest.mark.parametrize("file", FILES, ids=file_name)
def test_index_tells_the_size_of_the_file(file: Clip | Still) -> None:
    assert len(file_bytes(file.name)) == file.size_bytes


@pytest.mark.parametrize(
    ("width", "height", "fps", "seconds"),
    [
        *[(1280, 720, 30, 4), (720, 1280, 30, 4), (1920, 1080, 30, 4), (1080, 1920, 30, 4)],
        *[(3840, 2160, 30, 4), (2160, 3840, 30, 4)],
        *[(720, 1280, 24, 4), (720, 1280, 24, 8), (720, 1280, 24, 12)],
        *[(1280, 720, 24, 4), (1280, 720, 24, 8), (1280, 720, 24, 12)],
        *[(1024, 1792, 24, 4), (1024, 1792, 24, 8), (1024, 1792, 24, 12)],
        *[(1792, 1024, 24, 4), (1792, 1024, 24, 8), (1792, 1024, 24, 12)],
        *[(1080, 1080, 24, 4), (1080, 1080, 24, 8), (1080, 1080, 24, 10)],
        *[(1920, 1080, 24, 10), (1080, 1920, 24, 10), (1280, 720, 25, 8)],
    ],
)
def test_every_documented_form_is_there(width: int, height: int, fps: int, seconds: int) -> None:
    clip = clips.choose_clip(width, height, fps=fps, duration_ms=seconds * 1_000)

    assert (clip.width, clip.height, clip.fps, clip.duration_ms) == (
        width,
        height,
        fps,
        seconds * 1_000,
    )


@pytest.mark.parametrize("clip", clips.clips(), ids=file_name)
def test_decoder_finds_what_the_index_says(clip: Clip) -> None:
    with av.open(io.BytesIO(file_bytes(clip.name)), "r") as container:
        video, audio = container.streams
        assert isinstance(video, VideoStream)
        assert isinstance(audio, AudioStream)

        assert (video.codec_context.name, video.profile, video.pix_fmt) == (
            "h264",
            "Main",
            "yuv420p",
        )
        assert (video.width, video.height) == (clip.width, clip.height)
        assert video.average_rate == clip.fps
        assert video.frames == clip.fps * clip.duration_ms // 1_000
        assert video.duration is not None
        assert video.time_base is not None
        assert video.duration * video.time_base == Fraction(clip.duration_ms, 1_000)
        assert container.duration == clip.duration_ms * 1_000
        assert (audio.codec_context.name, audio.rate) == ("aac", 48_000)


@pytest.mark.parametrize("clip", clips.clips(), ids=file_name)
def test_index_of_the_file_comes_before_its_frames(clip: Clip) -> None:
    """A player that gets the file from its beginning can start before it has all of it."""
    data = file_bytes(clip.name)

    assert (data[4:8], data[36:40]) == (b"ftyp", b"moov")
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.parametrize("clip", clips.clips(), ids=file_name)
def test_stamped_clip_decodes_to_the_last_frame(clip: Clip) -> None:
    data = clips.video_bytes(clip, stamp=STAMP)

    with av.open(io.BytesIO(data), "r") as container:
        frames = sum(1 for _ in container.decode(video=0))

    assert frames == clip.fps * clip.duration_ms // 1_000


def test_picture_moves_from_every_frame_to_the_next() -> None:
    clip = clips.choose_clip(1280, 720, fps=24, duration_ms=4_000)

    with av.open(io.BytesIO(file_bytes(clip.name)), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]

    assert len(frames) == 96
    assert all(this != after for this, after in pairwise(frames))


def test_colours_survive_the_encoding() -> None:
    """The patches at the lower right show a wrong colour matrix or range at once."""
    clip = clips.choose_clip(1280, 720, fps=24, duration_ms=4_000)

    with av.open(io.BytesIO(file_bytes(clip.name)), "r") as container:
        plane = next(container.decode(video=0)).reformat(format="rgba").planes[0]
    pixels = [bytes(plane)[634 * plane.line_size + x * 4 :][:3] for x in (1063, 1183)]

    for pixel, drawn in zip(pixels, [(240, 200, 8), (208, 72, 72)], strict=True):
        assert all(abs(got - want) <= 12 for got, want in zip(pixel, drawn, strict=True))


def test_stamp_is_read_back() -> None:
    data = clips.video_bytes(clips.clips()[0], stamp=STAMP)

    assert clips.stamp_of(data) == {"job": "job_1", "prompt": "5f2c", "world": "w_1"}


def test_stamp_holds_any_text() -> None:
    stamp = {"prompt": "Zürich \N{CLAPPER BOARD} \x00 \ud800"}

    assert clips.stamp_of(clips.video_bytes(clips.clips()[0], stamp=stamp)) == stamp


def test_two_jobs_never_get_the_same_bytes() -> None:
    clip = clips.clips()[0]

    one = clips.video_bytes(clip, stamp={"job": "job_1"})
    other = clips.video_bytes(clip, stamp={"job": "job_2"})

    assert one != other
    assert clips.etag(one) != clips.etag(other)


def test_one_job_always_gets_the_same_bytes() -> None:
    clip = clips.clips()[0]

    once = clips.video_bytes(clip, stamp={"job": "job_1", "world": "w_1"})
    again = clips.video_bytes(clip, stamp={"world": "w_1", "job": "job_1"})

    assert once == again


def test_stamp_is_at_the_end_of_the_unchanged_file() -> None:
    clip = clips.clips()[0]

    data = clips.video_bytes(clip, stamp={"job": "job_1"})

    assert data[: clip.size_bytes] == file_bytes(clip.name)
    assert data[clip.size_bytes :][:8] == b"\x00\x00\x00\x27uuid"
    assert data.endswith(b'{"job":"job_1"}')


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<html>not found</html>", id="a web page"),
        pytest.param(b"\x00\x00\x00\x00uuid", id="a box that reaches to the end, and is empty"),
        pytest.param(b"\x00\x00\x00\x01mdat" + b"\xff" * 8, id="a box longer than the file"),
        pytest.param(b"\x00\x00\x00\x04mdat", id="a box shorter than its own header"),
        pytest.param(file_bytes("1280x720-24fps-4s.mp4"), id="an unstamped clip"),
        pytest.param(file_bytes("poster-640x360.jpg"), id="a picture"),
    ],
)
def test_what_bears_no_stamp_has_none(data: bytes) -> None:
    assert clips.stamp_of(data) is None


def test_cut_off_download_has_no_stamp() -> None:
    data = clips.video_bytes(clips.clips()[0], stamp=STAMP)

    assert clips.stamp_of(data[:-1]) is None


@pytest.mark.parametrize(
    ("duration_ms", "seconds"),
    [
        (1, 4),
        (5_000, 4),
        (6_000, 4),
        (6_001, 8),
        (6_400, 8),
        (10_000, 8),
        (11_000, 12),
        (90_000, 12),
    ],
)
def test_nearest_length_is_chosen_and_the_shorter_of_two(duration_ms: int, seconds: int) -> None:
    clip = clips.choose_clip(720, 1280, fps=24, duration_ms=duration_ms)

    assert clip.duration_ms == seconds * 1_000


def test_without_a_length_the_shortest_clip_is_chosen() -> None:
    assert clips.choose_clip(1080, 1080).name == "1080x1080-24fps-4s.mp4"


def test_without_a_rate_length_decides_alone() -> None:
    assert clips.choose_clip(1920, 1080, duration_ms=9_000).name == "1920x1080-24fps-10s.mp4"


def test_unknown_size_names_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"^no clip of 640x480 \(there are: 720x1280, 1024x1792, "):
        clips.choose_clip(640, 480)


def test_unknown_rate_names_those_of_the_size() -> None:
    with pytest.raises(
        ValueError, match=r"^no clip of 1280x720 at 60 fps \(there are: 24, 25, 30 fps\)$"
    ):
        clips.choose_clip(1280, 720, fps=60)


@pytest.mark.parametrize(
    ("kind", "width", "height", "name"),
    [
        ("poster", 3840, 2160, "poster-640x360.jpg"),
        ("poster", 1080, 1920, "poster-360x640.jpg"),
        ("poster", 1024, 1792, "poster-360x640.jpg"),
        ("poster", 1080, 1080, "poster-640x640.jpg"),
        ("poster", 1080, 1350, "poster-640x640.jpg"),
        ("preview", 1280, 720, "preview-640x360.webp"),
        ("preview", 720, 1280, "preview-360x640.webp"),
        ("spritesheet", 1792, 1024, "spritesheet-640x360.jpg"),
        (StillKind.PAGE, 720, 1280, "page-960x540.png"),
    ],
)
def test_picture_nearest_in_shape_is_chosen(kind: str, width: int, height: int, name: str) -> None:
    assert clips.choose_still(kind, width, height).name == name
    assert clips.still(kind, width, height) == file_bytes(name)


def test_unknown_kind_of_picture_names_the_kinds() -> None:
    with pytest.raises(
        ValueError,
        match=r"^no picture of kind 'thumb' \(there are: page, poster, preview, spritesheet\)$",
    ):
        clips.still("thumb", 640, 360)


def test_picture_without_an_area_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^no picture of 0x360: both sides must be at least 1$"):
        clips.still("poster", 0, 360)


@pytest.mark.parametrize("still", clips.stills(), ids=file_name)
def test_picture_is_of_its_type_and_size(still: Still) -> None:
    decoder = {"image/jpeg": "jpeg_pipe", "image/png": "png_pipe", "image/webp": "webp_pipe"}

    with av.open(
        io.BytesIO(file_bytes(still.name)), "r", format=decoder[clips.content_type(still)]
    ) as container:
        picture = next(container.decode(video=0))

    assert (picture.width, picture.height) == (still.width, still.height)


def test_clips_are_served_as_mp4() -> None:
    assert {clips.content_type(clip) for clip in clips.clips()} == {"video/mp4"}


def test_entity_tag_is_quoted_and_depends_on_the_bytes_alone() -> None:
    assert clips.etag(b"abc") == '"ba7816bf8f01cfea414140de5dae2223"'


def test_import_stays_light() -> None:
    """Serving footage needs neither the encoder nor the drawing library."""
    code = (
        "import sys, screentest.mock_server.media.clips;"
        " print({'av', 'PIL', 'numpy'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"

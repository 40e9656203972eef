"""Draw and encode the footage in `fixtures/media/`: a small film leader in every size we serve.

Run `python tools/make_media.py` (needs PyAV and Pillow, both for development only) after a change
here, look at the pictures, and commit the files with their `index.json`. Nothing at run time
imports this module, and it knows sizes, not the services that ask for them.

The picture is made to be cheap: flat shapes on a still ground, one hand that sweeps a disc once a
second, a bar and a frame counter. A person sees at once that it plays, where it stands and whether
it was scaled; an encoder has a hundred bytes to write per frame.
"""

# PyAV's and Pillow's own annotations leave type parameters open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.container import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "media"

# Everything together, so that the wheel stays small.
TOTAL_BYTES_MAX = 1_500_000

# width, height, frames per second, seconds
CLIPS = (
    *((width, height, 30, 4) for width, height in ((1280, 720), (1920, 1080), (3840, 2160))),
    *((width, height, 30, 4) for width, height in ((720, 1280), (1080, 1920), (2160, 3840))),
    *(
        (width, height, 24, seconds)
        for width, height in ((720, 1280), (1280, 720), (1024, 1792), (1792, 1024))
        for seconds in (4, 8, 12)
    ),
    *((1080, 1080, 24, seconds) for seconds in (4, 8, 10)),
    (1920, 1080, 24, 10),
    (1080, 1920, 24, 10),
    (1280, 720, 25, 8),
)

# kind, width, height, suffix
STILLS = (
    ("poster", 640, 360, "jpg"),
    ("poster", 360, 640, "jpg"),
    ("poster", 640, 640, "jpg"),
    ("preview", 640, 360, "webp"),
    ("preview", 360, 640, "webp"),
    ("spritesheet", 640, 360, "jpg"),
    ("spritesheet", 360, 640, "jpg"),
    ("page", 960, 540, "png"),
)

Colour = tuple[int, int, int]
NIGHT: Colour = (16, 34, 54)
SEA: Colour = (22, 70, 90)
TEAL: Colour = (38, 112, 120)
CREAM: Colour = (246, 236, 214)
ORANGE: Colour = (242, 143, 59)
# Flat patches of known colour let a person (or a test) see a wrong colour matrix or range.
SWATCHES: tuple[Colour, ...] = (
    (235, 235, 230),
    (240, 200, 8),
    (70, 190, 200),
    (94, 176, 88),
    (190, 80, 150),
    (208, 72, 72),
    (60, 90, 190),
)
POSTER_FRAME = 40  # inside the second second: the hand has gone most of its way

AUDIO_RATE_HZ = 48_000
AUDIO_FRAME_SAMPLES = 1_024
# Audio and video lie in the file in blocks of a second, so that its index stays small. A player
# asks for about this much at a time anyway.
CHUNK_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Card:
    """The leader at one size: what never changes, and the two faces the hand uncovers in turn."""

    width: int
    height: int
    fps: int
    still: Image.Image
    faces: tuple[Image.Image, Image.Image]

    @property
    def unit(self) -> float:
        """One 720th of the shorter side: every measure below is given in it."""
        return min(self.width, self.height) / 720

    @property
    def disc(self) -> tuple[int, int, int, int]:
        """Where the disc lies: left, top, right, bottom."""
        return _disc(self.width, self.height)


def main() -> int:
    """Write every file and the index; 1 if they are too big together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--into", type=Path, default=FOLDER, help="folder (default: %(default)s)")
    folder: Path = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    index = {
        "clips": [_write_clip(folder, *clip) for clip in CLIPS],
        "stills": [_write_still(folder, *still) for still in STILLS],
    }
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    total_bytes = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{len(CLIPS)} clips, {len(STILLS)} stills, {total_bytes:,} bytes in {folder}")
    if total_bytes > TOTAL_BYTES_MAX:
        print(f"too big: at most {TOTAL_BYTES_MAX:,} bytes are allowed", file=sys.stderr)
        return 1
    return 0


# --- files ---------------------------------------------------------------------------------------


def _write_clip(
    folder: Path, width: int, height: int, fps: int, seconds: int
) -> dict[str, str | int]:
    name = f"{width}x{height}-{fps}fps-{seconds}s.mp4"
    card = make_card(width, height, fps)
    encode(folder / name, card, seconds)
    size_bytes = (folder / name).stat().st_size
    print(f"{size_bytes:>9,}  {name}", flush=True)
    return {
        "name": name,
        "width": width,
        "height": height,
        "fps": fps,
        "duration_ms": seconds * 1_000,
        "size_bytes": size_bytes,
    }


def _write_still(
    folder: Path, kind: str, width: int, height: int, suffix: str
) -> dict[str, str | int]:
    name = f"{kind}-{width}x{height}.{suffix}"
    draw = {"spritesheet": draw_spritesheet, "page": draw_page}.get(kind, draw_poster)
    picture = draw(width, height)
    # A document's page has few colours and sharp letters, which is what a palette is for.
    options: dict[str, Any] = {
        "jpg": {"format": "JPEG", "quality": 74, "optimize": True},
        "webp": {"format": "WEBP", "quality": 80, "method": 6},
        "png": {"format": "PNG", "optimize": True},
    }[suffix]
    if suffix == "png":
        picture = picture.quantize(32)
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    (folder / name).write_bytes(buffer.getvalue())
    print(f"{buffer.tell():>9,}  {name}", flush=True)
    return {
        "name": name,
        "kind": kind,
        "width": width,
        "height": height,
        "size_bytes": buffer.tell(),
    }


# --- encoding ------------------------------------------------------------------------------------


def encode(path: Path, card: Card, seconds: int) -> None:
    """Write the leader as H.264 and silent AAC: index first, the same bytes at every run."""
    options = {
        "movflags": "+faststart",
        # Leaves out the library's version and every date.
        "fflags": "+bitexact",
        "chunk_duration": str(CHUNK_US),
    }
    with av.open(str(path), "w", format="mp4", options=options) as container:
        video = _video_stream(container, card, seconds)
        audio = _audio_stream(container)
        packets = [*_video_packets(video, card, seconds), *_audio_packets(audio, seconds)]
        for packet in sorted(packets, key=_start_s):
            container.mux_one(packet)


def _video_stream(container: OutputContainer, card: Card, seconds: int) -> VideoStream:
    stream = container.add_stream("libx264", rate=card.fps)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = card.width, card.height
    stream.pix_fmt = "yuv420p"
    stream.time_base = Fraction(1, card.fps)
    stream.codec_context.thread_count = 1
    stream.options = {
        "profile": "main",
        "preset": "veryslow",
        "crf": "32",
        # No B-frames: presentation order is coding order, so the file needs no edit list for its
        # picture, and every player agrees that it begins at 0 and lasts what it says.
        # The rest suits flat drawings: no bits for film grain, few for the large still areas.
        "x264-params": f"bframes=0:weightp=0:scenecut=0:keyint={card.fps * seconds}:min-keyint=1"
        ":threads=1:psy=0:aq-strength=2"
        ":colorprim=bt709:transfer=bt709:colormatrix=bt709:range=tv",
        "flags": "+bitexact",
    }
    return stream


def _audio_stream(container: OutputContainer) -> AudioStream:
    stream = container.add_stream("aac", rate=AUDIO_RATE_HZ, layout="mono")
    assert isinstance(stream, AudioStream)
    stream.bit_rate = 32_000
    stream.options = {"flags": "+bitexact"}
    return stream


def _video_packets(stream: VideoStream, card: Card, seconds: int) -> Iterator[Packet[Any]]:
    # The encoder's message with its own settings (600 bytes a file) is taken out.
    without_message = BitStreamFilterContext("filter_units=remove_types=6", stream)
    for number in range(card.fps * seconds):
        picture = draw_frame(card, number, seconds)
        frame = VideoFrame.from_bytes(
            picture.convert("RGBA").tobytes(), card.width, card.height
        ).reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
        frame.pts = number
        frame.time_base = stream.time_base
        for packet in stream.encode(frame):
            yield from without_message.filter(packet)
    for packet in stream.encode(None):
        yield from without_message.filter(packet)


def _audio_packets(stream: AudioStream, seconds: int) -> Iterator[Packet[Any]]:
    # One frame less than would fill the time: the picture alone decides how long the file lasts.
    frames = seconds * AUDIO_RATE_HZ // AUDIO_FRAME_SAMPLES - 1
    for number in range(frames):
        frame = AudioFrame(format="fltp", layout="mono", samples=AUDIO_FRAME_SAMPLES)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate = AUDIO_RATE_HZ
        frame.pts = number * AUDIO_FRAME_SAMPLES
        frame.time_base = Fraction(1, AUDIO_RATE_HZ)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _start_s(packet: Packet[Any]) -> float:
    assert packet.dts is not None
    assert packet.time_base is not None
    return float(packet.dts * packet.time_base)


# --- drawing -------------------------------------------------------------------------------------


def make_card(width: int, height: int, fps: int) -> Card:
    """The parts of the leader that every frame of this size shares."""
    still = _ground(width, height)
    unit = min(width, height) / 720
    pen = ImageDraw.Draw(still)
    _draw_corners(pen, width, height, unit)
    _draw_labels(pen, width, height, unit, fps)
    box = _disc(width, height)
    faces = (_face(still, box, unit, None), _face(still, box, unit, TEAL))
    still.paste(faces[0], box[:2])
    return Card(width, height, fps, still, faces)


def draw_frame(card: Card, number: int, seconds: int) -> Image.Image:
    """The leader at frame *number*, counted from 0, of a clip of *seconds*."""
    second, step = divmod(number, card.fps)
    picture = card.still.copy()
    left, top, right, _ = card.disc
    size = right - left
    # The hand uncovers the other face; after a full turn the two change places, so nothing jumps.
    shown, hidden = card.faces if second % 2 == 0 else card.faces[::-1]
    # The hand moves at every second frame, which saves a third of the file; the counter and the bar
    # move at every one, so that each frame differs from the one before.
    swept = _sector(size, step // 2 * 2 / card.fps)
    picture.paste(Image.composite(hidden, shown, swept), (left, top))
    pen = ImageDraw.Draw(picture)
    middle = (left + size / 2, top + size / 2)
    pen.text(middle, str(second + 1), CREAM, _font(230 * card.unit), anchor="mm")
    _draw_progress(pen, card, number, seconds)
    return picture


def draw_poster(width: int, height: int) -> Image.Image:
    """A moment of the leader, as a service would take it for a thumbnail."""
    return draw_frame(make_card(width, height, 30), POSTER_FRAME, 4)


def draw_spritesheet(width: int, height: int) -> Image.Image:
    """Sixteen moments of a four-second clip, in rows of four."""
    sheet = Image.new("RGB", (width, height))
    card = make_card(width, height, 24)
    for tile in range(16):
        moment = draw_frame(card, tile * 6 + 3, 4).resize((width // 4, height // 4))
        row, column = divmod(tile, 4)
        sheet.paste(moment, (column * width // 4, row * height // 4))
    return sheet


def draw_page(width: int, height: int) -> Image.Image:
    """A page of a business document: heading, lines of text, a chart."""
    page = Image.new("RGB", (width, height), (252, 251, 248))
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, 15, height), SEA)
    pen.text((64, 48), "Quarterly review", NIGHT, _font(44))
    pen.text((64, 108), "What changed, and what comes next", TEAL, _font(22))
    for line, length in enumerate((372, 390, 351, 384, 240, 380, 366, 392, 160)):
        top = 176 + line * 30 + (30 if line > 4 else 0)  # a blank line between two paragraphs
        pen.rounded_rectangle((64, top, 64 + length, top + 10), 5, (206, 210, 212))
    for column, value in enumerate((96, 132, 118, 171, 204, 246)):
        left = 540 + column * 60
        colour = ORANGE if column == 5 else TEAL
        pen.rounded_rectangle((left, 440 - value, left + 40, 440), 4, colour)
    pen.line((528, 441, 892, 441), NIGHT, 2)
    pen.text((884, 500), "1", NIGHT, _font(18))
    return page


def _disc(width: int, height: int) -> tuple[int, int, int, int]:
    radius = round(min(width, height) * 0.26)
    x, y = width // 2, round(height * 0.46)
    return x - radius, y - radius, x + radius, y + radius


def _ground(width: int, height: int) -> Image.Image:
    shade = Image.linear_gradient("L").resize((width, height))
    return Image.composite(
        Image.new("RGB", (width, height), SEA), Image.new("RGB", (width, height), NIGHT), shade
    )


def _sector(size: int, share: float) -> Image.Image:
    # Drawn twice as big and halved, because Pillow draws hard edges.
    mask = Image.new("L", (size * 2, size * 2))
    if share:
        box = (4, 4, size * 2 - 5, size * 2 - 5)
        ImageDraw.Draw(mask).pieslice(box, -90, -90 + 360 * share, 255)
    return mask.reduce(2)


def _face(
    still: Image.Image, box: tuple[int, int, int, int], unit: float, fill: Colour | None
) -> Image.Image:
    size = box[2] - box[0]
    face = still.crop(box).resize((size * 2, size * 2))
    pen = ImageDraw.Draw(face)
    if fill:
        pen.ellipse((4, 4, size * 2 - 5, size * 2 - 5), fill)
    pen.ellipse((2, 2, size * 2 - 3, size * 2 - 3), outline=CREAM, width=max(2, round(10 * unit)))
    return face.reduce(2)


def _draw_corners(pen: ImageDraw.ImageDraw, width: int, height: int, unit: float) -> None:
    near, length, thick = round(28 * unit), round(56 * unit), max(1, round(4 * unit))
    for x, along in ((near, 1), (width - 1 - near, -1)):
        for y, down in ((near, 1), (height - 1 - near, -1)):
            across = sorted((x, x + along * length)), sorted((y, y + down * thick))
            upright = sorted((x, x + along * thick)), sorted((y, y + down * length))
            for (left, right), (top, bottom) in (across, upright):
                pen.rectangle((left, top, right - 1, bottom - 1), CREAM)


def _draw_labels(pen: ImageDraw.ImageDraw, width: int, height: int, unit: float, fps: int) -> None:
    font = _font(26 * unit)
    near = 52 * unit
    pen.text((near, near), "SCREENTEST", CREAM, font)
    pen.text((width - near, near), f"{width} x {height}  ·  {fps} fps", CREAM, font, anchor="ra")
    side = round(30 * unit)
    left, top = width - round(near) - side * len(SWATCHES), height - round(100 * unit)
    for number, colour in enumerate(SWATCHES):
        x = left + number * side
        pen.rectangle((x, top, x + side - 1, top + round(26 * unit)), colour)


def _draw_progress(pen: ImageDraw.ImageDraw, card: Card, number: int, seconds: int) -> None:
    unit = card.unit
    near, bottom = 52 * unit, card.height - 52 * unit
    track = card.width - 2 * near
    done = track * (number + 1) / (card.fps * seconds)
    pen.rectangle((near, bottom - 8 * unit, near + track, bottom), NIGHT)
    pen.rectangle((near, bottom - 8 * unit, near + done, bottom), ORANGE)
    # One cell per digit, so that the counter does not dance.
    font, cell = _font(34 * unit), 21 * unit
    second, step = divmod(number, card.fps)
    for place, sign in enumerate(f"{second:02}:{step:02}"):
        x = near + cell * (place + 0.5)
        pen.text((x, card.height - 70 * unit), sign, CREAM, font, anchor="ms")


def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont), "Pillow was built without FreeType"
    return font


if __name__ == "__main__":
    sys.exit(main())

"""The encoder of the shipped footage: H.264 and silent AAC, the same bytes at every run."""

# PyAV's own annotations leave type parameters open.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator
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

from .drawing import Card, draw_frame

AUDIO_RATE_HZ = 48_000
AUDIO_FRAME_SAMPLES = 1_024
# Audio and video lie in the file in blocks of a second, so that its index stays small. A player
# asks for about this much at a time anyway.
CHUNK_US = 1_000_000


def encode(path: Path, card: Card, seconds: int) -> None:
    """Write the leader of *card* as an MP4 with its index first."""
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

"""The files of finished jobs: packaged videos and pictures, made unique by a stamp.

Nothing is encoded or fetched here. A stamp is a box at the end of the file, which players skip. Two
jobs therefore never have the same bytes, and a test can find the job of a download.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

from msgspec import Struct

CONTENT_TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "png": "image/png",
    "webp": "image/webp",
}

# Our own type of `uuid` box (ISO/IEC 14496-12, 4.2). It identifies existing downloads, so it must
# never change.
_STAMP_UUID = bytes.fromhex("6d7b0c52a1f94e0e9c3b5f0d7a41e863")
_BOX_HEADER_BYTES = 8
_LONG_BOX_HEADER_BYTES = 16


class StillKind(StrEnum):
    """What a picture shows. Each kind has one format."""

    POSTER = "poster"  # JPEG: a frame of the clip
    PREVIEW = "preview"  # WebP: the same
    SPRITESHEET = "spritesheet"  # JPEG: sixteen frames, four in a row
    PAGE = "page"  # PNG: a page of an uploaded document


STILL_TYPES = {
    StillKind.POSTER: "image/jpeg",
    StillKind.PREVIEW: "image/webp",
    StillKind.SPRITESHEET: "image/jpeg",
    StillKind.PAGE: "image/png",
}


class Clip(Struct, frozen=True):
    """A video file of the package. *size_bytes* is the size without a stamp."""

    name: str
    width: int
    height: int
    fps: int
    duration_ms: int
    size_bytes: int


class Still(Struct, frozen=True):
    """A picture of the package."""

    name: str
    kind: StillKind
    width: int
    height: int
    size_bytes: int


@cache
def clips() -> tuple[Clip, ...]:
    """All clips of the package."""
    return tuple(Clip(**entry) for entry in _index()["clips"])


@cache
def stills() -> tuple[Still, ...]:
    """All pictures of the package."""
    return tuple(
        Still(
            name=entry["name"],
            kind=StillKind(entry["kind"]),
            width=entry["width"],
            height=entry["height"],
            size_bytes=entry["size_bytes"],
        )
        for entry in _index()["stills"]
    )


@lru_cache(maxsize=256)
def choose_clip(
    width: int, height: int, *, fps: int | None = None, duration_ms: int | None = None
) -> Clip:
    """The clip of exactly this size (and rate) with the length nearest to *duration_ms*.

    Of two equally near lengths it is the shorter one, of two rates the lower one. Without a length
    it is the shortest clip.

    Raises:
        ValueError: no clip has this size, or none of this size has this rate.
    """
    sized = [clip for clip in clips() if (clip.width, clip.height) == (width, height)]
    if not sized:
        known = sorted({(clip.width, clip.height) for clip in clips()})
        sizes = ", ".join(f"{across}x{down}" for across, down in known)
        raise ValueError(f"no clip of {width}x{height} (there are: {sizes})")
    rated = [clip for clip in sized if fps in (None, clip.fps)]
    if not rated:
        rates = ", ".join(str(rate) for rate in sorted({clip.fps for clip in sized}))
        raise ValueError(f"no clip of {width}x{height} at {fps} fps (there are: {rates} fps)")
    wanted_ms = duration_ms or 0
    return min(
        rated, key=lambda clip: (abs(clip.duration_ms - wanted_ms), clip.duration_ms, clip.fps)
    )


def video_bytes(clip: Clip, *, stamp: Mapping[str, str]) -> bytes:
    """The clip followed by the stamp; the same stamp gives the same bytes."""
    return _file_bytes(clip.name) + _stamp_box(stamp)


def stamp_of(data: bytes) -> dict[str, str] | None:
    """The stamp of a file that `video_bytes` made; None for any other file."""
    for kind, start, end in _boxes(data):
        if kind == b"uuid" and data.startswith(_STAMP_UUID, start, end):
            return _read_stamp(data[start + len(_STAMP_UUID) : end])
    return None


def choose_still(kind: StillKind | str, width: int, height: int) -> Still:
    """The picture of this kind with the nearest shape, then the nearest size.

    Raises:
        ValueError: the kind is unknown, or a side is less than 1.
    """
    if kind not in set(StillKind):
        raise ValueError(f"no picture of kind {kind!r} (there are: {', '.join(sorted(StillKind))})")
    if width < 1 or height < 1:
        raise ValueError(f"no picture of {width}x{height}: both sides must be at least 1")
    fitting = [still for still in stills() if still.kind == kind]
    return min(
        fitting,
        key=lambda still: (
            abs(math.log(still.width * height / (still.height * width))),
            abs(still.width * still.height - width * height),
        ),
    )


def still(kind: StillKind | str, width: int, height: int) -> bytes:
    """The bytes of the picture that `choose_still` returns."""
    return _file_bytes(choose_still(kind, width, height).name)


def content_type(file: Clip | Still) -> str:
    """The media type to serve a file with."""
    return CONTENT_TYPES[file.name.rpartition(".")[2]]


def etag(data: bytes) -> str:
    """A strong entity tag, with its quotation marks, that depends on the bytes alone."""
    return f'"{hashlib.sha256(data).hexdigest()[:32]}"'


@cache
def _index() -> dict[str, list[dict[str, Any]]]:
    index: dict[str, list[dict[str, Any]]] = json.loads(_file_bytes("index.json"))
    return index


@cache
def _file_bytes(name: str) -> bytes:
    return (files("screentest") / "fixtures" / "media" / name).read_bytes()


def _stamp_box(stamp: Mapping[str, str]) -> bytes:
    # Sorted and compact: equal stamps give equal bytes, whatever the order of their fields.
    text = json.dumps(dict(stamp), sort_keys=True, separators=(",", ":")).encode("ascii")
    size_bytes = _BOX_HEADER_BYTES + len(_STAMP_UUID) + len(text)
    return size_bytes.to_bytes(4, "big") + b"uuid" + _STAMP_UUID + text


def _read_stamp(text: bytes) -> dict[str, str] | None:
    try:
        stamp = json.loads(text)
    except ValueError:
        return None
    return cast(dict[str, str], stamp) if isinstance(stamp, dict) else None  # only we write these


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """(type, start and end of the body) of the top-level boxes, up to the first malformed one."""
    start = 0
    while start + _BOX_HEADER_BYTES <= len(data):
        size_bytes = int.from_bytes(data[start : start + 4], "big")
        header_bytes = _BOX_HEADER_BYTES
        if size_bytes == 0:  # reaches to the end of the file
            size_bytes = len(data) - start
        elif size_bytes == 1:  # the true size follows in 64 bits
            size_bytes = int.from_bytes(data[start + 8 : start + 16], "big")
            header_bytes = _LONG_BOX_HEADER_BYTES
        end = start + size_bytes
        if size_bytes < header_bytes or end > len(data):
            return
        yield data[start + 4 : start + 8], start + header_bytes, end
        start = end

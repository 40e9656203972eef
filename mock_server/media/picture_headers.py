"""The size of a picture, read from the header of its file. Pixels are never decoded.

A file with the first bytes of a picture but without a complete header is not a picture, because no
program can open it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

Size = tuple[int, int]

#: Frame headers of JPEG: every SOF marker. DHT, JPG and DAC lie between them.
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
#: Markers without a length: TEM and the restart markers.
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
#: A header has some dozen segments; a file with more is not read to its end.
_JPEG_SEGMENTS_MAX = 1_000


def picture_size(path: Path) -> Size | None:
    """(width, height) of the JPEG, PNG, GIF or WebP at *path*; None without a complete header."""
    with path.open("rb") as file:
        magic = file.read(12)
        file.seek(0)
        for begins, read in _READERS:
            if magic.startswith(begins):
                size = read(file)
                return size if size is not None and min(size) > 0 else None
    return None


def _png(file: BinaryIO) -> Size | None:
    header = file.read(33)
    if len(header) < 33 or header[8:16] != b"\x00\x00\x00\x0dIHDR":
        return None
    if zlib.crc32(header[12:29]) != int.from_bytes(header[29:33]):
        return None
    return int.from_bytes(header[16:20]), int.from_bytes(header[20:24])


def _jpeg(file: BinaryIO) -> Size | None:
    file.seek(2)
    for _ in range(_JPEG_SEGMENTS_MAX):
        if file.read(1) != b"\xff":
            return None
        marker = b"\xff"
        while marker == b"\xff":
            marker = file.read(1)
        if not marker:
            return None
        if marker[0] in _JPEG_BARE:
            continue
        length = int.from_bytes(file.read(2))
        if marker[0] in _JPEG_FRAMES:
            frame = file.read(5)
            if len(frame) < 5:
                return None
            return int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3])
        if length < 2:
            return None
        file.seek(length - 2, 1)
    return None


def _gif(file: BinaryIO) -> Size | None:
    header = file.read(13)
    if len(header) < 13:
        return None
    return int.from_bytes(header[6:8], "little"), int.from_bytes(header[8:10], "little")


def _webp(file: BinaryIO) -> Size | None:
    header = file.read(30)
    if len(header) < 30 or header[8:12] != b"WEBP":
        return None
    match header[12:16]:
        case b"VP8X":
            width, height = header[24:27], header[27:30]
            return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
        case b"VP8L" if header[20] == 0x2F:
            bits = int.from_bytes(header[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 " if header[23:26] == b"\x9d\x01\x2a":
            width, height = header[26:28], header[28:30]
            low = 0x3FFF
            return int.from_bytes(width, "little") & low, int.from_bytes(height, "little") & low
        case _:
            return None


_READERS: tuple[tuple[bytes, Callable[[BinaryIO], Size | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8", _jpeg),
    (b"GIF8", _gif),
    (b"RIFF", _webp),
)

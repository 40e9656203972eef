"""The facts in the boxes of an MP4 file: size, length, and whether it is complete."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: A file with more boxes than this is not judged.
_BOXES_MAX = 4_000
_CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


@dataclass(frozen=True, slots=True)
class Footage:
    """The facts of a video file. *problem* says why it is not complete; None when it is."""

    width: int = 0
    height: int = 0
    length_ms: int = 0
    fps: float = 0.0
    problem: str | None = None


def read_footage(content: bytes) -> Footage:
    """The facts of the MP4 file *content*; with a problem if it is not one, or is cut."""
    width = height = length_ms = 0
    fps, handler, track_ms = 0.0, b"", 0
    names: list[bytes] = []
    try:
        for name, body in _boxes(content):
            names.append(name)
            if name == b"tkhd":
                found = struct.unpack(">II", body[-8:])
                if found[0] and found[1]:
                    width, height = found[0] >> 16, found[1] >> 16
            elif name == b"mvhd":
                length_ms = _length_ms(body)
            elif name == b"mdhd":
                track_ms = _length_ms(body)
            elif name == b"hdlr":
                handler = body[8:12]
            elif name == b"stts" and handler == b"vide" and track_ms:
                fps = _samples(body) * 1_000 / track_ms
    except (struct.error, ValueError) as error:
        return Footage(problem=str(error) or "a box is cut")
    for needed in (b"ftyp", b"moov", b"mdat"):
        if needed not in names:
            return Footage(problem=f"no {needed.decode()} box; this is not an MP4 file")
    return Footage(width, height, length_ms, fps)


def _samples(body: bytes) -> int:
    """How many samples a `stts` box counts."""
    (entries,) = struct.unpack(">I", body[4:8])
    counts = (struct.unpack(">II", body[8 + 8 * n : 16 + 8 * n])[0] for n in range(entries))
    return sum(counts)


def _length_ms(body: bytes) -> int:
    if body[0] == 1:
        scale, units = struct.unpack(">IQ", body[20:32])
    else:
        scale, units = struct.unpack(">II", body[12:20])
    return int(units * 1_000 // scale) if scale else 0


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Every box, outer ones before what they contain.

    Raises:
        ValueError: a box reaches beyond the end of the file.
    """
    waiting = [(0, len(content))]
    for _ in range(_BOXES_MAX):
        if not waiting:
            return
        start, end = waiting.pop()
        if end - start < 8:
            if end > start:
                raise ValueError(f"{end - start} bytes are left over")
            continue
        size, name = struct.unpack(">I4s", content[start : start + 8])
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", content[start + 8 : start + 16])
            head = 16
        if size == 0:
            size = end - start
        if size < head or start + size > end:
            raise ValueError(f"the {name!r} box says {size} bytes, {end - start} are there")
        body_at = start + head
        yield name, content[body_at : start + size]
        waiting.append((start + size, end))
        if name in _CONTAINERS:
            waiting.append((body_at, start + size))
    raise ValueError("more boxes than any video has")

"""The type of a file by its bytes: magic numbers, and the part names of Office archives.

Nothing is decompressed, so a hostile file costs no more than reading its directory.
"""

from __future__ import annotations

from os import SEEK_END
from pathlib import Path
from struct import Struct

#: Office files have dozens of parts; an archive with more names than this is not one.
_ARCHIVE_NAMES_MAX = 10_000
_ARCHIVE_DIRECTORY_MAX = 4 * 1024 * 1024
# The last record, followed only by a comment of at most 64 KiB.
_ARCHIVE_END = Struct("<10xHI6x")
_ARCHIVE_TAIL_MAX = _ARCHIVE_END.size + 0xFFFF
#: An entry of the directory; the lengths of its name, its extra field and its comment.
_ARCHIVE_ENTRY = Struct("<28xHHH12x")

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"ID3", "mp3"),
    (b"\xff\xfb", "mp3"),
    (b"\xff\xf3", "mp3"),
    (b"\xff\xf2", "mp3"),
)
_OFFICE_PARTS = {b"ppt": "pptx", b"word": "docx", b"xl": "xlsx"}


def file_type(head: bytes, path: Path) -> str | None:
    """`pdf png jpeg gif webp wav mp3 mp4 pptx docx xlsx zip`, or None. *head*: first bytes."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and len(head) >= 12:
        return {b"WEBP": "webp", b"WAVE": "wav"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "mp4"
    if head.startswith(b"PK\x03\x04"):
        return _archive_type(path)
    return None


def _archive_type(path: Path) -> str | None:
    """The kind of Office file, by the names in the central directory alone."""
    names = _archive_names(path)
    if names is None:
        return None
    if b"[Content_Types].xml" not in names:
        return "zip"
    parts = {name.partition(b"/")[0] for name in names if b"/" in name}
    return next((kind for part, kind in _OFFICE_PARTS.items() if part in parts), "zip")


def _archive_names(path: Path) -> list[bytes] | None:
    """The names of an archive's entries; empty if there are too many, None if it is not an archive.

    `zipfile` makes an object of every entry before it can count them: half a gigabyte for an upload
    of the largest size.
    """
    with path.open("rb") as file:
        size = file.seek(0, SEEK_END)
        file.seek(max(0, size - _ARCHIVE_TAIL_MAX))
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < _ARCHIVE_END.size:
            return None
        count, directory_bytes = _ARCHIVE_END.unpack_from(tail, at)
        begins = size - len(tail) + at - directory_bytes
        if count > _ARCHIVE_NAMES_MAX or directory_bytes > _ARCHIVE_DIRECTORY_MAX:
            return []
        if begins < 0:
            return None
        file.seek(begins)
        return _names_in(file.read(directory_bytes), count)


def _names_in(directory: bytes, count: int) -> list[bytes] | None:
    names: list[bytes] = []
    offset = 0
    for _ in range(count):
        if not directory.startswith(b"PK\x01\x02", offset):
            return None
        if len(directory) - offset < _ARCHIVE_ENTRY.size:
            return None
        lengths: tuple[int, int, int] = _ARCHIVE_ENTRY.unpack_from(directory, offset)
        begins = offset + _ARCHIVE_ENTRY.size
        names.append(directory[begins : begins + lengths[0]])
        offset = begins + sum(lengths)
    return names

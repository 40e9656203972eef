"""What a file is, by its bytes: magic numbers, and the part names of Office archives.

Nothing is inflated or parsed further, so a hostile file costs no more than reading its directory.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

#: Office files have dozens of parts; an archive with more names than this is not one.
_ARCHIVE_NAMES_MAX = 10_000

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
_OFFICE_PARTS = {"ppt/": "pptx", "word/": "docx", "xl/": "xlsx"}


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
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError):
        return None
    if len(names) > _ARCHIVE_NAMES_MAX or "[Content_Types].xml" not in names:
        return "zip"
    return next(
        (
            kind
            for part, kind in _OFFICE_PARTS.items()
            if any(name.startswith(part) for name in names)
        ),
        "zip",
    )

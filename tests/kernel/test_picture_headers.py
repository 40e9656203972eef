"""The size of a picture by its header, and files that only begin like a picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from screentest.mock_server.media.picture_headers import picture_size

_FORMATS = ["JPEG", "PNG", "GIF", "WEBP"]


def _picture(name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(buffer, name, **options)
    return buffer.getvalue()


def _size(folder: Path, content: bytes) -> tuple[int, int] | None:
    path = folder / "file"
    path.write_bytes(content)
    return picture_size(path)


@pytest.mark.parametrize("name", _FORMATS)
def test_size_is_that_of_the_picture(tmp_path: Path, name: str) -> None:
    assert _size(tmp_path, _picture(name)) == (300, 200)


@pytest.mark.parametrize(
    "options",
    [{"progressive": True}, {"exif": b"Exif\x00\x00" + bytes(60_000)}, {"comment": b"\xff" * 900}],
    ids=["progressive", "exif", "comment"],
)
def test_jpeg_is_read_past_its_other_segments(tmp_path: Path, options: dict[str, object]) -> None:
    assert _size(tmp_path, _picture("JPEG", **options)) == (300, 200)


@pytest.mark.parametrize("quality", [{"lossless": True}, {"exif": b"Exif\x00\x00" + bytes(20)}])
def test_webp_has_three_forms_of_header(tmp_path: Path, quality: dict[str, object]) -> None:
    assert _size(tmp_path, _picture("WEBP", **quality)) == (300, 200)


@pytest.mark.parametrize("name", _FORMATS)
@pytest.mark.parametrize("length", [1, 4, 7, 12])
def test_incomplete_picture_is_none(tmp_path: Path, name: str, length: int) -> None:
    assert _size(tmp_path, _picture(name)[:length]) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text",
        b"\xff\xd8\xff\xe0\x00\x10J",
        b"\xff\xd8\xff\xe0\x00\x00" + bytes(40),
        b"\xff\xd8" + b"\xff\xd0" * 5_000,
        b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x00\x00",
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"RIFF\x00\x00\x00\x00WEBPVP9 " + bytes(40),
        b"RIFF\x00\x00\x00\x00WAVE" + bytes(40),
    ],
)
def test_other_file_is_none(tmp_path: Path, content: bytes) -> None:
    assert _size(tmp_path, content) is None

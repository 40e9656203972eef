"""The smallest files of each type that pass a provider's check of their content."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping

from screentest.specs.json_types import Json

_BOUNDARY = "screentest-kit-boundary"
#: One white pixel; servers that open the file accept it.
_JPG = (
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAP////////////////////////////////////////////////////////////"
    "//////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAA//EABQQAQAAAAAAAAAAAAAA"
    "AAAAAAD/2gAIAQEAAD8AR//Z"
)


def sample(kind: str) -> bytes:
    """A file of *kind*: png, jpg, wav, mp3, pdf, or text for anything else."""
    make = _SAMPLES.get(kind)
    return make() if make is not None else b"plain text"


def _png() -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\xff\xff")
    chunks = [(b"IHDR", header), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _jpg() -> bytes:
    return base64.b64decode(_JPG)


def _wav() -> bytes:
    samples = b"\x00\x00" * 800
    shape = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8_000, 16_000, 2, 16)
    body = b"WAVE" + shape + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _mp3() -> bytes:
    return b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + b"\x00" * 413


def _pdf() -> bytes:
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )


_SAMPLES = {"png": _png, "jpg": _jpg, "wav": _wav, "mp3": _mp3, "pdf": _pdf}


def encode_form(form: Mapping[str, Json], boundary: str = _BOUNDARY) -> tuple[bytes, str]:
    """(body, content type) of a multipart form; a file is `{name, type, is}`.

    With `bytes` a file is filled up with zeros to that length.
    """
    parts: list[bytes] = []
    for name, value in form.items():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if isinstance(value, dict) and "is" in value:
            head += f'; filename="{value["name"]}"\r\nContent-Type: {value["type"]}'
            content = sample(value["is"])
            # A sparse file of zeros costs nothing to make.
            padding = bytes(max(0, value.get("bytes", 0) - len(content)))
        else:
            content = (value if isinstance(value, str) else json.dumps(value)).encode()
            padding = b""
        parts += [head.encode(), b"\r\n\r\n", content, padding, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"

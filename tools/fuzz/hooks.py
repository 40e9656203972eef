"""Realistic bytes for file parts: schemathesis would label pictures as documents otherwise."""

from __future__ import annotations

import io
import zipfile

import schemathesis
from hypothesis import strategies as st


def _office(part: str) -> bytes:
    """The smallest archive that names the parts of an Office document."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(part, "<document/>")
    return buffer.getvalue()


_OFFICE = "application/vnd.openxmlformats-officedocument"
FILES: dict[str, bytes] = {
    "application/pdf": b"%PDF-1.7\n%%EOF\n",
    f"{_OFFICE}.presentationml.presentation": _office("ppt/presentation.xml"),
    f"{_OFFICE}.wordprocessingml.document": _office("word/document.xml"),
}

for _media_type, _content in FILES.items():
    schemathesis.openapi.media_type(_media_type, st.just(_content))

"""Realistic file parts and texts: schemathesis would label pictures as documents otherwise."""

from __future__ import annotations

import io
import json
import wave
import zipfile
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.transport.serialization import Binary


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


def _wav() -> bytes:
    """A tenth of a second of silence."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(3_200))
    return buffer.getvalue()


_MEDIA = Path(__file__).resolve().parents[2] / "fixtures" / "media"
#: Not registered like the documents: around a registered type schemathesis 4.32 makes a boundary
#: case whose other required texts are empty, and takes it for valid.
PARTS: dict[str, bytes] = {
    "audio/wav": _wav(),
    "image/jpeg": (_MEDIA / "poster-640x640.jpg").read_bytes(),
}


@schemathesis.hook  # pyright: ignore[reportUnknownMemberType]  its own types are open
def before_call(_context: Any, case: Any, _kwargs: Any) -> None:
    """In a form that should pass, file parts hold what they say, and all parts have a name."""
    body: Any = case.body
    is_form = case.media_type == "multipart/form-data" and hasattr(body, "items")
    if not is_form or case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    # Written unescaped into the part's header, it would end or change the name there.
    for name in [it for it in body if "\\" in it]:
        del body[name]
    form = case.operation.definition.raw["requestBody"]["content"][case.media_type]
    for name, rules in form.get("encoding", {}).items():
        first = rules.get("contentType", "").partition(",")[0]
        # An example of a form in the contract has a text in the place of a file.
        if first in PARTS and isinstance(body.get(name), Binary | str):
            body[name] = Binary(PARTS[first])
    # Otherwise the form would be judged anew, and a file part never passes that.
    case._record_starting_state()


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-1_000_000, 1_000_000)
    | st.text("abcdefgh äöü", max_size=8)
)
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcdef", min_size=1, max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)

# JSON written as text inside a form field: any, or an object.
schemathesis.openapi.format("json-text", _VALUES.map(json.dumps))
_OBJECTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=5), _VALUES, max_size=3)
schemathesis.openapi.format("json-object", _OBJECTS.map(json.dumps))

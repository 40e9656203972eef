"""ZnapAI's requests beyond their schemas: metadata in forms, pictures to begin with, and ids.

Functions, because they look into files and into ids that a proxy has wrapped.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation, type_name

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Upload
from ...kernel.bodies import BodyError, read_json
from ...media.file_types import file_type

provider = Provider("znapai")

_PICTURES = {"png", "jpeg", "webp"}
_REFERENCE = "input_reference"
_PICTURE_IN_WORDS = "an image as URL or base64 data"
_REFERENCE_FIELDS = {"image_url", "file_id"}
_REFERENCE_PARTS = {f"{_REFERENCE}[{name}]" for name in _REFERENCE_FIELDS}


# What the measured proxy puts around the id of its upstream.
_WRAPPED_ID = re.compile("litellm:custom_llm_provider:azure;model_id:[^;]*;video_id:(.*)")


@provider.reads_id("video")
def read_id(ctx: Instant, id_: str) -> str:
    """The upstream's id inside the proxy's, if the reading has such ids (Z20)."""
    if ctx.reading("video_ids") == "plain" or not id_.startswith("video_"):
        return id_
    try:
        inside = b64decode(id_.removeprefix("video_"), validate=True).decode()
    except ValueError:
        return id_
    match = _WRAPPED_ID.fullmatch(inside)
    return match[1] if match is not None else id_


@provider.check("createVideo")
def check_create(call: Call) -> Sequence[Violation]:
    """Metadata that is an object (Z12), and a reference that is a picture (Z24)."""
    return [*_metadata_violations(call.body), *_reference_violations(call)]


def _metadata_violations(body: Mapping[str, Json]) -> list[Violation]:
    for name, value in body.items():
        if name.startswith("metadata") and isinstance(value, Upload):
            return [Violation("body", f"/{name}", "type", "string", "object", "string")]
    text = body.get("metadata")
    if not isinstance(text, str):
        return []
    try:
        value = read_json(text.encode())
    except BodyError:
        value = text
    if isinstance(value, dict):
        return []
    return [Violation("body", "/metadata", "type", "object", type_name(value), "object")]


def _reference_violations(call: Call) -> list[Violation]:
    reference = call.body.get(_REFERENCE)
    if reference is None and call.request.form is not None:
        named = _REFERENCE_PARTS & call.body.keys()
        reference = {name: call.body[name] for name in named} or None
    if reference is None:
        return []
    if isinstance(reference, Upload):
        is_picture = file_type(reference.head, reference.path) in _PICTURES
        actual = f"a file {reference.filename[:80]!r}"
    elif isinstance(reference, str):
        pattern = call.operation.bodies["application/json"].schema["properties"][_REFERENCE]
        is_picture = re.fullmatch(pattern["pattern"], reference) is not None
        actual = repr(reference[:80])
    else:
        names = reference.keys() & (_REFERENCE_FIELDS | _REFERENCE_PARTS)
        is_text = all(isinstance(it, str) for it in reference.values())
        is_picture = len(reference) == len(names) == 1 and is_text
        actual = "an object"
    if is_picture:
        return []
    return [Violation("body", f"/{_REFERENCE}", "pattern", _PICTURE_IN_WORDS, actual)]

"""Reading files of other programs: each problem is reported with its place."""

from __future__ import annotations

import base64
import json
import math
import re
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from functools import cached_property

import jsonschema_rs

from screentest.specs.json_types import Json

#: Deeper than anything that a contract describes, and far from what Python can follow.
_DEPTH_MAX = 64
_SHOWN_MAX = 200
#: Two surrogates together are one character; JSON can contain a single one.
_HALF = re.compile(r"[\ud800-\udfff]")


def read_json(text: str | bytes, *, depth_max: int = _DEPTH_MAX) -> Json:
    """The value of the JSON *text*.

    Raises:
        ValueError: it is not JSON, or a program could not process it: nested deeper than
            *depth_max*, a number without end, or half of a character.
    """
    try:
        value = json.loads(text, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError(f"nested deeper than {depth_max}") from None
    if not _may_be_odd(text, depth_max):
        return value
    level, depth = [value], 0
    while level:
        if depth == depth_max and any(isinstance(it, dict | list) for it in level):
            raise ValueError(f"nested deeper than {depth_max}")
        level = [inner for it in level for inner in _parts(it)]
        depth += 1
    return value


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a JSON number")
    return number


def _may_be_odd(text: str | bytes, depth_max: int) -> bool:
    """Whether *text* has enough brackets to nest too deep, or may hold a single surrogate."""
    if isinstance(text, bytes):
        return text.count(b"[") + text.count(b"{") > depth_max or b"\\u" in text
    return text.count("[") + text.count("{") > depth_max or "\\u" in text or not text.isascii()


def _parts(value: Json) -> Iterable[Json]:
    """The elements, keys and values of *value*."""
    if isinstance(value, dict):
        return (*value, *value.values())
    if isinstance(value, str) and not value.isascii() and _HALF.search(value):
        raise ValueError("a text holds half of a character")
    return value if isinstance(value, list) else ()


def read_base64(text: str, where: str) -> bytes:
    """The bytes that *text* encodes.

    Raises:
        ValueError: it is not base64; *where* says of what.
    """
    try:
        return base64.b64decode(text, validate=True)
    except Base64Error as error:
        raise ValueError(f"{where}: no base64: {error}") from None


class Form:
    """The form of a value, as a JSON Schema that is compiled on first use."""

    def __init__(self, schema: Mapping[str, Json]) -> None:
        self._schema = schema

    def check(self, value: Json, where: str) -> None:
        """Raises unless *value* has this form.

        Raises:
            ValueError: it does not; the message begins with *where*.
        """
        for error in self._validator.iter_errors(value):
            at = "/".join(str(step) for step in error.instance_path)
            raise ValueError(f"{where}: {f'at {at}: ' if at else ''}{error.message[:_SHOWN_MAX]}")

    @cached_property
    def _validator(self) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for(dict(self._schema))

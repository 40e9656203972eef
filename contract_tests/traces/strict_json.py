"""Reading files of other programs: each problem is reported with its place."""

from __future__ import annotations

import base64
import json
import math
import re
from binascii import Error as Base64Error
from collections.abc import Iterable
from typing import TypeVar

from msgspec import ValidationError, convert

from screentest.specs.json_types import Json

T = TypeVar("T")

#: Deeper than anything that a contract describes, and far from what Python can follow.
_DEPTH_MAX = 64
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


def read_as(form: type[T], value: Json, where: str) -> T:
    """*value*, which is decoded JSON, as a *form*.

    Raises:
        ValueError: it has another form; the message begins with *where*.
    """
    try:
        return convert(value, form)
    except ValidationError as error:
        detail, _, place = str(error).partition(" - at `$")
        at = f"at {place[1:-1].replace('.', '/')}: " if place else ""
        raise ValueError(f"{where}: {at}{detail[0].lower()}{detail[1:]}") from None

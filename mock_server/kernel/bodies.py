"""Strict JSON: a body that a provider's framework would refuse is refused here."""

from __future__ import annotations

import json

import orjson

from screentest.specs.json_text import repeated_key
from screentest.specs.json_types import Json

#: Deeper than any documented body, and far below Python's limit for the recursion in `_check`.
DEPTH_MAX = 64


class BodyError(ValueError):
    """The body does not match its content type; the message says why."""


def read_json(body: bytes) -> Json:
    """The value in *body*.

    Raises:
        BodyError: malformed, not UTF-8, NaN or infinite, nested deeper than 64, with a lone
            surrogate, a NUL character, or a repeated key.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # The parser's words name the line and column, which a client's author can use.
        raise BodyError(str(error)) from None
    _check(value, 0)
    # A repeated key needs two colons; without them the slower second parse is not needed.
    if body.count(b":") > 1:
        _check_keys(body)
    return value


def to_json(value: Json) -> bytes:
    """*value* as JSON in as many bytes as it has, for what is kept."""
    # orjson leaves 4 KB behind a short document, which is sixty times as long as many answers.
    return bytes(memoryview(orjson.dumps(value)))


def _check(value: Json, depth: int) -> None:
    if depth > DEPTH_MAX:
        raise BodyError(f"nested deeper than {DEPTH_MAX}")
    if isinstance(value, str):
        if "\x00" in value:
            raise BodyError("a string contains the character U+0000")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_keys(body: bytes) -> None:
    """Raises if an object has two equal keys, which orjson does not report."""

    def pairs(found: list[tuple[str, Json]]) -> dict[str, Json]:
        twice = repeated_key(found)
        if twice is not None:
            raise BodyError(f"the key {twice!r} is repeated in one object")
        return dict(found)

    json.loads(body, object_pairs_hook=pairs)

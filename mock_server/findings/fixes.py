"""What to send instead: the likely mistake behind a broken rule, by the contract's own fields.

A fix shows names and choices of the contract, and numbers. It never shows a text that the client
sent, which may be a secret in the wrong place.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence

import orjson

from screentest.specs.errors import nearest
from screentest.specs.json_types import Json
from screentest.specs.openapi.fields import Fields
from screentest.specs.openapi.validation import Violation

from .field_names import meant_field

#: The fields that a schema names around the field at a pointer.
Around = Callable[[str], Mapping[str, Fields]]

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_RATIO = re.compile(r"([0-9]{1,5})[x:]([0-9]{1,5})")
#: Shapes that some providers call by a word.
_WORDS = {"landscape": 16 / 9, "portrait": 9 / 16, "square": 1.0}
# 1920x1088 is still meant as 16:9, and 4:3 is not.
_SAME_SHAPE = 0.05
_ARTICLES = {
    "number": "a number",
    "integer": "an integer",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def fix_of(violation: Violation, around: Around) -> str:
    """What to do about *violation*; common slips have texts of their own."""
    field = violation.pointer.rpartition("/")[2]
    match violation.keyword:
        case "additionalProperties" | "unevaluatedProperties":
            return unknown_field_fix(field, around(violation.pointer))
        case "required":
            return f"send {field!r}" if field else "send a body"
        case "type":
            return _type_fix(violation, field)
        case "enum" | "const":
            return _choice_fix(violation)
        case _:
            return f"send {violation.expected}"


def unknown_field_fix(name: str, known: Mapping[str, Fields], value: Json = None) -> str:
    """What to do about the field *name* with *value*, where the schema has the *known* ones."""
    meant = meant_field(name, known)
    if meant is None:
        return f"leave {name!r} out"
    instead = _instead(value, known[meant])
    return f"did you mean {repr(meant) if instead is None else _pair(meant, instead)}?"


def _type_fix(violation: Violation, field: str) -> str:
    kind, _, text = violation.actual.partition(" ")
    text = text.strip("'")
    wanted = set(violation.expected.split(" or "))
    if wanted == {"string"} and kind in {"integer", "number"}:
        return f"send it as text: {_pair(field, text)}"
    if wanted & {"integer", "number"} and kind == "string" and _NUMBER.fullmatch(text):
        return f"send it as a number: {_pair(field, orjson.loads(text))}"
    if "boolean" in wanted and text in {"true", "false"}:
        return f"send it without quotation marks: {_pair(field, text == 'true')}"
    return "send " + " or ".join(_ARTICLES.get(it, it) for it in violation.expected.split(" or "))


def _choice_fix(violation: Violation) -> str:
    sent = violation.actual.strip("'")
    choices: Sequence[Json] = (
        violation.limit if isinstance(violation.limit, list) else [violation.limit]
    )
    texts = [it for it in choices if isinstance(it, str)]
    close = _of_shape(sent, texts) or next(iter(nearest(sent, texts)), None)
    if len(choices) == 1:
        return f"send {choices[0]!r}"
    if close is None:
        return f"send {violation.expected}"
    return f"did you mean {close!r}? ({violation.expected})"


def _instead(value: Json, meant: Fields) -> Json:
    """*value* converted for the field that was *meant*; None when that is not possible."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    text = str(value)
    if meant.choices:
        texts = [it for it in meant.choices if isinstance(it, str)]
        same = [it for it in meant.choices if str(it) == text]
        return same[0] if same else _of_shape(text, texts)
    if not _NUMBER.fullmatch(text):
        return None
    if meant.types == frozenset({"string"}):
        return text
    return orjson.loads(text) if meant.types & {"integer", "number"} else None


def _of_shape(sent: str, choices: Collection[str]) -> str | None:
    """The first of *choices* that has the shape of *sent*: 16:9, 1280x720 and landscape are one."""
    wanted = _ratio(sent)
    if wanted is None:
        return None
    for choice in choices:
        ratio = _ratio(choice)
        if ratio is not None and abs(math.log(ratio / wanted)) < _SAME_SHAPE:
            return choice
    return None


def _ratio(text: str) -> float | None:
    found = _RATIO.fullmatch(text)
    if found is None:
        return _WORDS.get(text)
    width, height = int(found[1]), int(found[2])
    return width / height if width and height else None


def _pair(name: str, value: Json) -> str:
    return f'"{name}": {orjson.dumps(value).decode()}'


def value_at(value: Json, pointer: str) -> Json:
    """The value at *pointer* of *value*; None if there is none."""
    for step in pointer.split("/")[1:]:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None
    return value

"""The functions and methods of expressions."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from ..json_types import Json
from .operators import ABSENT, Exact, is_number, number, plain, shown
from .tokens import ExpressionError


def _size(value: Json) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"{shown(value)} has no size")


def _integer(value: Json) -> int:
    # Many ids are numbers, and a fraction of one takes long to make.
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    try:
        return math.trunc(Fraction(value) if isinstance(value, str) else number(value))
    except ValueError:
        raise ExpressionError(f"{shown(value)} is not a number") from None


def _double(value: Json) -> float:
    # Text keeps the digits of a float, and `plain` would make 4.0 a 4.
    try:
        return float(value if isinstance(value, str) else number(value))
    except ValueError:
        raise ExpressionError(f"{shown(value)} is not a number") from None


def _string(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) or is_number(value):
        return str(plain(value))
    raise ExpressionError(f"{shown(value)} has no text")


def _json(text: Json) -> Json:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        raise ExpressionError(f"{shown(text)} is not JSON") from None


def _nested(fields: dict[str, Json], name: str) -> Json:
    """The field *name*: JSON text is read, and parts such as `name[a][b]` make an object."""
    value = fields.get(name)
    if isinstance(value, str):
        value = _json(value)
    parts = {it: found for it, found in fields.items() if it.startswith(f"{name}[")}
    if not parts:
        return value
    made: dict[str, Json] = dict(value or {})
    for it, found in parts.items():
        *path, last = re.findall(r"\[([^\[\]]*)\]", it)
        into = made
        for step in path:
            # An object replaces a plain value on the path.
            if not isinstance(into.get(step), dict):
                into[step] = {}
            into = into[step]
        into[last] = found
    return made


def _round(value: Json) -> int:
    """The nearest whole number; a half is rounded away from zero."""
    exact = Fraction(number(value))
    return int(math.copysign(math.floor(abs(exact) + Fraction(1, 2)), exact))


def _numbers(values: tuple[Json, ...]) -> Iterable[Exact]:
    many = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    return map(number, many)


def _least(*values: Json) -> Json:
    return min(_numbers(values))


def _most(*values: Json) -> Json:
    return max(_numbers(values))


def _slice(values: list[Json], start: int, end: int | None = None) -> list[Json]:
    return values[max(start, 0) : end]


def _substring(text: str, start: int, end: int | None = None) -> str:
    return text[max(start, 0) : end]


def _sentences(text: str) -> list[str]:
    """The sentences of *text*: each ends with a mark and white space."""
    return [it.strip() for it in re.split(r"(?<=[.!?])\s+", text) if it.strip()]


def _format(text: str, values: list[Json]) -> str:
    return text % tuple(map(plain, values))


def or_value(value: Json, other: Json) -> Json:
    return other if value is None or value is ABSENT else value


def sort_key(value: Json) -> Json:
    return value if isinstance(value, str) else number(value)


def _sum(values: list[Json]) -> Json:
    return sum(map(number, values))


#: By name: the function, and how many arguments it takes.
FUNCTIONS: Mapping[str, tuple[Callable[..., Json], range]] = {
    "size": (_size, range(1, 2)),
    "int": (_integer, range(1, 2)),
    "double": (_double, range(1, 2)),
    "string": (_string, range(1, 2)),
    "json": (_json, range(1, 2)),
    "merged": (lambda fields, others: {**fields, **others}, range(2, 3)),
    "without_null": (lambda it: {k: v for k, v in it.items() if v is not None}, range(1, 2)),
    "nested": (_nested, range(2, 3)),
    "floor": (lambda it: math.floor(number(it)), range(1, 2)),
    "ceil": (lambda it: math.ceil(number(it)), range(1, 2)),
    "round": (_round, range(1, 2)),
    "abs": (lambda it: abs(number(it)), range(1, 2)),
    "min": (_least, range(1, 9)),
    "max": (_most, range(1, 9)),
}
#: Functions with a namespace.
SPACED: Mapping[str, tuple[Callable[..., Json], range]] = {
    "base64.encode": (lambda it: b64encode(it.encode()).decode(), range(1, 2)),
    "lists.range": (lambda it: [*range(it)], range(1, 2)),
    "optional.none": (lambda: ABSENT, range(1)),
}
#: By name: the method, the type of its object, and how many arguments it takes.
METHODS: Mapping[str, tuple[Callable[..., Json], tuple[type, ...], range]] = {
    "contains": (lambda text, it: it in text, (str,), range(1, 2)),
    "startsWith": (str.startswith, (str,), range(1, 2)),
    "endsWith": (str.endswith, (str,), range(1, 2)),
    "matches": (lambda text, it: re.search(it, text) is not None, (str,), range(1, 2)),
    "substring": (_substring, (str,), range(1, 3)),
    "trim": (str.strip, (str,), range(1)),
    "lowerAscii": (str.lower, (str,), range(1)),
    "upperAscii": (str.upper, (str,), range(1)),
    "replace": (str.replace, (str,), range(2, 4)),
    "split": (str.split, (str,), range(3)),
    "sentences": (_sentences, (str,), range(1)),
    "format": (_format, (str,), range(1, 2)),
    "indexOf": (str.find, (str,), range(1, 2)),
    "join": (lambda many, by="": by.join(many), (list,), range(2)),
    "slice": (_slice, (list,), range(1, 3)),
    "first": (lambda many: many[0] if many else None, (list,), range(1)),
    "last": (lambda many: many[-1] if many else None, (list,), range(1)),
    "reverse": (lambda many: many[::-1], (list,), range(1)),
    "sort": (lambda many: sorted(many, key=sort_key), (list,), range(1)),
    "sum": (_sum, (list,), range(1)),
    "size": (_size, (str, list, dict), range(1)),
    "orValue": (or_value, (object,), range(1, 2)),
}


def python_name(name: str) -> str:
    """The name of a function in the Python that expressions become."""
    return f"fn_{name.replace('.', '_')}"


def call_method(name: str, value: Json, *arguments: Json) -> Json:
    """The result of a method.

    Raises:
        ExpressionError: *value* has no such method, or it does not take these *arguments*.
    """
    function, types, _ = METHODS[name]
    if not isinstance(value, types):
        raise ExpressionError(f"{shown(value)} has no method {name}()")
    try:
        return function(value, *arguments)
    except (TypeError, ValueError, re.error) as error:
        raise ExpressionError(f"{name}() of {shown(value)}: {error}") from None

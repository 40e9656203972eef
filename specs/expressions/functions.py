"""What the operators, functions and methods of an expression do with values.

Numbers are exact, as in a price list: 6.4 is 32/5, and a division of whole numbers is not cut off.
"""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Final

from ..json_types import Json
from .tokens import ExpressionError

#: A number as expressions count: never a float.
Exact = int | Fraction


class _Absent:
    """The value of `optional.none()`: a field with this value is left out."""


ABSENT: Final = _Absent()


# Values


def plain(value: Json) -> Json:
    """*value* as JSON: a whole number as an integer, another one as a float."""
    if type(value) is Fraction:
        return value.numerator if value.denominator == 1 else float(value)
    return value


@lru_cache(maxsize=1_024)
def exact(text: str) -> Exact:
    """The number that *text* is, such as `6.4`."""
    return Fraction(text)


def number(value: Json) -> Exact:
    """*value* as an exact number.

    Raises:
        ExpressionError: it is not a number.
    """
    if type(value) is int or type(value) is Fraction:
        return value
    if type(value) is float and math.isfinite(value):
        return exact(repr(value))
    raise ExpressionError(f"{_shown(value)} is not a number")


def truth(value: Json) -> bool:
    """*value*, which must be true or false."""
    if value is True or value is False:
        return value
    raise ExpressionError(f"{_shown(value)} is neither true nor false")


def text_of(value: Json) -> str:
    """*value* inside a text; null and an absent value are empty."""
    if type(value) is str:
        return value
    return "" if value is None or value is ABSENT else str(plain(value))


def member(value: Json, name: Json) -> Json:
    """The field *name* of a map, or the item at that index of a list; null if there is none."""
    try:
        if isinstance(value, dict | list) and not (type(name) is int and name < 0):
            return value[name]
        # A file in a form is a struct.
        return (
            getattr(value, str(name)) if name in getattr(value, "__struct_fields__", ()) else None
        )
    except (KeyError, IndexError, TypeError):
        return None


def has_member(value: Json, name: str) -> bool:
    """Whether a map has the field *name*."""
    return isinstance(value, dict) and name in value


def present(values: Mapping[str, Json]) -> dict[str, Json]:
    """*values* without the absent ones."""
    return {name: value for name, value in values.items() if value is not ABSENT}


def items(value: Json) -> Iterable[Json]:
    """What a macro goes through: the items of a list, or the keys of a map."""
    if isinstance(value, list | dict):
        return value
    raise ExpressionError(f"{_shown(value)} is neither a list nor a map")


# Operators


def add(left: Json, right: Json) -> Json:
    if type(left) is int and type(right) is int:
        return left + right
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    return number(left) + number(right)


def subtract(left: Json, right: Json) -> Json:
    return number(left) - number(right)


def multiply(left: Json, right: Json) -> Json:
    return number(left) * number(right)


def divide(left: Json, right: Json) -> Json:
    dividend, divisor = number(left), number(right)
    if not divisor:
        raise ExpressionError("division by zero")
    return Fraction(dividend, divisor)


def remainder(left: Json, right: Json) -> Json:
    """The rest of a division that is cut off towards zero, with the sign of *left*."""
    return number(left) - number(right) * math.trunc(divide(left, right))


def negative(value: Json) -> Json:
    return -number(value)


def equal(left: Json, right: Json) -> bool:
    """Whether two values are equal; true is not 1, and values of two types are not equal."""
    if type(left) is str or type(right) is str:
        return bool(left == right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        return _is_number(left) and _is_number(right) and number(left) == number(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[it], right[it]) for it in left)
    return bool(left == right)


def less(left: Json, right: Json) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    if isinstance(left, bool) and isinstance(right, bool):
        return left < right
    return number(left) < number(right)


def within(value: Json, many: Json) -> bool:
    """Whether *value* is an item of a list, or a key of a map."""
    if isinstance(many, dict):
        return isinstance(value, str) and value in many
    return any(equal(value, it) for it in items(many))


# Functions and methods


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def _size(value: Json) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"{_shown(value)} has no size")


def _integer(value: Json) -> int:
    try:
        return math.trunc(Fraction(value) if isinstance(value, str) else number(value))
    except ValueError:
        raise ExpressionError(f"{_shown(value)} is not a number") from None


def _double(value: Json) -> float:
    # Text keeps the digits of a float, and `plain` would make 4.0 a 4.
    try:
        return float(value if isinstance(value, str) else number(value))
    except ValueError:
        raise ExpressionError(f"{_shown(value)} is not a number") from None


def _string(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) or _is_number(value):
        return str(plain(value))
    raise ExpressionError(f"{_shown(value)} has no text")


def _json(text: Json) -> Json:
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        raise ExpressionError(f"{_shown(text)} is not JSON") from None


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
    return text % tuple(plain(it) for it in values)


def _or_value(value: Json, other: Json) -> Json:
    return other if value is None or value is ABSENT else value


def sort_key(value: Json) -> Json:
    return value if isinstance(value, str) else number(value)


def _sum(values: list[Json]) -> Json:
    return sum(map(number, values))


def _shown(value: Json) -> str:
    return repr(plain(value))[:60]


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
    "orValue": (_or_value, (object,), range(1, 2)),
}


def call_method(name: str, value: Json, *arguments: Json) -> Json:
    """The result of a method.

    Raises:
        ExpressionError: *value* has no such method, or it does not take these *arguments*.
    """
    function, types, _ = METHODS[name]
    if not isinstance(value, types):
        raise ExpressionError(f"{_shown(value)} has no method {name}()")
    try:
        return function(value, *arguments)
    except (TypeError, ValueError, re.error) as error:
        raise ExpressionError(f"{name}() of {_shown(value)}: {error}") from None

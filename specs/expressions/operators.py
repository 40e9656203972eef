"""The values of expressions, and what operators do with them.

Numbers are exact, as in a price list: 6.4 is 32/5, and a division of whole numbers is not cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
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
    raise ExpressionError(f"{shown(value)} is not a number")


def truth(value: Json) -> bool:
    """*value*, which must be true or false."""
    if value is True or value is False:
        return value
    raise ExpressionError(f"{shown(value)} is neither true nor false")


def text_of(value: Json) -> str:
    """*value* inside a text; null and an absent value are empty."""
    if type(value) is str:
        return value
    return "" if value is None or value is ABSENT else str(plain(value))


def member(value: Json, name: Json) -> Json:
    """The field *name* of a map, or the item at that index of a list; null if there is none."""
    try:
        if isinstance(value, dict):
            return value[name]
        if isinstance(value, list):
            return value[name] if name >= 0 else None
        # A file in a form is a struct.
        fields = getattr(value, "__struct_fields__", ())
        return getattr(value, str(name)) if name in fields else None
    except (KeyError, IndexError, TypeError):
        return None


def field(value: Json, name: str) -> Json:
    """The field *name* of a map; null if there is none."""
    try:
        # Nearly every value is a map, and a failed subscript of another one costs more than a test.
        return value[name]
    except (KeyError, TypeError):
        return member(value, name)


def look_up(place: str, value: Json) -> Json:
    """What *value* has at the dotted *place*; null if there is nothing."""
    for name in place.split("."):
        value = field(value, name)
    return value


def has_field(value: Json, name: str) -> bool:
    """Whether a map has the field *name*."""
    return isinstance(value, dict) and name in value


def present(values: dict[Json, Json], *names: Json) -> dict[Json, Json]:
    """*values* without those of *names* that are absent."""
    for name in names:
        if values.get(name) is ABSENT:
            del values[name]
    return values


def items(value: Json) -> Iterable[Json]:
    """What a macro goes through: the items of a list, or the keys of a map."""
    if isinstance(value, list | dict):
        return value
    raise ExpressionError(f"{shown(value)} is neither a list nor a map")


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


def floor_divide(left: Json, right: Json) -> int:
    if type(left) is int and type(right) is int and right:
        return left // right
    return math.floor(number(divide(left, right)))


def ceil_divide(left: Json, right: Json) -> int:
    return -floor_divide(negative(left), right)


def remainder(left: Json, right: Json) -> Json:
    """The rest of a division that is cut off towards zero."""
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
        return is_number(left) and is_number(right) and number(left) == number(right)
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


def is_number(value: Json) -> bool:
    return isinstance(value, int | float | Fraction) and not isinstance(value, bool)


def shown(value: Json) -> str:
    return repr(plain(value))[:60]

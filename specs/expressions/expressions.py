"""Expressions in CEL's syntax, compiled to Python functions.

An expression is made of literals, names, members (`a.b`, `a[0]`), operators, `c ? a : b`, lists,
maps, the functions and methods of `functions`, and the macros `has`, `all`, `exists`, `exists_one`,
`filter`, `map`, `sortBy` and `transformList`. It departs from CEL in four points, because its
values are JSON: there is one type of number, which is exact; a field that is missing is null;
`substring` and `slice` end at the end of the value; and `&&` and `||` stop at the first side that
decides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from msgspec import Struct

from ..errors import no_such
from ..json_types import Json
from . import functions, operators
from .python_text import plain_python
from .reader import Reader
from .tokens import ExpressionError

#: Longer than any rule needs; a bound so that a file cannot make the reader work for long.
_LENGTH_MAX = 2_000

_GLOBALS: Mapping[str, Json] = {
    **{name: it for name, it in vars(operators).items() if not name.startswith("_")},
    "call_method": functions.call_method,
    "or_value": functions.or_value,
    "sort_key": functions.sort_key,
    **{
        functions.python_name(name): function
        for table in (functions.FUNCTIONS, functions.SPACED)
        for name, (function, _) in table.items()
    },
}

Evaluate = Callable[[Mapping[str, Json]], Json]


class Expression(Struct, frozen=True):
    """An expression that has been read. *names* are the dotted facts that it needs."""

    text: str
    names: frozenset[str]
    python: str

    @property
    def roots(self) -> frozenset[str]:
        """The facts that it needs, without what it takes from inside them."""
        return frozenset(name.partition(".")[0] for name in self.names)

    def evaluate(self, facts: Mapping[str, Json]) -> Json:
        """Its value for *facts*, as JSON, or `ABSENT`.

        Raises:
            ExpressionError: a fact is missing, or has a type that the expression does not take.
        """
        try:
            return compiled(self.python)(facts)
        except UNEVALUATED as error:
            raise not_evaluated(self.text, facts, error) from None


@lru_cache(maxsize=4_096)
def read_expression(text: str) -> Expression:
    """Read *text*.

    Raises:
        ExpressionError: it cannot be read; the message has the column.
    """
    if len(text) > _LENGTH_MAX:
        raise ExpressionError(f"expression longer than {_LENGTH_MAX} characters: {text[:40]!r}…")
    reader = Reader(text)
    piece = reader.whole()
    return Expression(text, frozenset(reader.names), plain_python(piece.python))


# Compiled with the first use: most programs evaluate a few expressions of many.
@lru_cache(maxsize=4_096)
def compiled(python: str) -> Evaluate:
    """The function of `facts` that an expression or a template in Python is."""
    try:
        function: Evaluate = eval(
            compile(f"lambda facts: {python}", "<expression>", "eval"), dict(_GLOBALS)
        )
    except (SyntaxError, RecursionError, MemoryError):
        raise ExpressionError(f"too deeply nested: {python[:60]}…") from None
    return function


#: What a function may raise where a fact is missing, or has a type that it does not take.
UNEVALUATED = (KeyError, ExpressionError, TypeError, ValueError)


def not_evaluated(text: str, facts: Mapping[str, Json], error: Exception) -> ExpressionError:
    """The error for *text*, whose function raised *error* with these *facts*."""
    is_missing = isinstance(error, KeyError)
    problem = no_such("fact", str(error.args[0]), facts) if is_missing else error
    return ExpressionError(f"{text!r}: {problem}")


def unknown_names(names: Collection[str], known: Collection[str]) -> list[str]:
    """What of the dotted *names* is not among *known*; `input.*` permits whatever is in `input`."""
    return [
        name
        for name in sorted(names)
        if name not in known
        and not any(f"{_head(name, count)}.*" in known for count in range(1, name.count(".") + 2))
    ]


def _head(name: str, count: int) -> str:
    return ".".join(name.split(".")[:count])

"""Exact arithmetic for the price formulas of a behaviour file.

A formula is a line such as `floor(voiceover_scenes / 2)`. It may use whole numbers, names, the four
operations, and floor, ceil, min and max. It is not a scripting language: anything else is refused
when the contract is loaded.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from ..errors import ContractError

_FUNCTIONS: dict[str, Callable[..., Fraction]] = {
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "min": min,
    "max": max,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}
# Longer than any price list needs; a bound so that a file cannot make the parser work for long.
_LENGTH_MAX = 200


class Formula(Struct, frozen=True):
    """A checked formula. *names* are the facts it needs."""

    text: str
    names: frozenset[str]
    tree: ast.expr

    def amount(self, facts: Mapping[str, float | Fraction]) -> int:
        """The value in whole credits.

        Raises:
            ContractError: a fact is missing, or the result is negative or not a whole number.
        """
        named = tuple((name, facts[name]) for name in self.names if name in facts)
        value = _known_value(self, named)
        if value.denominator != 1 or value < 0:
            raise ContractError(f"price {self.text!r} gives {value}, not a whole number >= 0")
        return int(value)


# A price list has few lines, and each is used very often.
@lru_cache(maxsize=4_096)
def _known_value(formula: Formula, facts: tuple[tuple[str, float | Fraction], ...]) -> Fraction:
    return _value(formula.tree, dict(facts), formula.text)


def parse_formula(text: str | int) -> Formula:
    """Read *text*; a plain number is a formula too.

    Raises:
        ContractError: it is not made of numbers, names, + - * / and the four functions.
    """
    text = str(text)
    if len(text) > _LENGTH_MAX:
        raise ContractError(f"price formula longer than {_LENGTH_MAX} characters: {text[:40]!r}…")
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ContractError(f"price formula {text!r} cannot be read: {error}") from None
    return Formula(text, frozenset(_names(tree, text)), tree)


def _names(node: ast.expr, text: str) -> set[str]:
    match node:
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            return set()
        case ast.Name(id=name):
            return {name}
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _names(left, text) | _names(right, text)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return {found for argument in args for found in _names(argument, text)}
        case _:
            raise ContractError(
                f"price formula {text!r} uses {ast.unparse(node)!r}; allowed are numbers, names, "
                f"+ - * / and {', '.join(sorted(_FUNCTIONS))}"
            )


@lru_cache(maxsize=1_024)
def _exact(number: str) -> Fraction:
    return Fraction(number)


def _value(node: ast.expr, facts: Mapping[str, float | Fraction], text: str) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return _exact(str(number))
        case ast.Name(id=name):
            if name not in facts:
                raise ContractError(f"price {text!r} needs {name!r} (there are: {sorted(facts)})")
            fact = facts[name]
            return fact if isinstance(fact, Fraction) else _exact(str(fact + 0))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATIONS[type(op)](_value(left, facts, text), _value(right, facts, text))
        case ast.Call(func=ast.Name(id=name), args=args):
            return _FUNCTIONS[name](*(_value(argument, facts, text) for argument in args))
        case _:
            raise AssertionError(f"unchecked formula {text!r}")

"""Texts that match a regular expression of JSON Schema."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from random import Random
from typing import Any

# The parser of the standard library has no public name. Only its tree is used, never its matcher.
op: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

#: A repetition without an upper end is written this many times more than it must be.
_REPEATED_MORE = 3
_REPEATED_MAX = 200
_WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
_CATEGORIES: Mapping[Any, str] = {
    op.CATEGORY_DIGIT: "0123456789",
    op.CATEGORY_NOT_DIGIT: _WORD[:52],
    op.CATEGORY_WORD: _WORD + "_",
    op.CATEGORY_NOT_WORD: " -.,",
    op.CATEGORY_SPACE: " ",
    op.CATEGORY_NOT_SPACE: _WORD,
}
#: Classes by Unicode property, which Python does not know.
_PROPERTY = re.compile(r"\\p\{[^}]*\}")
_NAMED = re.compile(r"\(\?<(?![=!])")


#: Writes a part of a pattern: its detail, a source of numbers, and the texts of its groups.
_Writer = Callable[[Any, Random, dict[int, str]], str]


class UnmatchableError(ValueError):
    """No text is known that matches the pattern."""


def text_for(pattern: str, rng: Random) -> str:
    """A text that probably matches *pattern*; what surrounds a group is not considered.

    Raises:
        UnmatchableError: the pattern has something that Python cannot read.
    """
    return _written(_parsed(pattern), rng, {})


@lru_cache(256)
def _parsed(pattern: str) -> Any:
    text = _NAMED.sub("(?P<", _PROPERTY.sub("[A-Za-z]", pattern))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return parser.parse(text)
    except (re.error, OverflowError, RecursionError):
        raise UnmatchableError(f"no text is known that matches {pattern!r}") from None


def _written(tree: Any, rng: Random, groups: dict[int, str]) -> str:
    texts: list[str] = []
    for kind, detail in tree:
        write: _Writer = _WRITERS.get(kind, _nothing)
        texts.append(write(detail, rng, groups))
    return "".join(texts)


def _nothing(*_: Any) -> str:
    return ""


def _character(letters: str, rng: Random) -> str:
    return letters[rng.randrange(len(letters))] if letters else ""


def _one_of(members: Any, rng: Random, _: dict[int, str]) -> str:
    is_negated = members[0][0] is op.NEGATE
    found = "".join(_members(kind, detail) for kind, detail in members)
    if is_negated:
        found = "".join(it for it in _WORD + _PRINTABLE if it not in found)
    return _character(found, rng)


def _members(kind: Any, detail: Any) -> str:
    if kind is op.LITERAL:
        return chr(detail)
    if kind is op.RANGE:
        return "".join(map(chr, range(detail[0], min(detail[1], detail[0] + 200) + 1)))
    return _CATEGORIES.get(detail, "") if kind is op.CATEGORY else ""


def _repeated(detail: Any, rng: Random, groups: dict[int, str]) -> str:
    least, most, inner = detail
    times = min(rng.randint(least, min(int(most), least + _REPEATED_MORE)), _REPEATED_MAX)
    return "".join(_written(inner, rng, groups) for _ in range(times))


def _group(detail: Any, rng: Random, groups: dict[int, str]) -> str:
    number, *_, inner = detail
    text = _written(inner, rng, groups)
    if number is not None:
        groups[number] = text
    return text


_WRITERS: Mapping[Any, _Writer] = {
    op.LITERAL: lambda detail, _, __: chr(detail),
    op.NOT_LITERAL: lambda detail, rng, _: _character(_WORD.replace(chr(detail), ""), rng),
    op.ANY: lambda _, rng, __: _character(_WORD, rng),
    op.IN: _one_of,
    op.CATEGORY: lambda detail, rng, _: _character(_CATEGORIES.get(detail, ""), rng),
    op.MAX_REPEAT: _repeated,
    op.MIN_REPEAT: _repeated,
    op.POSSESSIVE_REPEAT: _repeated,
    op.SUBPATTERN: _group,
    op.ATOMIC_GROUP: _written,
    op.BRANCH: lambda detail, rng, groups: _written(rng.choice(detail[1]), rng, groups),
    op.GROUPREF: lambda detail, _, groups: groups.get(detail, ""),
}

"""Templates: JSON in which `$expression` is a value, and `{name}` is a part of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from ..errors import ContractError
from ..json_types import Json
from .expressions import evaluated, read_expression
from .tokens import ExpressionError

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


class Template(Struct, frozen=True, dict=True):
    """A template as it is written. It is read with its first use, or by `check`."""

    source: Json

    def fill(self, facts: Mapping[str, Json]) -> Json:
        """The JSON that it makes of *facts*, without the fields that are `optional.none()`.

        Raises:
            ExpressionError: it cannot be read, or evaluated with *facts*.
        """
        return evaluated(self._python, "the template", facts)

    @cached_property
    def names(self) -> frozenset[str]:
        """The dotted facts that it needs.

        Raises:
            ContractError: an expression in it cannot be read; it has every problem and its place.
        """
        names: set[str] = set()
        problems: list[str] = []
        for place, text in _texts(self.source, ""):
            try:
                names |= _names(text)
            except ExpressionError as error:
                problems.append(f"{place}: {error}" if place else str(error))
        if problems:
            raise ContractError(*problems)
        return frozenset(names)

    @cached_property
    def _python(self) -> str:
        return _python(self.source)


def fill(template: Json, facts: Mapping[str, Json]) -> Json:
    """As `Template.fill`, for a template that is used once."""
    return Template(template).fill(facts)


def _texts(source: Json, place: str) -> list[tuple[str, str]]:
    if isinstance(source, str):
        return [(place, source)]
    if isinstance(source, dict):
        parts = [(str(name), value) for name, value in source.items()]
    elif isinstance(source, list):
        parts = [(str(at), value) for at, value in enumerate(source)]
    else:
        return []
    return [found for name, value in parts for found in _texts(value, f"{place}/{name}".strip("/"))]


def _names(text: str) -> frozenset[str]:
    if text.startswith("$"):
        return read_expression(text[1:]).names
    return frozenset(match[1] for match in _PLACE.finditer(text))


def _python(source: Json) -> str:
    if isinstance(source, str):
        return read_expression(source[1:]).python if source.startswith("$") else _text(source)
    if isinstance(source, dict):
        fields = ", ".join(f"{name!r}: {_python(value)}" for name, value in source.items())
        return f"present({{{fields}}})"
    if isinstance(source, list):
        return f"[{', '.join(map(_python, source))}]"
    return repr(source)


def _text(source: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _PLACE.finditer(source):
        parts.append(repr(source[end : match.start()]))
        parts.append(f"text_of({read_expression(match[1]).python})")
        end = match.end()
    parts.append(repr(source[end:]))
    return " + ".join(it for it in parts if it != "''") or "''"

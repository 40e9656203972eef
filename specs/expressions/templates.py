"""Templates: JSON in which `$expression` is a value, and `{name}` is a part of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, lru_cache

from ..errors import ContractError
from ..json_types import Json
from .expressions import UNEVALUATED, Evaluate, compiled, not_evaluated, read_expression
from .operators import text_of
from .python_text import map_python
from .tokens import ExpressionError

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


class Template:
    """A template as it is written in a file. It is read when it is first used."""

    def __init__(self, source: Json) -> None:
        self.source = source

    def fill(self, facts: Mapping[str, Json]) -> Json:
        """The JSON that it makes of *facts*, without the fields that are `optional.none()`.

        Raises:
            ExpressionError: it cannot be read, or evaluated with *facts*.
        """
        try:
            return self._function(facts)
        except UNEVALUATED as error:
            raise not_evaluated("a template", facts, error) from None

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
    def _function(self) -> Evaluate:
        return compiled(_python(self.source))


class OpenFacts(dict[str, Json]):
    """Facts of which one that is missing is null."""

    def __missing__(self, name: str) -> Json:
        return None


def fill_text(text: str, facts: Mapping[str, Json]) -> str:
    """*text*, a template, with *facts*; a fact that is missing is empty."""
    return text_of(_read_text(text).fill(OpenFacts(facts)))


class View:
    """What is shown of a resource: a template, and more fields by its state under `when`."""

    def __init__(self, source: Json) -> None:
        shown = dict(source) if isinstance(source, dict) else source
        by_state: Mapping[str, Json] = shown.pop("when", {}) if isinstance(shown, dict) else {}
        self.always = Template(shown)
        self.changes = {state: Template(it) for state, it in by_state.items()}
        self.by_state = {state: Template({**shown, **it}) for state, it in by_state.items()}

    def fill(self, facts: Mapping[str, Json]) -> Json:
        """As `Template.fill`, with the fields of the present `state`."""
        if not self.by_state:
            return self.always.fill(facts)
        return self.by_state.get(facts["state"], self.always).fill(facts)


def read_template(type_: type, source: Json) -> Json:
    """A field of the type `Template` or `View` of a contract's struct: a hook for msgspec."""
    return source if isinstance(source, type_) else type_(source)


@lru_cache(maxsize=1_024)
def _read_text(text: str) -> Template:
    return Template(text)


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
        return map_python([(repr(name), _python(value)) for name, value in source.items()])
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

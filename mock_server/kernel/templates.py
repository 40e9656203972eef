"""Templates of a behaviour file: `$name` is a value, `{name}` is a part of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from screentest.specs.expressions.operators import field
from screentest.specs.json_types import Json

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


def fill(template: Json, facts: Mapping[str, Json]) -> Json:
    """*template* with each `$name` replaced by that fact, and each `{name}` by its text.

    Dots name a fact inside a fact: `$input.prompt`. An unknown fact is null, or empty in a text.
    """
    if isinstance(template, str):
        # A whole fact keeps its type; inside a text it becomes text.
        if template.startswith("$"):
            return look_up(template[1:], facts)
        return fill_text(template, facts)
    if isinstance(template, Mapping):
        return {name: fill(value, facts) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, facts) for value in template]
    return template


def fill_text(template: str, facts: Mapping[str, Json]) -> str:
    """*template* with each `{name}` replaced by that fact; nothing else is interpreted."""
    return _PLACE.sub(lambda place: _text(look_up(place[1], facts)), template)


def look_up(name: str, facts: Mapping[str, Json]) -> Json:
    """The fact with the dotted *name*; None if it is missing."""
    value: Json = facts
    for step in name.split("."):
        value = field(value, step)
    return value


def _text(value: Json) -> str:
    # The word None in a text would look like a value of the provider's.
    return "" if value is None else str(value)

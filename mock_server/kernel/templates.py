"""Filling in the templates of a behaviour file: `$name` is a value, `{name}` a part of a text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from screentest.specs.json_types import Json

_PLACE = re.compile(r"\{([a-z_][a-z0-9_.]*)\}")


def fill(template: Json, facts: Mapping[str, Json]) -> Json:
    """*template* with every `$name` replaced by that fact and every `{name}` by its text.

    A fact inside a fact is reached by dots: `$input.prompt`. An unknown one becomes null, or an
    empty text inside a text.
    """
    if isinstance(template, str):
        if template.startswith("$"):
            return look_up(template[1:], facts)
        return fill_text(template, facts)
    if isinstance(template, Mapping):
        return {name: fill(value, facts) for name, value in template.items()}
    if isinstance(template, list):
        return [fill(value, facts) for value in template]
    return template


def fill_text(template: str, facts: Mapping[str, Json]) -> str:
    """The text of *template* with its `{name}` places filled in; nothing else is interpreted."""
    return _PLACE.sub(lambda place: _text(look_up(place[1], facts)), template)


def look_up(name: str, facts: Mapping[str, Json]) -> Json:
    """The fact called *name*; dots go into mappings, and a missing one is None."""
    value: Json = facts
    for step in name.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = value[step]
    return value


def _text(value: Json) -> str:
    return "" if value is None else str(value)

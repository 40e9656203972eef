"""`screentest config`: every setting with where it comes from."""

from __future__ import annotations

from collections.abc import Iterable

from screentest.specs.json_types import Json

from ..groups import group
from ..output import json_option, show, table
from ..settings import all_settings


@group("config", first="show")
def command() -> None:
    """Show every setting with where it comes from."""


@command.command("show")
@json_option
def show_settings(*, as_json: bool) -> None:
    """Name, value and source: a variable, a pyproject.toml, or the default.

    A flag is stronger than all of them.
    """
    show(all_settings(), _rows, as_json=as_json)


def _rows(settings: list[Json]) -> Iterable[str]:
    return table(
        [("SETTING", "VALUE", "SOURCE")]
        + [(it["name"], _value(it["value"]), it["source"]) for it in settings]
    )


def _value(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(value) or "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "(none)" if value is None else str(value)

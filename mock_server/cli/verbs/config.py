"""`screentest config`: each setting with its value and source."""

from __future__ import annotations

from collections.abc import Iterable

from screentest.specs.json_types import Json

from ..groups import group
from ..output import json_option, show, table, tell
from ..settings import all_settings


@group("config", first="show")
def command() -> None:
    """Show each setting with its value and source."""


@command.command("show")
@json_option
def show_settings(*, as_json: bool) -> None:
    """Print each setting with its value and its source.

    A setting has its value from the first of these sources: option, variable SCREENTEST_..., the
    nearest pyproject.toml, default.
    """
    show(all_settings(), _rows, as_json=as_json)
    if not as_json:
        tell("first source that has a value: option, variable, pyproject.toml, default")


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

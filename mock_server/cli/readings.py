"""`--reading provider.name=value`: the reading of an interpretation that a verb uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click


def _parsed(
    context: click.Context, parameter: click.Parameter, given: Sequence[str]
) -> Mapping[str, str]:
    readings: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            detail = f"expected provider.name=value, got {text!r}"
            raise click.BadParameter(detail, context, parameter)
        readings[name] = value
    return readings


def reading_option(function: Any) -> Any:
    """`--reading`, repeatable; the verb gets the mapping *readings* from `provider.name` to value.

    The kit refuses names and values that the contract does not have.
    """
    return click.option(
        "--reading",
        "readings",
        metavar="PROVIDER.NAME=VALUE",
        multiple=True,
        callback=_parsed,
        help="Judge by another reading of an interpretation (docs/interpretations.md). Repeatable.",
    )(function)

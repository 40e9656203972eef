"""The options about contracts: which ones a verb knows, by which readings and profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .files import input_file
from .output import tell_warning

if TYPE_CHECKING:
    from screentest.specs.contracts.contract import Contract
    from screentest.specs.contracts.registry import Contracts


def _found(
    context: click.Context, parameter: click.Parameter, given: tuple[Path, ...]
) -> Contracts:
    # Imported when a verb runs, so that `--help` costs nothing.
    from screentest.specs.contracts.registry import find_contracts

    return find_contracts(given)


def contract_option(function: Any) -> Any:
    """`--contract`, repeatable; the verb gets *contracts*: those, and all that are found without.

    Raises:
        ContractError: one of them is invalid, or two have one name.
    """
    return click.option(
        "--contract",
        "contracts",
        metavar="FOLDER|FILE",
        type=click.Path(path_type=Path),
        multiple=True,
        callback=_found,
        help="A further contract: a folder, or an OpenAPI file alone. Repeatable; others are found "
        "by SCREENTEST_CONTRACTS, in pyproject.toml, and in installed packs.",
    )(function)


def profile_option(function: Any) -> Any:
    """`--profile`, repeatable; the verb gets *profiles*, the files."""
    return click.option(
        "--profile",
        "profiles",
        type=input_file(),
        multiple=True,
        help="Behave as a real server was seen to: its readings, durations and further fields. "
        "`screentest verify --report profile:FILE` writes the file. One for each provider.",
    )(function)


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


def warn_of_retirements(contracts: Iterable[Contract]) -> None:
    """Print a warning for all that has retired today, or will within 30 days."""
    from screentest.specs.behaviour.retirement import near_retirements

    today = datetime.now(UTC).date()
    for contract in contracts:
        for text in near_retirements(contract.behaviour.retires, today):
            tell_warning(f"{contract.provider}: {text}")

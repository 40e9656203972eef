"""`--contract FOLDER|FILE`: further contracts, and every contract that a verb knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
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

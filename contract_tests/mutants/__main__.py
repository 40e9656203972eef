"""`python -m screentest.contract_tests.mutants`: whether the kit finds planted defects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from screentest.specs.contracts.registry import shipped_contracts
from screentest.specs.errors import no_such

from ..runs.fuzz import FuzzUnavailableError
from ..runs.supplies import Supply
from .report import tally_json, tally_lines
from .run import all_mutants, run_mutants, run_one

PROVIDER = click.Choice(shipped_contracts().names)


@contextmanager
def _usage_errors() -> Generator[None]:
    """A missing library or a wrong argument ends in exit code 2 with one line."""
    try:
        yield
    except (FuzzUnavailableError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def _supply_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that take the control API away from the mock."""
    helps = {
        Supply.ALL: "No control API: two accounts, an empty one, a revoked key and a budget.",
        Supply.ONE_KEY: "No control API: one key and a budget.",
        Supply.SMOKE: "No control API: one key, and what one paid job shows.",
    }
    for supply, text in helps.items():
        command = click.option(f"--{supply.value}", "supply", flag_value=supply.value, help=text)(
            command
        )
    return command


@click.group()
def main() -> None:
    """Planted defects, and whether the contract kit finds them."""


@main.command("run")
@click.argument("providers", nargs=-1, type=PROVIDER)
@click.option("--only", default="", help="Mutants whose id begins with this: OZ-CRD, GEN.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@_supply_options
@click.option("--output", type=click.Path(path_type=Path), help="A file for one JSON line each.")
def run_all(
    providers: Sequence[str],
    *,
    only: str,
    seed: int,
    workers: int,
    supply: str | None,
    output: Path | None,
) -> None:
    """Run every mutant. Exit code 1 for a false alarm, or, with the control API, a survivor."""
    server = Supply(supply or Supply.CONTROLS)
    with _usage_errors():
        chosen = providers or shipped_contracts().names
        tally = run_mutants(chosen, only=only, supply=server, seed=seed, workers=workers)
        if not tally.fates:
            raise click.UsageError(f"no mutant has an id that begins with {only!r}")
    for line in tally_lines(tally):
        click.echo(line)
    if output is not None:
        output.write_text(tally_json(tally), encoding="utf-8")
    survived = [it for it in tally.fates if not it.is_killed and not it.mutant.excuse]
    is_wrong = tally.false_alarms or (survived and server is Supply.CONTROLS)
    sys.exit(1 if is_wrong else 0)


@main.command("list")
@click.argument("provider", type=PROVIDER)
def list_all(provider: str) -> None:
    """List every mutant of a provider, one a line."""
    for mutant in all_mutants(provider):
        click.echo(f"{mutant.id:<12} {mutant.family}  {mutant.summary} ({mutant.breaks})")


@main.command()
@click.argument("provider", type=PROVIDER)
@click.argument("mutant_id")
@_supply_options
def explain(provider: str, mutant_id: str, supply: str | None) -> None:
    """Run one mutant and show how it was found."""
    mutants = {it.id: it for it in all_mutants(provider)}
    if mutant_id not in mutants:
        raise click.UsageError(no_such("mutant", mutant_id, mutants))
    mutant = mutants[mutant_id]
    with _usage_errors():
        fate = run_one(provider, mutant, Supply(supply or Supply.CONTROLS))
    click.echo(f"{mutant.id}: {mutant.summary}")
    click.echo(f"breaks {mutant.breaks}; {mutant.seam}: {dict(mutant.change)}")
    if fate.is_killed:
        found = f"found by {fate.tier} after {fate.requests} requests"
        click.echo(f"{found}: {fate.rule}: {fate.summary}")
    else:
        click.echo(f"not found{': ' + mutant.excuse if mutant.excuse else ''}")


if __name__ == "__main__":
    main(prog_name="python -m screentest.contract_tests.mutants")

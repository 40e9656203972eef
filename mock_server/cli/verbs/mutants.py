"""`screentest mutants`: defects of providers, and whether the kit finds them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ..files import OutputFile
from ..kit_errors import kit_verb
from ..output import as_far_as_read, fail
from ..settings import SEEDS


@click.group("mutants")
def command() -> None:
    """Defects of providers, and whether the kit finds them."""


@command.command("run")
@click.argument("providers", nargs=-1)
@click.option("--only", default="", help="Mutants whose id begins so: OZ-CRD, GEN.")
@click.option("--seed", type=SEEDS, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--output", type=OutputFile(), help="One JSON object for each mutant.")
@kit_verb
def run_all(
    *, providers: Sequence[str], only: str, seed: int, workers: int, output: Path | None
) -> None:
    """Run every mutant; exit code 1 when one survives that nobody argued away."""
    from screentest.contract_tests.mutants.report import tally_json, tally_lines
    from screentest.contract_tests.mutants.run import run_mutants
    from screentest.specs.contract import provider_names

    tally = run_mutants(providers or provider_names(), only=only, seed=seed, workers=workers)
    if not tally.fates:
        fail(f"no mutant has an id that begins with {only!r}")
    with as_far_as_read():
        for line in tally_lines(tally):
            click.echo(line)
    if output is not None:
        output.write_text(tally_json(tally), encoding="utf-8")
    survived = [it for it in tally.fates if not it.is_killed and not it.mutant.excuse]
    sys.exit(1 if survived or tally.false_alarms else 0)


@command.command("list")
@click.argument("provider")
@kit_verb
def list_all(*, provider: str) -> None:
    """Every mutant of a provider, one a line."""
    from screentest.contract_tests.mutants.run import all_mutants

    for mutant in all_mutants(provider):
        click.echo(f"{mutant.id:<12} {mutant.family}  {mutant.summary} ({mutant.breaks})")


@command.command("explain")
@click.argument("provider")
@click.argument("mutant_id")
@kit_verb
def explain(*, provider: str, mutant_id: str) -> None:
    """Run one mutant and tell how it was found."""
    from screentest.contract_tests.mutants.run import all_mutants, run_one

    mutant = next((it for it in all_mutants(provider) if it.id == mutant_id), None)
    if mutant is None:
        fail(f"no mutant {mutant_id!r}; `screentest mutants list {provider}` has them")
    fate = run_one(provider, mutant)
    click.echo(f"{mutant.id}: {mutant.summary}")
    click.echo(f"breaks {mutant.breaks}; {mutant.seam}: {dict(mutant.change)}")
    if fate.is_killed:
        click.echo(
            f"found by {fate.tier} after {fate.requests} requests: {fate.rule}: {fate.summary}"
        )
    else:
        click.echo(f"not found{': ' + mutant.excuse if mutant.excuse else ''}")

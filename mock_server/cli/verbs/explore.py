"""`screentest explore -- COMMAND`: what a program does when the provider breaks at each place."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...http.wall_clock import wall_ms
from ...kernel.clock import rfc3339
from ...kernel.errors import MockError
from ..client import NoMockError, RefusedError
from ..contracts import contract_option
from ..exit_codes import Exit
from ..files import input_file, report_file, write_whole
from ..float_range import Factor
from ..output import as_far_as_read, fail, tell
from ..running.processes import own_mock
from ..settings import setting_option

_TIMEOUT_S_MAX = 86_400.0


@click.command("explore", context_settings={"allow_interspersed_args": False})
@setting_option("provider", help="Serve only this provider. Repeatable.")
@contract_option
@setting_option("seed")
@setting_option("pace", metavar="documented|fast|instant|FACTOR")
@click.option("--only", multiple=True, metavar="PLACE:BREAK", help="Try this cell alone.")
@click.option("--pairs", is_flag=True, help="Try two breaks in a row, too.")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=300,
    show_default=True,
    help="Most runs of the program.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=os.cpu_count() or 1,
    show_default="the number of processors",
    help="Runs at the same time.",
)
@click.option(
    "--timeout",
    type=Factor(min=0.1, max=_TIMEOUT_S_MAX),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest real time of a run.",
)
@click.option(
    "--report",
    "reports",
    type=report_file("html", "junit", "json"),
    multiple=True,
    help="html:F, junit:F, json:F.",
)
@click.option(
    "--baseline",
    type=input_file(),
    help="A report json:F of an earlier run: what is broken there is known.",
)
@click.argument("command_line", metavar="-- COMMAND [ARGS]...", nargs=-1, required=True)
def command(
    *,
    command_line: tuple[str, ...],
    only: tuple[str, ...],
    pairs: bool,
    runs: int,
    jobs: int,
    timeout: float,
    reports: Sequence[tuple[str, Path]],
    baseline: Path | None,
    **given: Any,
) -> None:
    """Run COMMAND for each of its requests and each way in which that can break.

    The undisturbed run comes first. Each further run has a world of its own with the same seed.
    Sleeps of programs in Python and Node.js move the clock of their world. Exit code 1 if a run
    pays twice, does not end, or hides a failure.
    """
    # Imported when the verb runs, so that `--help` costs nothing.
    from ...explore.exploration import Wishes, explore
    from ...explore.files import known_cells, write_report
    from ...explore.text import text_report
    from ..running.program import Program

    try:
        known = known_cells(baseline) if baseline is not None else {}
    except MockError as error:
        fail(str(error), code=Exit.INVALID)
    wishes = Wishes(only, pairs, runs, known)
    contracts = given["contracts"]
    options = [f"--provider={name}" for name in given["provider"]]
    options += [f"--contract={it}" for it in contracts.places_from("--contract")]
    now = rfc3339(wall_ms())
    world = {"seed": given["seed"], "pace": given["pace"], "clock": {"mode": "auto", "now": now}}
    with tempfile.TemporaryDirectory(prefix="screentest-") as folder:
        ready, report = Path(folder, "ready.json"), Path(folder, "report.json")
        with own_mock(ready, report, options) as mock:
            url = mock["env"]["SCREENTEST_URL"]
            program = Program(command_line, url, Path(folder), world, timeout, jobs)
            try:
                found = explore(program, {it.provider: it for it in contracts}, wishes, tell)
            except NoMockError as error:
                fail(str(error), code=Exit.UNREACHABLE)
            except RefusedError as refused:
                raise MockError(refused.detail) from None
            finally:
                program.stop()
    with as_far_as_read():
        for line in text_report(found):
            click.echo(line)
    for kind, path in reports:
        write_whole(path, write_report(kind, found))
    sys.exit(Exit.FOUND if found.bad else Exit.OK)

"""`screentest verify` and `plan`: the contract kit on the command line.

The kit is imported when a verb runs, so that `--help` costs nothing.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from ..contracts import contract_option, reading_option
from ..exit_codes import Exit
from ..files import output_file, report_file
from ..float_range import Factor
from ..kit_errors import kit_verb
from ..output import as_far_as_read, fail
from ..settings import SEEDS

#: Without a terminal, the least time between two lines of progress for our own mock.
_PROGRESS_S = 5.0
_REPORTS = ("html", "junit", "ndjson", "profile")
_Option = Callable[[Any], Any]


def target_options(function: Callable[..., None]) -> Callable[..., None]:
    """The argument and the options that choose the server, and what requests to it may do."""
    return _with(
        function,
        click.argument("provider"),
        click.option("--url", help="Base address of the server. Default: our own mock."),
        click.option("--api-key", envvar="SCREENTEST_API_KEY", default="", help="A key for it."),
        click.option(
            "--second-api-key",
            envvar="SCREENTEST_SECOND_API_KEY",
            default="",
            help="A key of another account. Without it, ownership is not judged.",
        ),
        click.option(
            "--bearer",
            envvar="SCREENTEST_BEARER",
            default="",
            help="The token of a signed-in session, for operations that need one.",
        ),
        click.option(
            "--budget",
            type=click.IntRange(min=0),
            help="Most credits to spend. Default with --live: the highest cost of the plan.",
        ),
        click.option(
            "--read-only", "is_read_only", is_flag=True, help="Send no request with an effect."
        ),
        click.option(
            "--live", "is_live", is_flag=True, help="Allow an address that is not this machine."
        ),
        click.option(
            "--time-scale",
            type=Factor(min=0.001),
            default=1.0,
            help="How many times faster the server's clock runs.",
        ),
        click.option("--seed", type=SEEDS, default=1, show_default=True, help="Of our own mock."),
        reading_option,
        contract_option,
    )


def _callback_options() -> Sequence[_Option]:
    """Where webhooks of a server arrive that is not our own mock."""
    return (
        click.option(
            "--callback",
            metavar="URL",
            default="",
            help="A public address that is forwarded to --callback-listen, for webhooks. `plan` "
            "prints what to enter at the provider.",
        ),
        click.option(
            "--callback-listen",
            metavar="HOST:PORT",
            default="",
            help="Where to receive webhooks. Default with --callback: 127.0.0.1:8933.",
        ),
        click.option(
            "--callback-secret",
            envvar="SCREENTEST_CALLBACK_SECRET",
            default="",
            help="The signing secret that the provider shows for the callback.",
        ),
    )


def _means_options() -> Sequence[_Option]:
    """What shows or does things that the API of a provider does not."""
    return (
        click.option(
            "--balance-command",
            default="",
            metavar="COMMAND",
            help="Prints the credits of the account whose key is in SCREENTEST_API_KEY.",
        ),
        click.option(
            "--failing-prompt",
            default="",
            metavar="TEXT",
            help="A prompt that makes a job of this server fail.",
        ),
        click.option(
            "--refused-prompt",
            default="",
            metavar="TEXT",
            help="A prompt that this server refuses for its content.",
        ),
    )


def judging_options(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say how to verify a server, beside `target_options`."""
    return _with(
        function,
        click.option(
            "--empty-api-key",
            envvar="SCREENTEST_EMPTY_API_KEY",
            default="",
            help="A key of an account without credits, or with a few, which are spent.",
        ),
        click.option(
            "--revoked-api-key",
            envvar="SCREENTEST_REVOKED_API_KEY",
            default="",
            help="A key that was revoked, for the rules about revoked keys.",
        ),
        *_callback_options(),
        *_means_options(),
        click.option(
            "--tier",
            type=click.Choice(("smoke", "full")),
            default="full",
            show_default=True,
            help="How much to verify; smoke pays for one job.",
        ),
        click.option(
            "--patience",
            type=click.IntRange(min=1),
            default=600,
            show_default=True,
            help="Longest wait for one event, in seconds of the server's clock.",
        ),
        click.option(
            "--journal",
            type=output_file(),
            help="Write open paid jobs to this file; the next run continues with them. Default "
            "with --live: a file in the user's state folder.",
        ),
        click.option(
            "--resume",
            type=output_file(),
            help="The file of a run that is continued with the same command: checks that take "
            "hours wait in it, and nothing is asked or paid twice.",
        ),
        click.option(
            "--fuzz",
            type=click.IntRange(0, 1000),
            default=0,
            help="Generated requests for each operation and mode (needs the extra `contract`).",
        ),
        click.option("--only", default="", help="Run only scenarios whose name contains this."),
    )


def _with(function: Callable[..., None], *options: _Option) -> Callable[..., None]:
    for option in reversed(options):
        function = option(function)
    return function


def options_of(given: dict[str, Any], reports: Sequence[tuple[str, Path]] = ()) -> Any:
    """The values of `target_options` and `judging_options`, as the kit takes them."""
    from screentest.contract_tests.runs.options import VerifyOptions

    _check_keys(given)
    if given["url"] is None and any(kind == "profile" for kind, _ in reports):
        raise click.UsageError("a profile is of a server: add --url")
    if "patience" in given:
        given["patience_ms"] = given.pop("patience") * 1_000
    return VerifyOptions(state_folder=_state_folder(), reports=tuple(reports), **given)


def _check_keys(given: dict[str, Any]) -> None:
    """Raises unless every account has a key of its own."""
    names = ("api_key", "second_api_key", "empty_api_key", "revoked_api_key")
    options = {name: f"--{name.replace('_', '-')}" for name in names}
    seen: dict[Any, str] = {}
    for name in names:
        key = given.get(name)
        if key and key in seen:
            raise click.UsageError(f"{options[name]} has the same value as {options[seen[key]]}")
        seen[key] = name


def _state_folder() -> Path:
    """The folder of files that outlive a run, by the XDG Base Directory Specification."""
    named = os.environ.get("XDG_STATE_HOME", "")
    # The specification says that a relative path is to be ignored.
    above = Path(named) if Path(named).is_absolute() else Path.home() / ".local" / "state"
    return above / "screentest" / "open-jobs"


@click.command("verify")
@target_options
@judging_options
@click.option(
    "--report",
    "reports",
    type=report_file(*_REPORTS),
    multiple=True,
    help="html:F, junit:F, ndjson:F, profile:F. A profile is what `serve --profile` follows.",
)
@click.option(
    "--fail-under",
    type=Factor(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="Exit with 1 if a smaller share of the clauses that bind the server was judged.",
)
@click.option("--quiet", is_flag=True, help="Print no progress.")
@kit_verb
def command(
    *, reports: Sequence[tuple[str, Path]], fail_under: float, quiet: bool, **given: Any
) -> None:
    """Check a server against a provider's contract: our own mock, or the server at --url.

    Exit code 1 if a rule is broken, a reading that --reading fixed is not followed, or fewer
    clauses were judged than --fail-under asks for; else 5 if the budget ended the run early.
    """
    from screentest.contract_tests.report.text import text_report
    from screentest.contract_tests.runs.command import run_verify

    progress = _progress_for(is_quiet=quiet, is_remote=given["url"] is not None)
    options = options_of(given, reports)
    result = run_verify(options, progress)
    secrets = options.secrets
    with as_far_as_read():
        for line in text_report(result, result.target if given["url"] else "$BASE_URL"):
            click.echo(secrets.cut(line))
    if isinstance(result.ended_by, KeyboardInterrupt):
        sys.exit(Exit.INTERRUPTED)
    if result.ended_by is not None:
        raise result.ended_by
    if result.is_broken:
        sys.exit(Exit.FOUND)
    if result.judged_percent < fail_under:
        detail = f"{result.judged_percent:.1f} % of the clauses were judged, --fail-under asks for"
        fail(f"{detail} {fail_under:g} %", code=Exit.FOUND)
    if result.is_out_of_budget:
        fail("the budget ended the run before everything was judged", code=Exit.BUDGET)


def _progress_for(*, is_quiet: bool, is_remote: bool) -> Callable[[Any, Any], None]:
    if is_quiet:
        return _no_progress
    return _progress if sys.stderr.isatty() else _Lines(0.0 if is_remote else _PROGRESS_S)


def _no_progress(scenario: Any, ran: Any) -> None:
    """Show nothing."""


class _Lines:
    """Progress without a terminal: a line when a scenario begins, at most one in *every_s*."""

    def __init__(self, every_s: float) -> None:
        self.every_s = every_s
        self.due_s = time.monotonic() + every_s
        self.begun = 0

    def __call__(self, scenario: Any, ran: Any) -> None:
        self.begun += ran is None
        if ran is None and time.monotonic() >= self.due_s:
            self.due_s = time.monotonic() + self.every_s
            click.echo(f"{self.begun}  {scenario.name}: {scenario.summary}"[:110], err=True)


def _progress(scenario: Any, ran: Any) -> None:
    if ran is None:
        click.echo(f"\r\033[K{scenario.name}: {scenario.summary}"[:110], nl=False, err=True)
    else:
        click.echo("\r\033[K", nl=False, err=True)


@click.command("plan")
@target_options
@judging_options
@kit_verb
def plan(**given: Any) -> None:
    """Show what a verification would do and cost, without sending a request."""
    from screentest.contract_tests.runs.command import plan_lines

    for line in plan_lines(options_of(given)):
        click.echo(line)

"""`screentest verify` and its sisters: the contract kit on the command line.

The kit is imported when a verb runs, so that `--help` costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from .factors import Factor
from .files import InputFile, OutputFile
from .output import as_far_as_read, fail
from .settings import SEEDS

_NO_SCENARIO = "no scenario of tier {tier} has {only!r} in its name"
_REPORTS = ("html", "junit", "ndjson")


# Later versions of click make this class generic; the oldest that we take does not.
class _Report(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # pyright: ignore[reportMissingTypeArgument]
    """`html:report.html`."""

    name = "KIND:FILE"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Path]:
        kind, colon, path = value.partition(":")
        if kind not in _REPORTS or not colon or not path:
            told = f"expected one of {', '.join(_REPORTS)}, a colon and a file, got {value!r}"
            self.fail(told, param, ctx)
        return kind, OutputFile().convert(path, param, ctx)


def _target_options(function: Callable[..., None]) -> Callable[..., None]:
    options: Sequence[Callable[[Any], Any]] = (
        click.argument("provider"),
        click.option("--url", help="Base address of the server; our own mock when left out."),
        click.option("--api-key", envvar="SCREENTEST_API_KEY", default="", help="A key for it."),
        click.option(
            "--second-api-key",
            envvar="SCREENTEST_SECOND_API_KEY",
            default="",
            help="A key of another account; without it ownership is not judged.",
        ),
        click.option(
            "--bearer",
            envvar="SCREENTEST_BEARER",
            default="",
            help="A signed-in session, where some calls need one.",
        ),
        click.option(
            "--tier",
            type=click.Choice(("smoke", "full")),
            default="full",
            show_default=True,
            help="How much is looked at; smoke pays for one job.",
        ),
        click.option("--budget", type=click.IntRange(min=0), help="Credits that may be spent."),
        click.option("--read-only", is_flag=True, help="Send nothing that changes anything."),
        click.option("--live", is_flag=True, help="Allow an address that is not this machine."),
        click.option(
            "--time-scale",
            type=Factor(min=0.001),
            default=1.0,
            help="How many times faster than ours the server's clock runs.",
        ),
        click.option(
            "--patience",
            type=click.IntRange(min=1),
            default=600,
            show_default=True,
            help="Longest wait for one thing, in seconds of the server.",
        ),
        click.option("--seed", type=SEEDS, default=1, show_default=True, help="For our own mock."),
        click.option(
            "--journal",
            type=OutputFile(),
            help="Where open paid jobs are kept, so that the next run goes on with them.",
        ),
        click.option(
            "--fuzz",
            type=click.IntRange(0, 1000),
            default=0,
            help="Made-up requests for each operation and mode (needs the extra `contract`).",
        ),
        click.option("--only", default="", help="Scenarios whose name has this in it."),
    )
    for option in reversed(options):
        function = option(function)
    return function


def _options(given: dict[str, Any], reports: Sequence[tuple[str, Path]] = ()) -> Any:
    from screentest.contract_tests.command import Options

    url = given["url"]
    return Options(
        provider=given["provider"],
        url=url,
        api_key=given["api_key"],
        second_api_key=given["second_api_key"],
        bearer=given["bearer"],
        tier=given["tier"],
        budget=given["budget"],
        is_read_only=given["read_only"],
        is_live=given["live"],
        time_scale=given["time_scale"],
        patience_ms=given["patience"] * 1_000,
        seed=given["seed"],
        only=given["only"],
        fuzz=given["fuzz"],
        journal=given["journal"],
        reports=tuple(reports),
    )


@click.command("verify")
@_target_options
@click.option(
    "--report", "reports", type=_Report(), multiple=True, help="html:F, junit:F, ndjson:F."
)
@click.option("--quiet", is_flag=True, help="No progress.")
def command(*, reports: Sequence[tuple[str, Path]], quiet: bool, **given: Any) -> None:
    """Hold a server to a provider's contract: our own mock, or the one at --url.

    Exit codes: 0 kept, 1 broken, 2 usage, 3 the budget ended it, 4 unreachable; of the other verbs,
    3 is unreachable and 4 an invalid file.
    """
    from screentest.contract_tests.command import KeyRefusedError, run_verify
    from screentest.contract_tests.fuzz import FuzzUnavailableError
    from screentest.contract_tests.live import NotAllowedError, UnreachableError
    from screentest.contract_tests.open_jobs import JournalError
    from screentest.contract_tests.report.text import text_report
    from screentest.contract_tests.trace import without_keys
    from screentest.specs.errors import ContractError

    progress = _no_progress if quiet or not sys.stderr.isatty() else _progress
    try:
        result = run_verify(_options(given, reports), progress)
    except (
        NotAllowedError, ContractError, FuzzUnavailableError, JournalError, KeyRefusedError
    ) as error:  # fmt: skip
        fail(2, str(error))
    except UnreachableError as error:
        fail(4, str(error), "is the server running, and is the address right?")
    if given["only"] and not result.ran and not result.skipped:
        fail(2, _NO_SCENARIO.format(**given), f"see `screentest plan {given['provider']}`")
    with as_far_as_read():
        for line in text_report(result, given["url"] or "$BASE_URL"):
            click.echo(without_keys(line, result.contract.provider))
    if result.is_broken:
        sys.exit(1)
    if result.is_out_of_budget:
        click.echo("the budget ended it before everything was judged", err=True)
        sys.exit(3)


def _no_progress(scenario: Any, ran: Any) -> None:
    """For pipes and build servers."""


def _progress(scenario: Any, ran: Any) -> None:
    if ran is None:
        click.echo(f"\r\033[K{scenario.name}: {scenario.told}"[:110], nl=False, err=True)
    else:
        click.echo("\r\033[K", nl=False, err=True)


@click.command("plan")
@_target_options
def plan(**given: Any) -> None:
    """Show what a verification would do and cost, without a request."""
    from screentest.contract_tests.command import plan_lines
    from screentest.specs.errors import ContractError

    try:
        for line in plan_lines(_options(given)):
            click.echo(line)
    except ContractError as error:
        fail(2, str(error))


def _reading(function: Callable[..., None]) -> Callable[..., None]:
    """Turn a mistake in what is read, and an extra that is not there, into one line."""
    from functools import wraps

    @wraps(function)
    def guarded(**given: Any) -> None:
        from screentest.contract_tests.fuzz import FuzzUnavailableError
        from screentest.specs.errors import ContractError

        try:
            function(**given)
        except UnicodeDecodeError:
            fail(2, "the file is no recording: it is not UTF-8")
        except (ContractError, FuzzUnavailableError, ValueError) as error:
            fail(2, str(error))

    return guarded


@click.command("check-har")
@click.argument("provider")
@click.argument("file", type=InputFile())
@_reading
def check_har(*, provider: str, file: Path) -> None:
    """Judge recorded traffic: a HAR file, or a trace that `record` wrote.

    Exit codes: 0 nothing found, 1 broken, 2 usage.
    """
    from screentest.contract_tests.recorded import (
        judge_recording,
        read_recording,
        recording_lines,
    )
    from screentest.contract_tests.trace import without_keys

    trace = read_recording(file, provider)
    judge = judge_recording(trace)
    with as_far_as_read():
        for line in recording_lines(trace, judge):
            click.echo(without_keys(line, provider))
    sys.exit(1 if judge.findings else 0)


@click.command("replay")
@_target_options
@click.argument("file", type=InputFile())
@click.option("--output", type=OutputFile(), help="Where the new trace goes.")
@_reading
def replay(*, file: Path, output: Path | None, **given: Any) -> None:
    """Send recorded requests again, to our mock or to --url, and tell what differs.

    Exit codes: 0 the same, 1 different, 2 usage, 4 unreachable.
    """
    from screentest.contract_tests.command import open_target
    from screentest.contract_tests.live import NotAllowedError, UnreachableError
    from screentest.contract_tests.recorded import differences, read_recording, send_again
    from screentest.contract_tests.trace import write_trace
    from screentest.specs.contract import load_contract

    trace = read_recording(file, given["provider"])
    try:
        target = open_target(_options(given))
        again = send_again(trace, target, load_contract(given["provider"]))
    except NotAllowedError as error:
        fail(2, str(error))
    except UnreachableError as error:
        fail(4, str(error))
    if output is not None:
        write_trace(again, output)
    found = list(differences(trace, again))
    with as_far_as_read():
        for line in found:
            click.echo(line)
        click.echo(f"{len(again.exchanges)} requests sent, {len(found)} differences")
    sys.exit(1 if found else 0)


@click.command("diff")
@click.argument("provider")
@click.argument("one", type=InputFile())
@click.argument("other", type=InputFile())
@_reading
def diff(*, provider: str, one: Path, other: Path) -> None:
    """Compare two recordings of the same requests: statuses and fields.

    Exit codes: 0 alike, 1 different, 2 usage.
    """
    from screentest.contract_tests.recorded import differences, read_recording

    found = list(differences(read_recording(one, provider), read_recording(other, provider)))
    with as_far_as_read():
        for line in found:
            click.echo(line)
    sys.exit(1 if found else 0)


@click.command("record")
@click.argument("provider")
@click.option("--url", required=True, help="The server that is recorded.")
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True)
@click.option("--output", type=OutputFile(), required=True, help="The trace.")
@click.option("--budget", type=click.IntRange(min=0), help="Credits that may be spent.")
@click.option("--read-only", is_flag=True, help="Let nothing pass that changes anything.")
@click.option("--live", is_flag=True, help="Allow an address that is not this machine.")
@_reading
def record(
    *, provider: str, url: str, port: int, output: Path, budget: int | None, read_only: bool,
    live: bool,
) -> None:  # fmt: skip
    """Stand between your program and a provider, keep what they say, and flag what drifts."""
    from werkzeug.serving import make_server

    from screentest.contract_tests.guard import Budget
    from screentest.contract_tests.judge import Broken
    from screentest.contract_tests.live import NotAllowedError, check_address
    from screentest.contract_tests.proxy import Recorder
    from screentest.contract_tests.report.text import broken_lines
    from screentest.specs.contract import load_contract

    def tell(finding: Any) -> None:
        for line in broken_lines(Broken(finding.rule, 1, (finding,))):
            click.echo(line, err=True)

    try:
        check_address(url, is_live=live)
    except NotAllowedError as error:
        fail(2, str(error))
    recorder = Recorder(load_contract(provider), url, output, Budget(budget), read_only, tell)
    server = make_server("127.0.0.1", port, recorder, threaded=True)
    click.echo(f"http://127.0.0.1:{server.server_port} -> {url}, into {output}; Ctrl+C ends it")
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        click.echo(f"{len(recorder.trace.exchanges)} exchanges recorded", err=True)


@click.group("mutants")
def mutants() -> None:
    """Defects of providers, and whether the kit finds them."""


@mutants.command("run")
@click.argument("providers", nargs=-1)
@click.option("--only", default="", help="Mutants whose id begins so: OZ-CRD, GEN.")
@click.option("--seed", type=SEEDS, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--output", type=OutputFile(), help="One JSON object for each mutant.")
@_reading
def run_all(
    *, providers: Sequence[str], only: str, seed: int, workers: int, output: Path | None
) -> None:
    """Run every mutant; exit code 1 when one survives that nobody argued away."""
    from screentest.contract_tests.mutants.run import run_mutants
    from screentest.contract_tests.mutants.tell import tally_json, tally_lines
    from screentest.specs.contract import provider_names

    tally = run_mutants(providers or provider_names(), only=only, seed=seed, workers=workers)
    if not tally.fates:
        raise ValueError(f"no mutant has an id that begins with {only!r}")
    with as_far_as_read():
        for line in tally_lines(tally):
            click.echo(line)
    if output is not None:
        output.write_text(tally_json(tally), encoding="utf-8")
    survived = [it for it in tally.fates if not it.is_killed and not it.mutant.excuse]
    sys.exit(1 if survived or tally.false_alarms else 0)


@mutants.command("list")
@click.argument("provider")
@_reading
def list_all(*, provider: str) -> None:
    """Every mutant of a provider, one a line."""
    from screentest.contract_tests.mutants.run import all_mutants

    for mutant in all_mutants(provider):
        click.echo(f"{mutant.id:<12} {mutant.family}  {mutant.told} ({mutant.breaks})")


@mutants.command("explain")
@click.argument("provider")
@click.argument("mutant_id")
@_reading
def explain(*, provider: str, mutant_id: str) -> None:
    """Run one mutant and tell how it was found."""
    from screentest.contract_tests.mutants.run import all_mutants, run_one

    mutant = next((it for it in all_mutants(provider) if it.id == mutant_id), None)
    if mutant is None:
        raise ValueError(f"no mutant {mutant_id!r}; `screentest mutants list {provider}` has them")
    fate = run_one(provider, mutant)
    click.echo(f"{mutant.id}: {mutant.told}")
    click.echo(f"breaks {mutant.breaks}; {mutant.seam}: {dict(mutant.change)}")
    if fate.is_killed:
        click.echo(f"found by {fate.tier} after {fate.requests} requests: {fate.rule}: {fate.told}")
    else:
        click.echo(f"not found{': ' + mutant.excuse if mutant.excuse else ''}")

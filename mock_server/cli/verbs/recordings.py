"""`screentest record`, `check-har`, `replay`, `diff`: recorded traffic."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..contracts import contract_option, reading_option
from ..exit_codes import Exit
from ..files import input_file, output_file
from ..float_range import Factor
from ..kit_errors import kit_verb
from ..output import as_far_as_read, fail, tell
from .verify import options_of, target_options

if TYPE_CHECKING:
    from screentest.specs.contracts.registry import Contracts


@click.command("check-har")
@click.argument("provider")
@click.argument("file", type=input_file())
@reading_option
@contract_option
@kit_verb
def check_har(
    *, provider: str, file: Path, readings: Mapping[str, str], contracts: Contracts
) -> None:
    """Judge recorded traffic: a HAR file, or a trace written by `record`.

    Exit code 1 if a rule is broken, 4 if the file is not a recording of PROVIDER.
    """
    from screentest.contract_tests.recordings.recorded import (
        judge_recording,
        read_recording,
        recording_lines,
    )

    recording = read_recording(file, provider, readings, contracts)
    judged = judge_recording(recording.trace, readings, contracts)
    with as_far_as_read():
        for line in recording_lines(recording, judged):
            click.echo(recording.secrets.cut(line))
    sys.exit(Exit.FOUND if judged.judge.findings else Exit.OK)


@click.command("replay")
@target_options
@click.argument("file", type=input_file())
@click.option("--output", type=output_file(), help="Write the new trace to this file.")
@kit_verb
def replay(*, file: Path, output: Path | None, **given: Any) -> None:
    """Send recorded requests again, to our mock or to --url, and show what differs.

    Exit code 1 if something differs, 5 if the budget does not cover the next request.
    """
    from screentest.contract_tests.recordings.recorded import (
        differences,
        read_recording,
        send_again,
    )
    from screentest.contract_tests.runs.command import open_target
    from screentest.contract_tests.traces.trace_file import write_trace

    options = options_of(given)
    recording = read_recording(file, options.provider, options.readings, options.contracts)
    target = open_target(options)
    again = send_again(recording.trace, target, options.contract)
    if output is not None:
        write_trace(again, output, options.keys, options.contracts)
    found = list(differences(recording.trace, again))
    with as_far_as_read():
        for line in found:
            click.echo(options.secrets.cut(line))
        click.echo(f"{len(again.exchanges)} requests sent, {len(found)} differences")
    sys.exit(Exit.FOUND if found else Exit.OK)


@click.command("diff")
@click.argument("provider")
@click.argument("one", type=input_file())
@click.argument("other", type=input_file())
@click.option(
    "--tolerance",
    type=click.IntRange(min=0),
    default=25,
    show_default=True,
    metavar="PERCENT",
    help="By how much the median duration of a state may change, in profiles.",
)
@contract_option
@kit_verb
def diff(*, provider: str, one: Path, other: Path, tolerance: int, contracts: Contracts) -> None:
    """Compare two runs of `verify` at a server, or two recordings of the same requests.

    Runs are compared by their reports: two profiles, or two NDJSON files. Of recordings, statuses
    and fields are compared. Exit code 1 if they differ.
    """
    from screentest.contract_tests.recordings.recorded import differences, read_recording
    from screentest.contract_tests.report.drift import drift, is_of_run

    if is_of_run(one) or is_of_run(other):
        found = drift(one, other, contracts.load(provider).provider, tolerance=tolerance / 100)
    else:
        left, right = (read_recording(it, provider, contracts=contracts) for it in (one, other))
        lines = differences(left.trace, right.trace)
        found = [right.secrets.cut(left.secrets.cut(it)) for it in lines]
    with as_far_as_read():
        for line in found:
            click.echo(line)
    sys.exit(Exit.FOUND if found else Exit.OK)


@click.command("record")
@click.argument("provider")
@click.option("--url", required=True, help="Base address of the provider's server.")
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True)
@click.option("--output", type=output_file(), required=True, help="Write the trace to this file.")
@click.option("--budget", type=click.IntRange(min=0), help="Most credits that may be spent.")
@click.option("--read-only", is_flag=True, help="Refuse requests that change anything.")
@click.option("--live", is_flag=True, help="Allow an address that is not this machine.")
@click.option(
    "--time-scale",
    type=Factor(min=0.001),
    default=1.0,
    help="How many times faster the server's clock runs; written to the trace.",
)
@reading_option
@contract_option
@kit_verb
def record(
    *,
    provider: str,
    contracts: Contracts,
    url: str,
    port: int,
    output: Path,
    budget: int | None,
    read_only: bool,
    live: bool,
    time_scale: float,
    readings: Mapping[str, str],
) -> None:
    """Record the traffic between your program and a provider, and report broken rules.

    Ctrl+C stops it. Exit code 1 if a rule is broken, else 5 if the budget stopped a request.
    """
    from screentest.contract_tests.recordings.proxy import Recorder
    from screentest.contract_tests.report.text import broken_lines
    from screentest.contract_tests.rules.judge import Broken
    from screentest.contract_tests.targets.guard import CreditBudget
    from screentest.contract_tests.targets.live import check_address

    from ...http.rsgi.server import claim_port

    def tell_finding(finding: Any) -> None:
        for line in broken_lines(Broken(finding.rule, 1, (finding,))):
            tell(recorder.secrets.cut(line))

    def tell_unreachable(detail: str) -> None:
        tell(f"no answer from {detail}")

    check_address(url, is_live=live)
    contract, port = contracts.load(provider, readings), claim_port("127.0.0.1", port)
    recorder = Recorder(
        contract,
        url,
        output,
        CreditBudget(budget),
        read_only,
        tell_finding,
        tell_unreachable,
        time_scale,
    )
    detail = f"http://127.0.0.1:{port} -> {url}, into {output}; Ctrl+C to stop"
    _serve_until_stopped(recorder, port, detail)
    broken = sum(1 for count in recorder.judge.broken.values() if count)
    tell(f"{len(recorder.trace.exchanges)} exchanges recorded, {broken} rules broken")
    if broken:
        sys.exit(Exit.FOUND)
    if recorder.budget.refused:
        fail(f"the budget stopped {recorder.budget.refused} requests", code=Exit.BUDGET)


def _serve_until_stopped(app: Any, port: int, detail: str) -> None:
    """Print *detail*, and serve *app* on *port* until Ctrl+C or SIGTERM."""
    import signal

    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """HTTP/1.1, which streams need for chunks. No log, which would show keys in URLs."""

        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:
            """Print nothing."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    click.echo(detail)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return

"""`screentest record`, `check-har`, `replay`, `diff`: traffic is kept, and looked at later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from ..files import InputFile, OutputFile
from ..float_range import Factor
from ..kit_errors import reading
from ..output import as_far_as_read, fail, tell
from .verify import options_of, target_options


@click.command("check-har")
@click.argument("provider")
@click.argument("file", type=InputFile())
@reading
def check_har(*, provider: str, file: Path) -> None:
    """Judge recorded traffic: a HAR file, or a trace that `record` wrote.

    Exit codes: 0 nothing found, 1 broken, 2 usage, or a file with nothing of the provider in it.
    """
    from screentest.contract_tests.recordings.recorded import (
        judge_recording,
        read_recording,
        recording_lines,
    )

    recording = read_recording(file, provider)
    judged = judge_recording(recording.trace)
    with as_far_as_read():
        for line in recording_lines(recording, judged):
            click.echo(recording.secrets.cut(line))
    sys.exit(1 if judged.judge.findings else 0)


@click.command("replay")
@target_options
@click.argument("file", type=InputFile())
@click.option("--output", type=OutputFile(), help="Where the new trace goes.")
@reading
def replay(*, file: Path, output: Path | None, **given: Any) -> None:
    """Send recorded requests again, to our mock or to --url, and tell what differs.

    Exit codes: 0 the same, 1 different, 2 usage, 3 the budget ended it, 4 unreachable.
    """
    from screentest.contract_tests.recordings.recorded import (
        differences,
        read_recording,
        send_again,
    )
    from screentest.contract_tests.runs.command import open_target
    from screentest.contract_tests.targets.guard import SpentError
    from screentest.contract_tests.targets.live import NotAllowedError, UnreachableError
    from screentest.contract_tests.targets.request_builder import UnableError
    from screentest.contract_tests.traces.trace_file import write_trace
    from screentest.specs.contract import load_contract

    recording, options = read_recording(file, given["provider"]), options_of(given)
    try:
        target = open_target(options)
        again = send_again(recording.trace, target, load_contract(given["provider"]))
    except SpentError as error:
        fail(3, str(error))
    except (NotAllowedError, UnableError) as error:
        fail(2, str(error))
    except UnreachableError as error:
        fail(4, str(error))
    if output is not None:
        write_trace(again, output, options.keys)
    found = list(differences(recording.trace, again))
    with as_far_as_read():
        for line in found:
            click.echo(options.secrets.cut(line))
        click.echo(f"{len(again.exchanges)} requests sent, {len(found)} differences")
    sys.exit(1 if found else 0)


@click.command("diff")
@click.argument("provider")
@click.argument("one", type=InputFile())
@click.argument("other", type=InputFile())
@reading
def diff(*, provider: str, one: Path, other: Path) -> None:
    """Compare two recordings of the same requests: statuses and fields.

    Exit codes: 0 alike, 1 different, 2 usage.
    """
    from screentest.contract_tests.recordings.recorded import differences, read_recording

    left, right = read_recording(one, provider), read_recording(other, provider)
    found = list(differences(left.trace, right.trace))
    with as_far_as_read():
        for line in found:
            click.echo(right.secrets.cut(left.secrets.cut(line)))
    sys.exit(1 if found else 0)


@click.command("record")
@click.argument("provider")
@click.option("--url", required=True, help="The server that is recorded.")
@click.option("--port", type=click.IntRange(0, 65535), default=8790, show_default=True)
@click.option("--output", type=OutputFile(), required=True, help="The trace.")
@click.option("--budget", type=click.IntRange(min=0), help="Credits that may be spent.")
@click.option("--read-only", is_flag=True, help="Let nothing pass that changes anything.")
@click.option("--live", is_flag=True, help="Allow an address that is not this machine.")
@click.option(
    "--time-scale",
    type=Factor(min=0.001),
    default=1.0,
    help="How many times faster than ours the server's clock runs; kept in the trace.",
)
@reading
def record(
    *,
    provider: str,
    url: str,
    port: int,
    output: Path,
    budget: int | None,
    read_only: bool,
    live: bool,
    time_scale: float,
) -> None:
    """Stand between your program and a provider, keep what they say, and flag what drifts."""
    from screentest.contract_tests.recordings.proxy import Recorder
    from screentest.contract_tests.report.text import broken_lines
    from screentest.contract_tests.rules.judge import Broken
    from screentest.contract_tests.targets.guard import Budget
    from screentest.contract_tests.targets.live import NotAllowedError, check_address
    from screentest.specs.contract import load_contract

    from ...http.server import claim_port

    def tell_finding(finding: Any) -> None:
        for line in broken_lines(Broken(finding.rule, 1, (finding,))):
            tell(recorder.secrets.cut(line))

    def tell_unreachable(detail: str) -> None:
        tell(f"no answer from {detail}")

    try:
        check_address(url, is_live=live)
    except NotAllowedError as error:
        fail(2, str(error))
    contract, port = load_contract(provider), claim_port("127.0.0.1", port)
    recorder = Recorder(
        contract, url, output, Budget(budget), read_only, tell_finding, tell_unreachable, time_scale
    )
    detail = f"http://127.0.0.1:{port} -> {url}, into {output}; Ctrl+C ends it"
    _serve_until_stopped(recorder, port, detail)
    broken = sum(1 for count in recorder.judge.broken.values() if count)
    tell(f"{len(recorder.trace.exchanges)} exchanges recorded, {broken} rules broken")


def _serve_until_stopped(app: Any, port: int, detail: str) -> None:
    """Answer on *port*, say *told*, and go on until Ctrl+C or a kind end of the process."""
    import signal

    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Streams need chunks, which are of HTTP/1.1; a log would show keys in addresses."""

        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: object) -> None:
            """Say nothing."""

    def stop(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    click.echo(detail)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return

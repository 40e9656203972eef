"""`screentest record`, `check-har`, `replay`, `diff`: traffic is kept, and looked at later."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from .files import InputFile, OutputFile
from .output import as_far_as_read, fail, printable, tell
from .reading import reading
from .verify import options_of, target_options


@click.command("check-har")
@click.argument("provider")
@click.argument("file", type=InputFile())
@reading
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
@target_options
@click.argument("file", type=InputFile())
@click.option("--output", type=OutputFile(), help="Where the new trace goes.")
@reading
def replay(*, file: Path, output: Path | None, **given: Any) -> None:
    """Send recorded requests again, to our mock or to --url, and tell what differs.

    Exit codes: 0 the same, 1 different, 2 usage, 4 unreachable.
    """
    from screentest.contract_tests.command import open_target
    from screentest.contract_tests.live import NotAllowedError, UnreachableError
    from screentest.contract_tests.recorded import differences, read_recording, send_again
    from screentest.contract_tests.trace_file import write_trace
    from screentest.specs.contract import load_contract

    trace = read_recording(file, given["provider"])
    try:
        target = open_target(options_of(given))
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
@reading
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
@reading
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

    from ..http.server import claim_port

    def show(finding: Any) -> None:
        for line in broken_lines(Broken(finding.rule, 1, (finding,))):
            tell(line)

    try:
        check_address(url, is_live=live)
    except NotAllowedError as error:
        fail(2, str(error))
    recorder = Recorder(load_contract(provider), url, output, Budget(budget), read_only, show)
    port = claim_port("127.0.0.1", port)
    server = make_server("127.0.0.1", port, recorder, threaded=True, request_handler=_handler())
    click.echo(f"http://127.0.0.1:{server.server_port} -> {url}, into {output}; Ctrl+C ends it")
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        tell(f"{len(recorder.trace.exchanges)} exchanges recorded")


def _handler() -> type[Any]:
    """Tells each call in a line, without colours that nobody asked for."""
    from werkzeug.serving import WSGIRequestHandler

    class Handler(WSGIRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            tell(f"{self.command} {printable(self.path)}  {code}")

    return Handler

"""`screentest run -- COMMAND`: run a command, in any language, against a mock of its own."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from screentest.specs.contracts.addresses import ProviderAddresses
from screentest.specs.json_types import Json

from ..contracts import contract_option, profile_option
from ..exit_codes import Exit
from ..files import report_file, write_whole
from ..output import fail, printable, tell, tell_error
from ..request_log import summary
from ..running.processes import NOT_EXECUTABLE, NOT_FOUND, environment_with, own_mock, program_path
from ..running.sleeping import following_sleeps
from ..settings import setting_option

if TYPE_CHECKING:
    from screentest.specs.contracts.registry import Contracts

#: As in shells.
_BY_SIGNAL = 128
_NOT_SYSTEM = (
    "COMMAND is another process, and a time frozen there does not reach the mock: use real, or "
    "clock = system of the pytest plugin"
)
#: A terminal sends Ctrl+C to the command itself, so SIGINT is not forwarded.
_SENT_ON = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")


# Options after COMMAND belong to it, even if `run` has an option of the same name.
@click.command("run", context_settings={"allow_interspersed_args": False})
@setting_option("provider", help="Serve only this provider. Repeatable.")
@contract_option
@profile_option
@setting_option("seed")
@setting_option(
    "clock",
    metavar="real|manual|auto|warp",
    help="What moves the clock; real:20, too. With warp, sleeps of Python and Node.js move it.",
)
@setting_option("pace", metavar="documented|fast|instant|FACTOR")
@setting_option(
    "fail-on",
    metavar="never|error|warning|CODE,…",
    help="Exit with 1 on such findings, even if the command succeeds.",
)
@click.option(
    "--report",
    "reports",
    type=report_file("text", "json", "html", "junit"),
    multiple=True,
    help="Write findings, receipt and outcome coverage: text:F, json:F, html:F, junit:F.",
)
@click.option(
    "--intercept",
    "intercepts",
    is_flag=True,
    help="Lead https calls to the providers' own hosts to the mock, and refuse all other hosts. "
    "Needs the extra `tls`.",
)
@click.option("--log", "prints_requests", is_flag=True, help="Print a line per request.")
@click.argument("command_line", metavar="-- COMMAND [ARGS]...", nargs=-1, required=True)
def command(
    *,
    command_line: tuple[str, ...],
    fail_on: str,
    reports: Sequence[tuple[str, Path]],
    prints_requests: bool,
    **given: Any,
) -> None:
    """Run COMMAND against a mock of its own, and exit with its exit code.

    The variables of all providers point to the mock, which stops afterwards. Examples:
    screentest run -- pytest, screentest run --clock auto -- npx vitest run
    """
    if given["clock"] == "system":
        fail("clock 'system' follows time.time() in the mock's own process", _NOT_SYSTEM)
    program = program_path(command_line[0])
    with tempfile.TemporaryDirectory(prefix="screentest-") as folder:
        ready, report = Path(folder, "ready.json"), Path(folder, "report.json")
        options = _serve_options(given)
        with (
            own_mock(ready, report, options, prints_requests=prints_requests) as mock,
            _intercepted(mock, Path(folder), **given) as variables,
        ):
            if given["clock"] == "warp":
                variables = {**variables, **following_sleeps(Path(folder), "default", variables)}
            began_s = time.monotonic()
            code = _run([program, *command_line[1:]], mock["env"] | variables)
            real_s = time.monotonic() - began_s
        counts = json.loads(report.read_text()) if report.exists() else None
    for kind, path in reports if counts is not None else ():
        write_whole(path, _report(kind, counts, command_line, code, real_s))
    sys.exit(_judged(code, counts, fail_on))


def _serve_options(given: Mapping[str, Any]) -> list[str]:
    options = [f"--{name}={given[name]}" for name in ("seed", "clock", "pace")]
    options += [f"--provider={name}" for name in given["provider"]]
    options += ["--real-hosts"] * given["intercepts"]
    options += [f"--profile={it}" for it in given["profiles"]]
    return options + [f"--contract={it}" for it in given["contracts"].places_from("--contract")]


@contextmanager
def _intercepted(
    mock: Json,
    folder: Path,
    *,
    intercepts: bool,
    provider: Sequence[str],
    contracts: Contracts,
    **_: Any,
) -> Generator[Mapping[str, str]]:
    """A proxy in front of *mock*; yields the variables that lead clients to it."""
    if not intercepts:
        yield {}
        return
    from ...tls.authority import make_certificate, trusting
    from ...tls.proxy import InterceptingProxy

    served = [contracts.load(name) for name in provider or contracts.names]
    hosts = ProviderAddresses(served).hosts
    certificate = make_certificate(hosts)
    authority = folder / "authority.pem"
    authority.write_bytes(certificate.authority)
    proxy = InterceptingProxy(
        hosts,
        urlsplit(mock["url"]).port or 0,
        certificate.context(folder),
        lambda host: tell(f"screentest: refused a connection to {printable(host)}"),
    )
    node_options = os.environ.get("NODE_OPTIONS", "")
    try:
        # A NO_PROXY of the user could name a provider's host.
        yield {
            **trusting(authority),
            **proxy.variables(node_options),
            "NO_PROXY": "",
            "no_proxy": "",
        }
    finally:
        proxy.close()


def _run(arguments: Sequence[str], variables: Mapping[str, str]) -> int:
    """The exit code of the command, as a shell would report it."""
    try:
        child = subprocess.Popen(arguments, env=environment_with(variables))
    except FileNotFoundError:
        detail = f"cannot run {arguments[0]!r}: its interpreter does not exist"
        fail(detail, "a script names it in the first line, after #!", code=NOT_FOUND)
    except OSError as error:
        hint = "a script needs a first line such as #!/bin/sh" * (error.errno == errno.ENOEXEC)
        detail = f"cannot run {arguments[0]!r}: {error.strerror}"
        fail(detail, hint, code=NOT_EXECUTABLE)
    with _signals_for(child):
        code = child.wait()
    return _BY_SIGNAL - code if code < 0 else code


@contextmanager
def _signals_for(child: subprocess.Popen[bytes]) -> Generator[None]:
    """Forward signals to *child*; *child* alone decides what Ctrl+C does."""

    def send_on(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """The terminal sent the signal to the command as well."""

    handlers: dict[int, Callable[[int, FrameType | None], None]] = {signal.SIGINT: ignore}
    for name in _SENT_ON:
        number = getattr(signal, name, None)
        if number is not None:
            handlers[number] = send_on
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _report(kind: str, counts: Json, command_line: Sequence[str], code: int, real_s: float) -> str:
    """The report of a run as *kind*."""
    if kind == "json":
        return _as_json(counts)
    if kind == "text":
        return _as_text(counts)
    # Imported when it is asked for, so that a plain run does not pay for it.
    from ...reports.verdict import verdict_of, write_verdict

    result = f"exit code {code} · {summary(counts)}"
    return write_verdict(kind, verdict_of(counts, shlex.join(command_line), result, real_s))


def _as_json(counts: Json) -> str:
    """The report of a run for programs, without its two tables for readers."""
    facts = {name: it for name, it in counts.items() if name not in {"receipt", "coverage"}}
    return f"{json.dumps(facts, indent=2)}\n"


def _as_text(counts: Json) -> str:
    """The report of a run for readers."""
    receipt, coverage = counts["receipt"], counts["coverage"]
    return f"{summary(counts)}\n\nreceipt\n{receipt}\n\noutcome coverage\n{coverage}\n"


def _judged(code: int, counts: Json, fail_on: str) -> int:
    """The command's exit code; where that is 0, 1 if the findings are as bad as *fail_on*.

    Without *counts* the mock ended before the command, so its success proves nothing.
    """
    if counts is None:
        tell_error("the mock ended before the command did; its last lines are above")
        return code or Exit.UNREACHABLE
    if counts["findings"] or counts["requests"]:
        tell(f"screentest: {summary(counts)}")
    bad = set(fail_on.split(","))
    if "warning" in bad:
        bad.add("error")
    is_bad = any({it["severity"], it["code"]} & bad for it in counts["findings"])
    return code or (Exit.FOUND if is_bad else Exit.OK)

"""`screentest gauntlet URL`: what a webhook receiver accepts, refuses, repeats and reveals."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from screentest.specs.behaviour.behaviour import Behaviour

from ...kernel.errors import MockError
from ..contracts import contract_option
from ..exit_codes import Exit
from ..float_range import Factor
from ..output import as_far_as_read, fail

if TYPE_CHECKING:
    from screentest.specs.contracts.registry import Contracts

_CHECK_S_MAX = 30.0
_CONNECT_S_MAX = 3.0
_WITHIN_S_MAX = 3_600.0


@click.command("gauntlet")
@click.argument("url")
@click.option("--provider", default="", help="Whose webhooks. Default: the only one that has any.")
@click.option(
    "--secret",
    envvar="SCREENTEST_WEBHOOK_SECRET",
    required=True,
    help="The secret with which the receiver verifies signatures.",
)
@click.option(
    "--next-secret", default="", help="A second secret that it accepts, after a rotation."
)
@click.option(
    "--check",
    metavar="COMMAND|URL",
    default="",
    help="Prints the state that the receiver keeps, best the number of events that it has handled.",
)
@click.option(
    "--within",
    type=Factor(min=0.001, max=_WITHIN_S_MAX),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest time until an answer.",
)
@contract_option
def command(
    url: str,
    provider: str,
    secret: str,
    next_secret: str,
    check: str,
    within: float,
    contracts: Contracts,
) -> None:
    """Send the receiver at URL good and bad deliveries, and judge its answers.

    It must verify signatures over the raw body, handle each event once, answer in time and after it
    has kept the event, and tell nothing to strangers. Exit code 1 if a trial fails.
    """
    # Imported when the verb runs, so that `--help` costs nothing.
    from ...explore.gauntlet import Mark, Receiver, gauntlet_lines, run_gauntlet
    from ...http.transport import Sockets
    from ...http.wall_clock import wall_ms
    from ...http.webhook_targets import Targets

    if not f"{secret}{next_secret}".isprintable():
        raise MockError("a secret must be printable text in UTF-8")
    behaviour = _with_webhooks(contracts, provider)
    targets = Targets()
    targets.check_url(url, {})
    sockets = Sockets(targets)
    state = (lambda: _state(check)) if check else None
    receiver = Receiver(
        url,
        secret,
        sockets.post,
        wall_ms,
        state,
        next_secret,
        round(within * 1_000),
        lambda: _half_sent(url),
    )
    results = run_gauntlet(behaviour, receiver)
    if len(results) == 1:
        fail(f"no receiver at {url}: {results[0].detail}", code=Exit.UNREACHABLE)
    with as_far_as_read():
        for line in gauntlet_lines(results):
            click.echo(line)
    sys.exit(Exit.FOUND if any(it.mark is Mark.FAILED for it in results) else Exit.OK)


def _with_webhooks(contracts: Contracts, provider: str) -> Behaviour:
    """The rules of *provider*, or of the only provider that has any.

    Raises:
        MockError: the provider does not exist, documents no webhooks, or has to be named.
    """
    known = [contracts.load(provider)] if provider else list(contracts)
    found = [it for it in known if it.behaviour.webhooks is not None]
    if provider and not found:
        raise MockError(f"{provider} documents no webhooks")
    if len(found) != 1:
        names = ", ".join(it.provider for it in found)
        raise MockError(f"name one with --provider (there are: {names})")
    return found[0].behaviour


@contextmanager
def _half_sent(url: str) -> Generator[None]:
    """A connection on which half of a delivery was sent."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with socket.create_connection((parts.hostname or "", port), _CONNECT_S_MAX) as line:
        head = f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        line.sendall(head.encode() + b"{")
        yield


def _state(check: str) -> str:
    """What the command or the URL *check* gives.

    Raises:
        MockError: it fails.
    """
    if check.startswith(("http://", "https://")):
        try:
            # The environment may name a proxy, which cannot reach a receiver on this machine.
            with build_opener(ProxyHandler({})).open(check, timeout=_CHECK_S_MAX) as answer:
                return str(answer.read(), "utf-8", "replace")
        except (OSError, ValueError, HTTPException) as error:
            raise MockError(f"--check {check}: {error}") from None
    try:
        done = subprocess.run(
            check,
            shell=True,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_CHECK_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MockError(f"--check did not end within {_CHECK_S_MAX:.0f} s") from None
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2]
        raise MockError(f"--check ended with exit code {done.returncode}: {last}")
    return done.stdout

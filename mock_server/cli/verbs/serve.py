"""`screentest serve`: the mock on a port, and a banner with lines to paste."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.types import FuncParamType

from screentest.specs.contracts.addresses import ProviderAddresses
from screentest.specs.json_types import Json

from ...http.guard import LOOPBACK, Guard, check_reach
from ...http.webhook_targets import Network, Targets, read_network
from ...kernel.clock import read_clock
from ...kernel.errors import unknown
from ...kernel.lifecycle import read_pace
from ...tls.authority import Certificate, make_certificate
from ..banner import banner, warnings
from ..contracts import contract_option, profile_option, warn_of_retirements
from ..files import database_file, output_file, write_whole
from ..output import tell, tell_warning
from ..ready_file import readiness, remove_ready_file, stop_when_stdin_ends
from ..request_log import RequestLog, summary
from ..running.forwarding import Forwarding, forwarding_options
from ..running.watching import watch, watch_option, watched
from ..settings import is_given, setting_option

if TYPE_CHECKING:
    from flask import Flask

    from screentest.specs.contracts.contract import Contract
    from screentest.specs.contracts.registry import Contracts

    from ...engine.world import Plan
    from ...findings.world_findings import Verdict
    from ...reports.tally import Tally

#: Webhooks that are being sent have this long when the server stops; the others are handed back.
_DELIVERIES_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """The options. *given* names those, of a new world, that the user chose explicitly."""

    host: str
    port: int
    database: Path | str | None
    keep: int
    seed: int
    clock: str
    pace: str
    ready_file: Path | None
    control_token: str | None
    allow_hosts: tuple[str, ...]
    cors: tuple[str, ...]
    authority_file: Path | None
    answers_real_hosts: bool
    webhook_networks: tuple[Network, ...]
    is_pure: bool
    is_strict: bool
    refuses_unbehaved: bool
    contracts: Contracts
    providers: tuple[str, ...]
    is_quiet: bool
    log: str
    prints_summary: bool
    report_file: Path | None
    ends_with_stdin: bool
    is_watching: bool
    forwarding: Forwarding
    as_json: bool
    given: frozenset[str]


@click.command("serve")
@setting_option("host")
@setting_option("port")
@setting_option("provider", "--provider", "providers", help="Serve only this provider. Repeatable.")
@setting_option("db", "--db", "database", metavar="FILE|URL", type=FuncParamType(database_file))
@setting_option(
    "keep",
    metavar="N",
    help="Keep this many resources; beyond that, the oldest finished ones are dropped. 0 keeps "
    "all.",
)
@setting_option("seed")
@setting_option(
    "clock",
    metavar="real|manual|auto|system",
    help="What moves the clock. real:20 runs twenty times as fast. system is the machine's clock, "
    "which cannot be advanced.",
)
@setting_option("pace", metavar="documented|fast|instant|FACTOR")
@click.option(
    "--ready-file",
    type=output_file(),
    help="Write URL, process id and variables to this file, as JSON, once the port answers.",
)
@click.option(
    "--control-token",
    envvar="SCREENTEST_CONTROL_TOKEN",
    help="Require this token in control calls; needed for a --host that others can reach.",
)
@click.option(
    "--allow-host", "allow_hosts", multiple=True, help="Accept this Host header too. Repeatable."
)
@click.option(
    "--cors",
    multiple=True,
    metavar="ORIGIN",
    help="Let pages of this origin call the providers, such as http://localhost:5173. The control "
    "API stays closed to them. Repeatable.",
)
@click.option(
    "--tls",
    "authority_file",
    type=output_file(),
    metavar="FILE",
    help="Serve https, and answer for the providers' own hosts too. FILE gets the certificate of "
    "an authority made for this run, for clients to trust. Needs the extra `tls`.",
)
@click.option("--real-hosts", "answers_real_hosts", is_flag=True, hidden=True)
@setting_option(
    "webhook-allow",
    "--webhook-allow",
    "webhook_networks",
    type=FuncParamType(read_network),
    metavar="NETWORK",
    help="Send webhooks to this address or network too, such as 203.0.113.0/24. Repeatable. "
    "Link-local and metadata addresses are never sent to.",
)
@setting_option("pure", "--pure", "is_pure")
@click.option(
    "--no-strict",
    "is_strict",
    flag_value=False,
    default=True,
    help="Send a response of the mock even if it breaks the contract, with a warning in the "
    "journal. Default: answer 500 instead.",
)
@click.option(
    "--strict",
    "refuses_unbehaved",
    is_flag=True,
    help="Answer 501 to operations that a behaviour file does not name. Default: answer a value "
    "made for their schema.",
)
@contract_option
@profile_option
@setting_option("quiet", "-q", "--quiet", "is_quiet")
@click.option(
    "--log",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="How requests and errors are logged on stderr: as text, or as one JSON object a line.",
)
@click.option(
    "--report", "prints_summary", is_flag=True, help="Print a summary of the findings at the end."
)
@click.option("--report-file", type=output_file(), hidden=True)
@watch_option
@click.option(
    "--exit-on-stdin-eof",
    "ends_with_stdin",
    is_flag=True,
    help="Stop when standard input ends, which a pipe does when the parent process ends.",
)
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="Print one JSON line in place of the banner: URL, process id, version and variables.",
)
@forwarding_options
def command(
    *,
    database: Path | str | None,
    contracts: Contracts,
    profiles: Sequence[Path],
    **options: Any,
) -> None:
    """Start the mock on this machine.

    The state is in memory unless --db names a SQLite file or a PostgreSQL database, which several
    servers may share; `--db :memory:` overrides a file from a setting. Each request is a line on
    stderr, with its findings below it. Ctrl+C ends the mock with exit code 0.
    """
    given = frozenset(name for name in ("seed", "clock", "pace") if is_given(name))
    contracts = contracts.profiled(profiles)
    serve(Options(database=database, contracts=contracts, given=given, **options))


def serve(options: Options) -> None:
    """Start and run until interrupted.

    Raises:
        MockError: an option is invalid.
    """
    mode, speed = read_clock(options.clock)
    pace = read_pace(options.pace)
    check_reach(options.host, options.control_token)
    # Flask and the validators load slowly: a wrong option is reported before they do.
    names = options.providers or options.contracts.names
    for name in names:
        if name not in options.contracts:
            raise unknown("provider", name, options.contracts.names)
    from ...engine.world import Plan
    from ...http.rsgi.edge import RSGIEdge
    from ...http.rsgi.server import claim_port, run_server

    contracts = [options.contracts.load(name) for name in names]
    own = watched(contracts) if options.is_watching else []
    hosts = ProviderAddresses(contracts)
    certificate = _certificate(options, hosts)
    port = claim_port(options.host, options.port)
    if options.ready_file is not None:
        remove_ready_file(options.ready_file)
    if options.ends_with_stdin:
        threading.Thread(target=stop_when_stdin_ends, daemon=True).start()
    log = RequestLog(sys.stderr, is_quiet=options.is_quiet, as_json=options.log == "json")
    plan = Plan(seed=options.seed, mode=mode, speed=speed, pace=pace)
    app = _app(options, contracts, plan, log, port)
    url = _url(options, port)
    tally = _tally(app) if options.report_file is not None else None

    def announce() -> None:
        world = _control(app, url, "worlds/default", options)
        providers = _control(app, url, "providers", options)
        chosen = {name: getattr(options, name) for name in options.given}
        for text in warnings(options.host, options.database, world, plan, chosen):
            tell_warning(text)
        warn_of_retirements(contracts)
        ready = readiness(url, world)
        text = json.dumps(ready) if options.as_json else banner(url, world, providers, options.pace)
        click.echo(text)
        if options.ready_file is not None:
            write_whole(options.ready_file, json.dumps(ready), mode=0o600)

    def sum_up() -> None:
        app.extensions["screentest.due_timer"].close()
        app.extensions["screentest.dispatcher"].close(_DELIVERIES_S_MAX)
        served.close()
        _sum_up(app, log, options, tally)

    watch(app.extensions["screentest"], own)
    edge, rest = app.extensions["screentest.edge"]
    edge.upstream = options.forwarding.open(contracts)
    if certificate is not None or options.answers_real_hosts:
        edge.real_hosts = hosts
    served = RSGIEdge(
        edge, app.extensions["screentest"], rest, due_timer=app.extensions["screentest.due_timer"]
    )
    run_server(
        served,
        host=options.host,
        port=port,
        certificate=certificate,
        on_ready=announce,
        on_stop=sum_up,
    )


def _certificate(options: Options, hosts: ProviderAddresses) -> Certificate | None:
    """The certificate of `--tls`, whose authority is written to the file that the option names."""
    if options.authority_file is None:
        return None
    certificate = make_certificate(hosts.hosts)
    write_whole(options.authority_file, certificate.authority.decode())
    return certificate


def _app(
    options: Options, contracts: Sequence[Contract], plan: Plan, log: RequestLog, port: int
) -> Flask:
    from ...http.app import create_app

    return create_app(
        contracts=contracts,
        database=options.database,
        keep=options.keep,
        plan=plan,
        guard=_guard(options),
        is_server=True,
        is_pure=options.is_pure,
        is_strict=options.is_strict,
        refuses_unbehaved=options.refuses_unbehaved,
        targets=Targets(
            is_exposed=options.host not in LOOPBACK,
            allowed=options.webhook_networks,
            own_ports=frozenset({port}),
        ),
        observe=lambda handled, took_ms: log.note(handled.note, handled.world.id, took_ms),
    )


def _control(app: Flask, url: str, path: str, options: Options) -> Json:
    """The answer of the control API of *app*, which has the address *url*."""
    from werkzeug.test import Client  # Flask's own client imports a debugger

    headers = {"Authorization": f"Bearer {options.control_token}"}
    return Client(app).get(f"/_screentest/{path}", base_url=url, headers=headers).get_json()


def _tally(app: Flask) -> Tally:
    """The outcomes and costs of all worlds of *app* that have ended so far."""
    from ...reports.tally import Tally

    tally, worlds = Tally(keeps_findings=True), app.extensions["screentest"]
    worlds.before_end(lambda world: tally.count(worlds, world))
    app.extensions["screentest.edge"][0].observe_file = tally.count_file
    return tally


def _sum_up(app: Flask, log: RequestLog, options: Options, tally: Tally | None) -> None:
    """Close the store and *log*, and write what *options* ask for about both."""
    verdict: Verdict = app.extensions["screentest.verdict"]
    is_asked = options.prints_summary or options.report_file is not None
    others = verdict.counts() if is_asked else {}
    worlds = app.extensions["screentest"]
    reports = tally.reports(worlds) if tally is not None else {}
    worlds.store.close()
    log.close()
    if options.ready_file is not None:
        remove_ready_file(options.ready_file, of_process=os.getpid())
    if options.report_file is not None:
        write_whole(options.report_file, json.dumps(log.counts(others) | reports), mode=0o600)
    if options.prints_summary:
        tell(summary(log.counts(others)))


def _guard(options: Options) -> Guard:
    from ...http.cors import read_origins

    hosts = frozenset(host.lower() for host in options.allow_hosts)
    return Guard(hosts, options.control_token, read_origins(options.cors))


def _url(options: Options, port: int) -> str:
    shown = f"[{options.host}]" if ":" in options.host else options.host
    return f"http{'s' * (options.authority_file is not None)}://{shown}:{port}"

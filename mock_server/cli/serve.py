"""`screentest serve`: the mock on a port, with a banner that can be pasted."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..clock import Mode, check_speed
from ..errors import MockError
from ..pace import read_pace
from .variables import export_lines

Json = Any

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_TOKEN_LENGTH_MIN = 16


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    host: str
    port: int
    database: Path | None
    seed: int
    clock: str
    pace: str
    ready_file: Path | None
    control_token: str | None
    allow_hosts: tuple[str, ...]
    is_pure: bool
    providers: tuple[str, ...]


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, help="Port; 0 takes a free one.")
@click.option("--provider", multiple=True, help="Serve only this provider. Repeatable.")
@click.option("--db", type=click.Path(path_type=Path), help="Keep everything in this SQLite file.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same calls: same bytes.")
@click.option(
    "--clock",
    default="real",
    show_default=True,
    metavar="real|manual|auto|system",
    help="What moves the clock; real:20 runs twenty times as fast.",
)
@click.option(
    "--pace",
    default="documented",
    show_default=True,
    metavar="documented|fast|instant|FACTOR",
    help="How long jobs take.",
)
@click.option(
    "--ready-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write URL, process id and variables here, as JSON, once the port answers.",
)
@click.option(
    "--control-token",
    envvar="SCREENTEST_CONTROL_TOKEN",
    help="Demand this token of control calls; needed for a --host that others can reach.",
)
@click.option("--allow-host", multiple=True, help="Accept this Host header too. Repeatable.")
@click.option("--pure", is_flag=True, help="Leave out our own X-Screentest-… response headers.")
def command(**given: Any) -> None:
    """Start the mock on this machine.

    Everything is kept in memory unless --db names a file. Ctrl+C stops it.
    """
    options = Options(
        host=given["host"],
        port=given["port"],
        database=given["db"],
        seed=given["seed"],
        clock=given["clock"],
        pace=given["pace"],
        ready_file=given["ready_file"],
        control_token=given["control_token"],
        allow_hosts=given["allow_host"],
        is_pure=given["pure"],
        providers=given["provider"],
    )
    serve(options)


def serve(options: Options) -> None:
    """Start and run until interrupted.

    Raises:
        MockError: an option cannot be followed.
    """
    mode, speed = read_clock(options.clock)
    pace = read_pace(options.pace)
    _check_reach(options)
    # Flask and the validators are imported late, so that a wrong option is told at once.
    from screentest.specs.contract import load_contract, provider_names

    from ..http.app import create_app
    from ..http.guard import Guard
    from ..http.server import claim_port, run_server
    from ..universe import Plan

    port = claim_port(options.host, options.port)
    guard = Guard(frozenset(host.lower() for host in options.allow_hosts), options.control_token)
    app = create_app(
        contracts=[load_contract(name) for name in options.providers or provider_names()],
        database=options.database,
        plan=Plan(seed=options.seed, mode=mode, speed=speed, pace=pace),
        guard=guard,
        is_server=True,
        is_pure=options.is_pure,
    )
    shown = f"[{options.host}]" if ":" in options.host else options.host
    url = f"http://{shown}:{port}"

    def announce() -> None:
        with app.test_client() as client:
            headers = {"Authorization": f"Bearer {options.control_token}"}
            world = client.get(f"{url}/_screentest/worlds/default", headers=headers).get_json()
            providers = client.get(f"{url}/_screentest/providers", headers=headers).get_json()
        if options.ready_file is not None:
            _write_ready_file(options.ready_file, url, world)
        click.echo(banner(url, world, providers, options))

    run_server(app, host=options.host, port=port, on_ready=announce)


def read_clock(text: str) -> tuple[Mode, float]:
    """Mode and speed of `real`, `real:20`, `manual`, `auto` or `system`.

    Raises:
        MockError: another word, or a speed that is no positive number.
    """
    word, colon, factor = text.partition(":")
    modes = {mode.value: mode for mode in Mode}
    if word not in modes or (colon and word != "real"):
        raise MockError(f"clock {text!r} must be one of {', '.join(modes)}, or real:SPEED")
    try:
        return modes[word], check_speed(float(factor)) if colon else 1.0
    except ValueError:
        raise MockError(f"clock speed {factor!r} is no number; write real:20") from None


def _check_reach(options: Options) -> None:
    token = options.control_token
    if options.host not in _LOOPBACK and token is None:
        raise MockError(
            f"--host {options.host} can be reached by others, and the control API could be too; "
            "give --control-token (16 characters or more), or stay on 127.0.0.1"
        )
    if token is not None and len(token) < _TOKEN_LENGTH_MIN:
        raise MockError(f"--control-token must have {_TOKEN_LENGTH_MIN} characters or more")
    if options.ready_file is not None and not options.ready_file.absolute().parent.is_dir():
        raise MockError(f"cannot write {options.ready_file}: its folder does not exist")
    if options.database is not None and not options.database.absolute().parent.is_dir():
        raise MockError(f"cannot write {options.database}: its folder does not exist")


def _write_ready_file(path: Path, url: str, world: Json) -> None:
    """Whole or not at all, for readers that look while it is written."""
    info = {
        "url": url,
        "control": f"{url}/_screentest",
        "pid": os.getpid(),
        "env": {"SCREENTEST_URL": url, **world["env"]},
    }
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(info))
    part.replace(path)


def banner(url: str, world: Json, providers: Json, options: Options) -> str:
    """What `serve` prints: where, what, and lines to paste."""
    from importlib.metadata import version

    counted = f"{len(providers)} AI-video API{'' if len(providers) == 1 else 's'}"
    clock = world["clock"]
    lines = [
        f"screentest {version('screentest')}  {counted} on {url}"
        f"   (seed {world['seed']}, clock {clock['mode']}, pace {options.pace}, Ctrl+C to stop)",
        "",
    ]
    width = max(len(provider["id"]) for provider in providers)
    for provider in providers:
        base_url = world["providers"][provider["id"]]["base_url"]
        operations = f"{provider['operations']} operations"
        lines.append(
            f"  {provider['id']:<{width}}  {base_url}  {operations:>13}  {provider['auth']}"
        )
    lines += ["", f"  control  {url}/_screentest/health", "", "Paste into your shell:"]
    lines += [f"  {line}" for line in export_lines(world["env"])]
    return "\n".join(lines)

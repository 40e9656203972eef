"""`screentest doctor`: check this machine for common problems."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, entry_points, version

import click

from screentest.specs.contracts.redaction import looks_live
from screentest.specs.json_types import Json

from ..client import NoMockError, RefusedError, send, url_option
from ..exit_codes import Exit
from ..output import as_far_as_read, json_option, paint, show

#: (verdict, description, hint)
Found = tuple[str, str, str]

_KEY_NAME = re.compile(r"key|token|secret", re.IGNORECASE)
#: Libraries whose calls the pytest plugin can answer.
_CLIENTS = ("requests", "urllib3", "httpx", "openai", "aiohttp")
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@url_option
@json_option
def command(url: str, *, as_json: bool) -> None:
    """Check this machine for common problems. Exit code 1 if a check fails."""
    found = [
        {"verdict": verdict, "found": detail, "hint": hint}
        for look in _LOOKS
        for verdict, detail, hint in look(url)
    ]
    with as_far_as_read():
        show(found, _lines, as_json=as_json)
    sys.exit(Exit.FOUND if any(it["verdict"] == "fail" for it in found) else Exit.OK)


def _versions(_url: str) -> Iterator[Found]:
    yield "ok", f"python {platform.python_version()}, screentest {_version('screentest')}", ""
    plugins = entry_points(group="pytest11")
    if any(it.name == "screentest" for it in plugins):
        yield "ok", "pytest plugin registered", ""
    else:
        yield "warn", "the pytest plugin is not registered", "install screentest with pip"


def _contracts(_url: str) -> Iterator[Found]:
    from screentest.specs.contracts.registry import find_contracts
    from screentest.specs.errors import ContractError

    count = 0
    known = find_contracts()
    for name in known.names:
        try:
            count += len(known.load(name).operations)
        except ContractError as error:
            yield "fail", " ".join(str(error).split()), "see `screentest spec lint`"
    yield "ok", f"{len(known.names)} contracts, {count} operations", ""


def _clients(_url: str) -> Iterator[Found]:
    known = {name: _version(name) for name in _CLIENTS}
    listed = ", ".join(f"{name} {it}" for name, it in known.items() if it)
    yield "ok", f"HTTP clients: {listed or 'none'}", ""
    if _version("freezegun"):
        hint = "the server ignores it; use the clock of the world, or time-machine in process"
        yield "warn", f"freezegun {_version('freezegun')} installed", hint
    node = shutil.which("node")
    yield "ok", f"node {'found' if node else 'not found; only JavaScript clients need it'}", ""


def _environment(_url: str) -> Iterator[Found]:
    for name, value in sorted(os.environ.items()):
        if _KEY_NAME.search(name) and looks_live(value):
            detail = f"{name} seems to contain a real key ({value[:4]}…)"
            hint = "tests could spend money: unset it, or use `screentest run`"
            yield "fail", detail, hint
    proxies = [name for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY") if os.environ.get(name)]
    if proxies and "127.0.0.1" not in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")):
        detail = f"{proxies[0]} is set, and NO_PROXY does not name 127.0.0.1"
        yield "warn", detail, "export NO_PROXY=127.0.0.1,localhost (`screentest run` does)"


def _mock(url: str) -> Iterator[Found]:
    try:
        detail = send(url, "GET", "/health")
    except (NoMockError, RefusedError) as error:
        yield "ok", f"no mock runs at {url}: {error}", "`screentest serve` starts one"
    else:
        yield "ok", f"screentest {detail['version']} runs at {url}", ""


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


_LOOKS: tuple[Callable[[str], Iterator[Found]], ...] = (
    _versions,
    _contracts,
    _clients,
    _environment,
    _mock,
)


def _lines(found: list[Json]) -> Iterable[str]:
    for it in found:
        hint = f"  hint: {it['hint']}" if it["hint"] else ""
        verdict = paint(it["verdict"].ljust(4), _COLOURS[it["verdict"]], sys.stdout)
        yield f"{verdict}  {it['found']}{hint}"

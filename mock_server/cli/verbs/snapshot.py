"""`screentest snapshot`: a world in a file, to go on from there in another mock or another day."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from screentest.specs.json_types import Json

from ...kernel.snapshots import SNAPSHOT_BYTES_MAX
from ..client import Mock, world_verb
from ..exit_codes import Exit
from ..files import input_file, output_file, write_whole
from ..groups import group
from ..output import fail, show, table, tell

#: The mock refuses larger ones; a device such as /dev/zero has no end.
_LENGTH_MAX = SNAPSHOT_BYTES_MAX
#: The name of a document while it passes through the mock, which deletes it afterwards.
_PASSING = "through-a-file"


@group("snapshot", first="list")
def command() -> None:
    """Save a world to a file, and restore it from one."""


@command.command("list")
@world_verb
def list_snapshots(mock: Mock, *, as_json: bool) -> None:
    """List the snapshots of the world that the mock keeps."""
    show(mock.get("/snapshots")["items"], _rows, as_json=as_json)


@command.command("save")
@click.argument("file", type=output_file(besides="-"))
@world_verb
def save(file: Path, mock: Mock, *, as_json: bool) -> None:
    """Write the world to FILE, as JSON Lines; - is stdout.

    A snapshot contains webhook secrets and digests of keys, so only the owner of FILE can read it.
    """
    if as_json and str(file) == "-":
        fail("--json and the snapshot cannot both use stdout; name a file, or omit --json")
    mock.post("/snapshots", {"name": _PASSING})
    document = mock.text(f"/snapshots/{_PASSING}")
    mock.delete(f"/snapshots/{_PASSING}")
    if str(file) == "-":
        click.echo(document, nl=False)
        return
    try:
        write_whole(file, document, mode=0o600)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    saved = {"world": mock.world_id, "file": str(file), "size_bytes": len(document.encode())}
    show(saved, lambda _: (), as_json=as_json)
    if not as_json:
        tell(f"saved world {mock.world_id!r} to {file}")


@command.command("restore")
@click.argument("file", type=input_file(besides="-"))
@world_verb
def restore(file: Path, mock: Mock, *, as_json: bool) -> None:
    """Replace the world by the snapshot in FILE; - is stdin.

    If another world of the mock uses the same keys, this world gets new ones; --json shows them. A
    damaged file, or one of a mock with other providers, changes nothing.
    """
    document = _read(file)
    mock.post("/snapshots", {"name": _PASSING, "document": document})
    try:
        restored = mock.post(f"/snapshots/{_PASSING}/restore")
    finally:
        mock.delete(f"/snapshots/{_PASSING}")
    show(restored, lambda _: (), as_json=as_json)
    if not as_json:
        tell(
            f"restored world {mock.world_id!r} from {file}: its time is {restored['clock']['now']}"
        )
        if restored["new_keys"]:
            tell("another world uses the old keys; `screentest env` prints the new ones")


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            # `sys.stdin` is None in a program that was started without one.
            text = sys.stdin.read(_LENGTH_MAX + 1) if sys.stdin is not None else ""
        else:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(_LENGTH_MAX + 1)
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    except UnicodeDecodeError:
        fail(f"{file} is not a snapshot: it is not UTF-8", code=Exit.INVALID)
    if len(text) > _LENGTH_MAX:
        detail = f"{file} is not a snapshot: it is longer than {_LENGTH_MAX} characters"
        fail(detail, code=Exit.INVALID)
    return text


def _rows(snapshots: list[Json]) -> Iterable[str]:
    if not snapshots:
        return table([], "no snapshots yet")
    head = ("SNAPSHOT", "TIME", "BYTES")
    return table([head, *((it["name"], it["now"], it["size_bytes"]) for it in snapshots)])

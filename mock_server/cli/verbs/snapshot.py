"""`screentest snapshot`: a world in a file, to go on from there in another mock or another day."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from screentest.specs.json_types import Json

from ...kernel.snapshots import SNAPSHOT_BYTES_MAX
from ..client import Mock, world_options
from ..exit_codes import Exit
from ..files import InputFile, OutputFile, write_whole
from ..groups import group
from ..output import fail, json_option, show, table, tell

#: A mock takes none that is larger; there are files without an end.
_LENGTH_MAX = SNAPSHOT_BYTES_MAX
#: Under this name a document passes through the mock; it does not stay there.
_PASSING = "through-a-file"


@group("snapshot", first="list")
def command() -> None:
    """Save a world to a file, and restore it from one."""


@command.command("list")
@world_options
@json_option
def list_snapshots(url: str, world: str, *, as_json: bool) -> None:
    """The snapshots that the mock itself keeps of the world."""
    show(Mock(url, world).get("/snapshots")["items"], _rows, as_json=as_json)


@command.command("save")
@click.argument("file", type=OutputFile(besides="-"))
@world_options
@json_option
def save(file: Path, url: str, world: str, *, as_json: bool) -> None:
    """Write everything of the world to FILE, as JSON Lines; - is stdout.

    It holds webhook secrets and digests of keys, so only its owner may read the file.
    """
    if as_json and str(file) == "-":
        fail("--json and the snapshot both want stdout; name a file, or leave --json out")
    mock = Mock(url, world)
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
    saved = {"world": world, "file": str(file), "size_bytes": len(document.encode())}
    show(saved, lambda _: (), as_json=as_json)
    if not as_json:
        tell(f"saved world {world!r} to {file}")


@command.command("restore")
@click.argument("file", type=InputFile(besides="-"))
@world_options
@json_option
def restore(file: Path, url: str, world: str, *, as_json: bool) -> None:
    """Put the world back to what FILE says; - is stdin. What the world was before is lost.

    Where another world of the mock has its keys, it gets new ones, which --json shows. A file that
    is damaged, or of a mock that serves other providers, changes nothing.
    """
    document = _read(file)
    mock = Mock(url, world)
    mock.post("/snapshots", {"name": _PASSING, "document": document})
    try:
        restored = mock.post(f"/snapshots/{_PASSING}/restore")
    finally:
        mock.delete(f"/snapshots/{_PASSING}")
    show(restored, lambda _: (), as_json=as_json)
    if not as_json:
        tell(f"restored world {world!r} from {file}: it is {restored['clock']['now']} there")
        if restored["new_keys"]:
            tell("its keys are new, as another world has the old ones: `screentest env` tells them")


def _read(file: Path) -> str:
    try:
        if str(file) == "-":
            # A program may be started without any stdin.
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
        return table([], "no snapshot yet")
    head = ("SNAPSHOT", "TIME", "BYTES")
    return table([head, *((it["name"], it["now"], it["size_bytes"]) for it in snapshots)])

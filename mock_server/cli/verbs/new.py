"""`screentest new`: a first contract out of an OpenAPI file, recordings, or both."""

from __future__ import annotations

import re
from pathlib import Path

import click

from ..files import input_file
from ..kit_errors import kit_verb
from ..output import as_far_as_read, fail, say, tell

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@click.command("new")
@click.argument("name")
@click.option(
    "--from",
    "files",
    type=input_file(),
    multiple=True,
    required=True,
    help="An OpenAPI file (3.0 or 3.1), a HAR file, or a trace of `record`. Repeatable; a second "
    "OpenAPI file is that of the webhooks.",
)
@click.option(
    "--har", "recordings", type=input_file(), multiple=True, help="A further recording. Repeatable."
)
@click.option(
    "--only",
    multiple=True,
    metavar="OPERATIONS",
    help="Draft the behaviour of these operations alone: ids with commas, `*` for any text.",
)
@click.option("--into", "folder", type=click.Path(path_type=Path), help="The new folder.  [NAME]")
@kit_verb
def command(
    *,
    name: str,
    files: tuple[Path, ...],
    recordings: tuple[Path, ...],
    only: tuple[str, ...],
    folder: Path | None,
) -> None:
    """Write a first contract for the provider NAME: what can be guessed, and why.

    The folder has the OpenAPI file, or one made from the recordings, and a behaviour.yaml in which
    each guess has a comment. It ends with the lifecycles and with what could not be known.
    """
    from screentest.contract_tests.recordings.seen import read_sources
    from screentest.specs.contracts.registry import shipped_contracts
    from screentest.specs.drafting.drafting import draft_contract
    from screentest.specs.drafting.writing import summary_lines, write_contract

    if not _NAME.fullmatch(name):
        fail(f"{name!r} cannot be the name of a provider", "write it like this: magic_hour")
    if name in shipped_contracts().names:
        fail(f"screentest comes with a contract called {name!r}", "choose another name")
    folder = Path(name) if folder is None else folder
    if folder.exists() or folder.is_symlink():
        fail(f"cannot write {folder}: it exists", "name another folder with --into")
    sources = read_sources(name, [*files, *recordings])
    wanted = [it.strip() for given in only for it in given.split(",") if it.strip()]
    draft = draft_contract(
        name, sources.document, only=wanted, calls=sources.calls, events=sources.events
    )
    contract = write_contract(folder, sources.openapi, draft)
    with as_far_as_read():
        for line in summary_lines(contract, draft):
            say(line)
    guesses = sum(1 for it in draft.notes.values() if it.startswith("guessed"))
    tell(f"wrote {folder}: {guesses} guesses, {len(draft.unknown)} questions")
    tell(f"next: screentest serve --contract {folder} --provider {name}")

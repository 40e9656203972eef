"""`screentest spec`: list the contracts, or check contract files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from screentest.specs.errors import no_such
from screentest.specs.json_types import Json

from ..exit_codes import Exit
from ..groups import group
from ..output import as_far_as_read, fail, json_option, show, table, tell


@group("spec", first="list")
def command() -> None:
    """List the contracts, or check contract files."""


@command.command("list")
@json_option
def list_contracts(*, as_json: bool) -> None:
    """List the providers and what their contracts describe."""
    from screentest.specs.contracts.contract import load_contract, provider_names

    contracts = [load_contract(name) for name in provider_names()]
    known = [
        {
            "id": it.provider,
            "name": it.behaviour.name,
            "operations": len(it.operations),
            "interpretations": len(it.behaviour.interpretations),
            "document": it.behaviour.document_url,
            "read": it.behaviour.document_read,
        }
        for it in contracts
    ]
    show(known, _rows, as_json=as_json)


@command.command("lint")
@click.argument("names", metavar="[PROVIDER|FOLDER]...", nargs=-1)
@json_option
def lint(names: tuple[str, ...], *, as_json: bool) -> None:
    """Check contracts: packaged ones by name, or a folder with openapi.yaml and behaviour.yaml.

    Both files are checked against their schemas and against each other. Exit code 4 if one is
    invalid.
    """
    from screentest.specs.contracts.contract import provider_names
    from screentest.specs.linting.lint import problems_of

    problems: list[Json] = []
    checked = names or provider_names()
    for name in checked:
        problems += [
            {"contract": name, "problem": " ".join(problem.split())}
            for problem in problems_of(_folder(name))
        ]
    document = {"checked": list(checked), "problems": problems}
    if as_json:
        with as_far_as_read():
            show(document, lambda _: [], as_json=True)
    else:
        for it in problems:
            tell(f"error: {it['problem']}")
        wrong = len({it["contract"] for it in problems})
        tell(f"{len(checked)} checked, {wrong} invalid")
    raise SystemExit(Exit.INVALID if problems else Exit.OK)


def _folder(name: str) -> Path:
    from screentest.specs.contracts.contract import FOLDER, provider_names

    if name in provider_names():
        return FOLDER / name
    folder = Path(name)
    if not name or not folder.is_dir():
        hint = "name a provider, or a folder with openapi.yaml and behaviour.yaml"
        fail(no_such("provider or folder", name, provider_names()), hint)
    return folder


def _rows(known: list[Json]) -> Iterable[str]:
    head = ("PROVIDER", "NAME", "OPERATIONS", "READINGS", "DOCUMENT", "READ")
    return table(
        [head]
        + [
            (
                it["id"],
                it["name"],
                it["operations"],
                it["interpretations"],
                it["document"],
                it["read"],
            )
            for it in known
        ]
    )

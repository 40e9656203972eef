"""`screentest spec`: list contracts, check their files, compare them with a new OpenAPI file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import to_builtins

from screentest.specs.errors import no_such
from screentest.specs.json_types import Json

from ..contracts import contract_option, warn_of_retirements
from ..exit_codes import Exit
from ..files import input_file
from ..groups import group
from ..output import as_far_as_read, fail, json_option, say, show, table, tell

if TYPE_CHECKING:
    from screentest.specs.contracts.registry import Contracts, Source


@group("spec", first="list")
def command() -> None:
    """List, check and explain contracts, or compare them with a new OpenAPI file."""


@command.command("list")
@contract_option
@json_option
def list_contracts(*, contracts: Contracts, as_json: bool) -> None:
    """List the providers and what their contracts describe."""
    known = [
        {
            "id": it.provider,
            "name": it.behaviour.name,
            "operations": len(it.operations),
            "interpretations": len(it.behaviour.interpretations),
            "document": it.behaviour.document_url,
            "read": it.behaviour.document_read,
            "from": _origin(contracts.source(it.provider)),
            "retires": to_builtins(it.behaviour.retires),
        }
        for it in contracts
    ]
    warn_of_retirements(contracts)
    show(known, _rows, as_json=as_json)


@command.command("lint")
@click.argument("names", metavar="[PROVIDER|FOLDER|FILE]...", nargs=-1)
@json_option
def lint(names: tuple[str, ...], *, as_json: bool) -> None:
    """Check contracts: packaged ones by name, a folder, or an OpenAPI file alone.

    The files of a folder are checked against their schemas and against each other. A file of a
    folder with a behaviour file means that folder. Each problem is a line with its file and line.
    Exit code 4 if there is one.
    """
    from screentest.specs.contracts.contract import read_contract
    from screentest.specs.contracts.registry import shipped_contracts
    from screentest.specs.linting.lint import problems_of

    problems: list[Json] = []
    checked = [*dict.fromkeys(map(_whole, names))] or shipped_contracts().names
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
        invalid = {it["contract"] for it in problems}
        warn_of_retirements(read_contract(_folder(it)) for it in checked if it not in invalid)
        wrong = len(invalid)
        tell(f"{len(checked)} checked, {wrong} invalid")
    raise SystemExit(Exit.INVALID if problems else Exit.OK)


#: The files of a contract, without suffixes. Any other OpenAPI file is a contract by itself.
_FILES = {"openapi", "behaviour", "readings", "checks", "clauses"}


def _whole(name: str) -> str:
    """The folder of a contract if *name* is one of its files, as a commit hook gives them."""
    from screentest.specs.files import BEHAVIOUR

    path = Path(name)
    is_part = path.is_file() and path.stem in _FILES and (path.parent / BEHAVIOUR).exists()
    return str(path.parent) if is_part else name


@command.command("explain")
@click.argument("name", metavar="PROVIDER|FOLDER|FILE")
@json_option
def explain(*, name: str, as_json: bool) -> None:
    """Show what a contract says: states, prices, refusals, limits, webhooks, interpretations.

    Each point has its file and line, and what it rests on: `documented` by a clause, an
    `interpretation`, `guessed` by `screentest new`, or `assumed`. The end says what
    `screentest verify` could judge.
    """
    from screentest.contract_tests.rules.contract_rules import FAMILIES, rules_of
    from screentest.specs.checks.checks_file import load_checks
    from screentest.specs.contracts.contract import read_contract
    from screentest.specs.describing.explanation import explain

    contract = read_contract(_folder(name))
    checks = load_checks(contract)
    rules = rules_of(contract, checks).values()
    cited = {clause for rule in rules for clause in rule.clauses}
    families = Counter(FAMILIES[it.family] for it in rules)
    bound = [it for it in checks.clauses.values() if it.binds == "server"]
    document = {
        "provider": contract.provider,
        "points": to_builtins(explain(contract)),
        "verify": {
            "rules": dict(families),
            "clauses": len(checks.clauses),
            "clauses_with_rules": sum(it.id in cited for it in bound),
            "clauses_without_rules": [it.id for it in bound if it.id not in cited],
            "clauses_of_others": len(checks.clauses) - len(bound),
        },
    }
    with as_far_as_read():
        show(document, _explained_lines, as_json=as_json)


def _explained_lines(document: Json) -> Iterable[str]:
    for section, points in groupby(document["points"], lambda it: it["section"]):
        yield section
        for it in points:
            place = f"{it['file']}:{it['line']}" if it["line"] else it["file"]
            basis = f"{it['basis']} ({', '.join(it['cites'])})" if it["cites"] else it["basis"]
            first, *further = it["says"].splitlines() or [""]
            yield f"  {it['name']}: {first}"
            yield from (f"  {' ' * len(it['name'])}  {line}" for line in further)
            yield f"    {place}  {basis}"
    judged = document["verify"]
    yield "verify could judge"
    families = ", ".join(f"{count} {name}" for name, count in judged["rules"].items())
    yield f"  {sum(judged['rules'].values())} rules: {families}"
    if judged["clauses"]:
        yield (
            f"  {judged['clauses_with_rules']} of {judged['clauses']} clauses; "
            f"{judged['clauses_of_others']} more bind clients or readers"
        )
        missing = judged["clauses_without_rules"]
        yield f"  no rule for: {', '.join(missing) or 'none'}"


@command.command("schema")
@click.argument("file", type=click.Choice(("behaviour", "readings", "checks", "clauses")))
def schema(*, file: str) -> None:
    """Print the JSON Schema of a contract's file, for editors.

    `# yaml-language-server: $schema=PATH` as the first line of a file makes an editor use it.
    """
    from screentest.specs.formats import SCHEMAS

    with as_far_as_read():
        say((SCHEMAS / f"{file}.schema.json").read_text(encoding="utf-8").rstrip())


@command.command("diff")
@click.argument("old", metavar="PROVIDER|FOLDER")
@click.argument("new", type=input_file())
@json_option
def diff(*, old: str, new: Path, as_json: bool) -> None:
    """Show what a vendor's NEW OpenAPI file breaks in the behaviour of a contract.

    Only what the behaviour file names is compared: operations, fields, states, statuses, security.
    Exit code 1 if something breaks, 4 if a file is invalid.
    """
    from screentest.specs.contracts.contract import read_contract
    from screentest.specs.files import BEHAVIOUR, placed
    from screentest.specs.linting.document_changes import changes_of
    from screentest.specs.openapi.document_file import read_document

    contract = read_contract(_folder(old))
    changes = list(changes_of(contract, read_document(new)))
    rules = contract.folder / BEHAVIOUR
    shown: list[Json] = [
        {"breaks": it.breaks, "place": it.place, "detail": it.detail} for it in changes
    ]
    for it in shown:
        (it["line"],) = placed(rules, {it["place"]: it["detail"]})
    broken = sum(it.breaks for it in changes)
    document = {"breaks": broken, "changes": shown}
    with as_far_as_read():
        show(document, _change_lines, as_json=as_json)
    tell(f"{broken} changes break {rules}, {len(changes) - broken} others")
    raise SystemExit(Exit.FOUND if broken else Exit.OK)


def _change_lines(document: Json) -> Iterable[str]:
    for is_breaking, head in ((True, "breaks:"), (False, "also changed:")):
        found = [it["line"] for it in document["changes"] if it["breaks"] is is_breaking]
        if found:
            yield head
            yield from (f"  {it}" for it in found)


def _folder(name: str) -> Path:
    from screentest.specs.contracts.registry import find_contracts, shipped_contracts

    shipped = shipped_contracts()
    if name in shipped:
        return shipped.source(name).place
    folder = Path(name)
    if name and folder.exists():
        return folder
    # Found last: finding them reads the contracts that settings name.
    known = find_contracts()
    if name not in known:
        hint = "name a provider, a folder with openapi.yaml, or an OpenAPI file"
        fail(no_such("provider or folder", name, known.names), hint)
    return known.source(name).place


def _origin(source: Source) -> str:
    from screentest.specs.contracts.registry import SHIPPED

    if source.origin == SHIPPED:
        return SHIPPED
    return f"{source.place} ({source.origin})"


def _rows(known: list[Json]) -> Iterable[str]:
    head = ("PROVIDER", "NAME", "OPERATIONS", "READINGS", "DOCUMENT", "READ", "FROM")
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
                it["from"],
            )
            for it in known
        ]
    )

"""Every clause of a provider's document is named by a test, and every named clause exists.

A test names what it covers with `@pytest.mark.clause("OZ-055", "OZ-056")`. The clauses are in
`specs/<provider>/clauses.yaml`. Only the source of the tests is read; no test is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from screentest.specs.clauses.clauses import read_clauses
from screentest.specs.contracts.registry import load_contract, shipped_contracts

TESTS = Path(__file__).parent


def is_clause_marker(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "clause"
    )


def clauses_named_in(file: Path) -> Iterator[tuple[str, str]]:
    """(place, clause id) for each id that a marker in *file* names.

    Raises:
        AssertionError: an argument of a marker is not a literal id, so a reader cannot look it up.
    """
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if not is_clause_marker(node):
            continue
        assert isinstance(node, ast.Call)
        for argument in node.args:
            place = f"{file.relative_to(TESTS.parent)}:{argument.lineno}"
            value = argument.value if isinstance(argument, ast.Constant) else None
            assert isinstance(value, str), f"{place}: clause() takes literal ids such as 'OZ-055'"
            yield place, value


@cache
def places_by_clause() -> dict[str, list[str]]:
    """Where each clause is named, over all tests."""
    places: dict[str, list[str]] = {}
    for file in sorted(TESTS.rglob("test_*.py")):
        for place, clause in clauses_named_in(file):
            places.setdefault(clause, []).append(place)
    return places


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_every_clause_is_named_by_a_test(provider: str) -> None:
    named, clauses = places_by_clause(), read_clauses(load_contract(provider))

    missing = [f"  {it.id}: {it.says}" for it in clauses.values() if it.id not in named]

    report = "\n".join(missing)
    assert not missing, f"{len(missing)} clauses of {provider} have no test:\n{report}"


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_clauses_are_numbered_and_worded(provider: str) -> None:
    contract = load_contract(provider)
    clauses = read_clauses(contract)
    # The loader keeps the last of two equal keys in silence, so the ids are read from the text too.
    text = (contract.folder / "clauses.yaml").read_text()
    written = re.findall(r"^([A-Z]{2}-\d{3}):", text, re.MULTILINE)

    assert written == list(clauses), "an id is used twice, or is not of the form OZ-055"
    assert len({id.split("-")[0] for id in written}) == 1
    assert written == sorted(written)
    assert [it.id for it in clauses.values() if not it.says.endswith(".")] == []


def test_no_test_names_a_clause_that_does_not_exist() -> None:
    """A slip such as OZ-550 for OZ-055 would otherwise hide a gap."""
    known = {
        id for provider in shipped_contracts().names for id in read_clauses(load_contract(provider))
    }

    strangers = {id: places for id, places in places_by_clause().items() if id not in known}

    assert strangers == {}

"""Refusals say in words what a regular expression of a contract asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from screentest.specs.contracts.controls import load_controls
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Schema

CONTRACTS = [*shipped_contracts().names, "control"]


def contract(name: str) -> tuple[Json, Mapping[str, Operation]]:
    loaded = load_controls() if name == "control" else load_contract(name)
    return loaded.document, loaded.operations


def patterns_below(documents: Documents, node: Json, seen: set[str]) -> Iterator[str]:
    """The patterns of a schema and of all that it refers to."""
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            seen.add(reference)
            yield from patterns_below(documents, documents.resolve(node), seen)
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in inner:
        yield from patterns_below(documents, value, seen)


def patterns_of_requests(name: str) -> set[str]:
    """A path parameter of another form names nothing, so its pattern is never reported."""
    document, operations = contract(name)
    documents, seen = Documents(name, document), set[str]()
    asked = [schema for it in operations.values() for schema in it.bodies.values()]
    detail = ("query", "header")
    asked += [at.schema for it in operations.values() for at in it.parameters if at.place in detail]
    return {it for schema in asked for it in patterns_below(documents, schema.schema, seen)}


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_pattern_of_a_request_is_said_in_words(name: str) -> None:
    words = contract(name)[0]["x-screentest-patterns"]

    assert patterns_of_requests(name) - words.keys() == set()


@pytest.mark.parametrize("name", CONTRACTS)
def test_no_words_are_left_for_a_pattern_that_is_gone(name: str) -> None:
    document, _ = contract(name)
    shape = {key: value for key, value in document.items() if not key.startswith("x-")}

    used = set(patterns_below(Documents(name, document), shape, set()))

    assert document["x-screentest-patterns"].keys() - used == set()


def test_pattern_without_words_is_shown_itself() -> None:
    documents = Documents("any", {"schemas": {"Code": {"type": "string", "pattern": "^[a-z]+$"}}})

    (broken,) = list(_violations(documents, "7"))

    assert broken == "code: expected text that matches ^[a-z]+$, got '7'"


def test_pattern_with_words_is_said_in_words() -> None:
    words = {"^[a-z]+$": "lower-case letters"}
    schemas = {"Code": {"type": "string", "pattern": "^[a-z]+$"}}
    documents = Documents("any", {"x-screentest-patterns": words, "schemas": schemas})

    (broken,) = list(_violations(documents, "7"))

    assert broken == "code: expected lower-case letters, got '7'"


def _violations(documents: Documents, value: Json) -> Iterator[str]:
    schema = Schema(documents, ("schemas", "Code"), "body")
    return (violation.message for violation in schema.violations(value, under="/code"))

"""Check contract files that are not known to be correct.

A server skips this: it expects files that were checked before.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs

from ..clauses.citing_places import wrong_citations
from ..contracts.contract import read_contract
from ..errors import ContractError
from ..files import read_yaml
from ..json_types import Json
from ..openapi.operations import METHODS, Operation
from ..openapi.validation import Documents, Schema
from .behaviour_lint import problems_of_behaviour

SCHEMA_FILE = Path(__file__).with_name("openapi.schema.json")
#: These contain values, in which `$ref` is an ordinary field.
_VALUES = frozenset({"example", "examples", "value", "default", "enum", "const"})
_TOLD_MAX = 300


def lint_contract(folder: Path) -> None:
    """Check both files in *folder* against their schemas and against each other.

    Raises:
        ContractError: the first thing that is wrong.
    """
    for problem in problems_of(folder):
        raise ContractError(problem)


def problems_of(folder: Path) -> Iterator[str]:
    """What is wrong with the contract in *folder*.

    A file that cannot be read, or that breaks its schema, hides what comes after it.
    """
    path = folder / "openapi.yaml"
    try:
        read_contract(folder)
        _check_document(path, read_yaml(path))
        contract = read_contract(folder)
        for operation in contract.operations.values():
            _check_schemas(path, operation)
        for reading in contract.readings():
            if reading.document is not contract.document:
                _check_document(path, reading.document)
                for operation in reading.operations.values():
                    _check_schemas(path, operation)
        found = list(problems_of_behaviour(contract))
    except ContractError as error:
        yield str(error)
        return
    for problem in found:
        yield f"{folder / 'behaviour.yaml'}: {problem}"
    try:
        for problem in wrong_citations(contract):
            yield f"{folder}/{problem}"
    except ContractError as error:
        yield str(error)


def _check_document(path: Path, document: Json) -> None:
    for at, key in _odd_keys(document, ""):
        raise ContractError(
            f"{path}: at {at or '/'}: the key {key!r} is not a text; put it in quotes"
        )
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text()))
    for error in validator.iter_errors(document):
        where = "/".join(str(step) for step in error.instance_path)
        place = f"at {where}: " if where else ""
        raise ContractError(f"{path}: {place}{error.message[:_TOLD_MAX]}")
    _check_references(path, document)
    named = Counter(
        item[method]["operationId"]
        for item in document["paths"].values()
        for method in METHODS
        if method in item
    )
    for name, count in named.items():
        if count > 1:
            raise ContractError(f"{path}: {count} operations are called {name!r}")


def _odd_keys(value: Json, at: str) -> Iterator[tuple[str, Json]]:
    """(pointer, key) of every key that JSON cannot have."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield at, key
            yield from _odd_keys(inner, f"{at}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _odd_keys(inner, f"{at}/{index}")


def _check_references(path: Path, document: Json) -> None:
    documents = Documents(str(path), document)
    for at, reference in _references(document, ""):
        if not isinstance(reference, str) or not reference.startswith("#/"):
            detail = "points out of this file; write #/…"
            raise ContractError(f"{path}: at {at}: the $ref {reference!r} {detail}")
        try:
            documents.at(documents.steps(reference))
        except (LookupError, TypeError, ValueError):
            detail = "points at nothing"
            raise ContractError(f"{path}: at {at}: the $ref {reference!r} {detail}") from None


def _references(value: Json, at: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        if "$ref" in value and not isinstance(value["$ref"], dict):
            yield at, value["$ref"]
        for key, inner in value.items():
            if key not in _VALUES:
                yield from _references(inner, f"{at}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _references(inner, f"{at}/{index}")


def _check_schemas(path: Path, operation: Operation) -> None:
    for schema in _schemas(operation):
        try:
            schema.is_valid(None)
        except ValueError as error:
            detail = str(error).partition("\n")[0][:_TOLD_MAX]
            raise ContractError(f"{path}: a schema of {operation.id}: {detail}") from None


def _schemas(operation: Operation) -> Iterator[Schema]:
    yield from (it.schema for it in operation.parameters)
    yield from operation.bodies.values()
    for shape in operation.replies.values():
        yield from (it for it in (*shape.content.values(), shape.event) if it is not None)

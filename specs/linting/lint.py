"""Check contract files that are not known to be correct.

A server skips this: it expects files that were checked before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..clauses.citing_places import wrong_citations
from ..contracts.contract import read_contract
from ..errors import ContractError
from ..openapi.document_file import check_document
from ..openapi.operations import Operation
from ..openapi.validation import Schema
from .behaviour_lint import problems_of_behaviour

_SHOWN_MAX = 300


def lint_contract(folder: Path) -> None:
    """Check both files in *folder* against their schemas and against each other.

    Raises:
        ContractError: everything that is wrong.
    """
    problems = list(problems_of(folder))
    if problems:
        raise ContractError(*problems)


def problems_of(folder: Path) -> Iterator[str]:
    """What is wrong with the contract in *folder*, each with its file and line where it has one.

    A file that cannot be read, or that breaks its schema, hides what comes after it.
    """
    path = folder / "openapi.yaml"
    try:
        contract = read_contract(folder)
        problems = [it for operation in contract.operations.values() for it in _wrong(operation)]
        for reading in contract.readings():
            if reading.document is not contract.document:
                check_document(path, reading.document)
                problems += [it for one in reading.operations.values() for it in _wrong(one)]
        yield from (f"{path}: {it}" for it in dict.fromkeys(problems))
        yield from (f"{folder / 'behaviour.yaml'}: {it}" for it in problems_of_behaviour(contract))
        yield from (f"{folder}/{it}" for it in wrong_citations(contract))
    except ContractError as error:
        yield from error.problems


def _wrong(operation: Operation) -> Iterator[str]:
    for schema in _schemas(operation):
        try:
            schema.is_valid(None)
        except ValueError as error:
            detail = str(error).partition("\n")[0][:_SHOWN_MAX]
            yield f"a schema of {operation.id}: {detail}"


def _schemas(operation: Operation) -> Iterator[Schema]:
    yield from (it.schema for it in operation.parameters)
    yield from operation.bodies.values()
    for shape in operation.replies.values():
        yield from (it for it in (*shape.content.values(), shape.event) if it is not None)

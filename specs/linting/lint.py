"""Check contract files that are not known to be correct.

A server skips this: it expects files that were checked before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..checks.checks_file import load_checks
from ..clauses.citing_places import wrong_citations
from ..contracts.contract import read_contract
from ..errors import ContractError
from ..files import BEHAVIOUR, CHECKS, read_as_built
from ..openapi.document_file import check_document, openapi_file
from .behaviour_lint import problems_of_behaviour


def lint_contract(place: Path) -> None:
    """Check the files at *place* against their schemas and against each other.

    Raises:
        ContractError: everything that is wrong.
    """
    problems = list(problems_of(place))
    if problems:
        raise ContractError(*problems)


def problems_of(place: Path) -> Iterator[str]:
    """What is wrong with the contract at *place*, each with its file and line where it has one.

    A file that cannot be read, or that breaks its schema, hides what comes after it.
    """
    try:
        contract, path = read_contract(place), openapi_file(place)
        if read_as_built(path) is not None:
            # Any other file was checked when it was read.
            check_document(path, contract.document)
        _ = contract.operations
        for reading in contract.readings():
            if reading.document is not contract.document:
                check_document(path, reading.document)
        rules = contract.folder / BEHAVIOUR
        yield from (f"{rules}: {it}" for it in problems_of_behaviour(contract))
        yield from (f"{contract.folder}/{it}" for it in wrong_citations(contract))
        if contract.content(CHECKS):
            load_checks(contract)
    except ContractError as error:
        yield from error.problems

"""Tools that read the contracts: operations, shapes, rules, and the clauses behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.clauses.clauses import read_clauses
from screentest.specs.contracts.contract import Contract
from screentest.specs.files import BEHAVIOUR, read_yaml
from screentest.specs.json_types import Json
from screentest.specs.openapi.documents import Documents

from ...kernel.errors import unknown
from .inlined import inlined
from .tool import Answer, Mock, Tool

_PROVIDER = {
    "type": "string",
    "description": "An id that list_providers has.",
}


def contract_tools() -> Iterator[Tool]:
    """The tools about contracts, which need no running mock."""
    yield Tool(
        "list_operations",
        "List the operations of a provider: id, method, path and summary.",
        {"provider": _PROVIDER},
        _list_operations,
        required=("provider",),
    )
    yield Tool(
        "get_operation",
        "Read one operation: its parameters, bodies and answers, its price and rules, the order in "
        "which the provider refuses, and the clauses of the provider's document about it.",
        {"provider": _PROVIDER, "operation": {"type": "string"}},
        lambda mock, given: Answer(
            shown_operation(mock.contracts.load(given["provider"]), given["operation"])
        ),
        required=("provider", "operation"),
    )


def _list_operations(mock: Mock, given: Mapping[str, Json]) -> Answer:
    contract = mock.contracts.load(given["provider"])
    return Answer(
        {
            "base_url": contract.behaviour.base_url,
            "document": contract.behaviour.document_url,
            "operations": [
                {"id": it.id, "method": it.method, "path": it.path, "summary": it.summary}
                for it in contract.operations.values()
            ],
        }
    )


def shown_operation(contract: Contract, operation_id: str) -> Json:
    """The operation as the contract's files have it, without references.

    Raises:
        MockError: the contract has no operation of this name.
    """
    operation = contract.operations.get(operation_id)
    if operation is None:
        raise unknown("operation", operation_id, contract.operations)
    documents = Documents(contract.provider, contract.document)
    item = documents.content["paths"][operation.path]
    place = contract.folder / BEHAVIOUR
    rules = read_yaml(place) if place.exists() else {}
    clauses = read_clauses(contract).values()
    return {
        "method": operation.method,
        "path": operation.path,
        "parameters": inlined(documents, item.get("parameters", [])),
        "openapi": inlined(documents, item[operation.method.lower()]),
        "rules": rules.get("operations", {}).get(operation_id),
        "refusals_in_order": rules.get("refusals", {}).get("order"),
        "clauses": {it.id: it.says for it in clauses if operation_id in it.about.operation},
    }

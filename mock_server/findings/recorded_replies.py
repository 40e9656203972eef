"""How a recorded reply differs from what its provider documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Schema, Violation

from .citations import CLAUSES_MAX, source_of_operation
from .field_names import meant_field

_CODE = "SC502"


def departures(
    contract: Contract, operation: Operation, status: int, headers: Mapping[str, str], body: Json
) -> list[Json]:
    """How a reply breaks the contract, with a fix and the source of the rule.

    Names of *headers* are lower case. *body* None means without a body.
    """
    content_type = headers.get("content-type", "application/json" if body is not None else None)
    found = [*operation.reply_violations(status, content_type, body)]
    shape = operation.reply(status)
    for name in sorted(shape.headers) if shape is not None else ():
        if name.lower() not in headers:
            found.append(Violation("header", f"/{name}", "required", "a value", "nothing"))
    return [
        {
            "code": _CODE,
            "location": it.location,
            "pointer": it.pointer,
            "expected": it.expected,
            "actual": it.actual,
            "message": it.message,
            "fix": _fix(contract, operation, status, it),
            "source": _source(contract, operation, status, it),
        }
        for it in found
    ]


def _fix(contract: Contract, operation: Operation, status: int, broken: Violation) -> str:
    """Either the reply is not the provider's, or the contract is outdated."""
    place = f"specs/{contract.provider}/openapi.yaml"
    if broken.location == "status":
        return f"if the provider answers {status}, add it to {operation.id} in {place}"
    name = broken.pointer.rpartition("/")[2]
    if broken.keyword in {"additionalProperties", "unevaluatedProperties"}:
        known = [
            field
            for schema in _schemas(operation, status)
            for field in schema.fields.beside(broken.pointer)
        ]
        meant = meant_field(name, known)
        if meant is not None:
            return f"did you mean {meant!r}? else add {name!r} to {place}"
        return f"if the provider sends {name!r}, add it to {place}"
    return f"if the provider answers so, correct {name or 'the body'!r} in {place}"


def _source(contract: Contract, operation: Operation, status: int, broken: Violation) -> str:
    """The clauses of the innermost schema that names some, else those of the operation."""
    for schema in _schemas(operation, status):
        clauses = schema.fields.sources(broken.pointer)
        if clauses:
            return f"{contract.behaviour.document_url} {', '.join(clauses[:CLAUSES_MAX])}"
    return source_of_operation(contract, operation.id)


def _schemas(operation: Operation, status: int) -> Iterator[Schema]:
    shape = operation.reply(status)
    for schema in shape.content.values() if shape is not None else ():
        if schema is not None:
            yield schema

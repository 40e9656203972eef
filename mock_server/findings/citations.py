"""The source of a finding: the provider's public document, and clause ids in it.

The ids come from the contract's `cites`, or from the rule that did the refusing: a rate window, a
cap, a price. At most three are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.reasons import reason_called
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ..engine.provider import Refusal

CLAUSES_MAX = 3
_UNKNOWN_FIELD = "unknown_field"
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties"})


def source_of_refusal(contract: Contract, operation: str, refusal: Refusal) -> str:
    """The document and the clauses behind *refusal*; the first violation's, where it has some."""
    if refusal.violations:
        return source_of_violation(contract, operation, refusal.violations[0])
    rules = contract.behaviour
    cited: Sequence[str] | None = rules.cites.of_reason(operation, refusal.reason)
    if cited is None:
        cited = _of_rule(rules, operation, refusal)
    return _written(rules, cited if cited is not None else _of_operation(rules, operation))


def source_of_violation(contract: Contract, operation: str, violation: Violation) -> str:
    """The document and the clauses behind the rule that a request breaks."""
    rules = contract.behaviour
    cited = rules.cites.of_field(operation, violation.pointer, violation.keyword)
    if cited is None:
        reason = _UNKNOWN_FIELD if violation.keyword in _CLOSED else "invalid"
        cited = rules.cites.of_reason(operation, reason)
    return _written(rules, cited if cited is not None else _of_operation(rules, operation))


def source_of_unknown_field(contract: Contract, operation: str, pointer: str) -> str:
    """The document and the clauses behind a field that is not named there."""
    unknown = Violation("body", pointer, "additionalProperties", "", "")
    return source_of_violation(contract, operation, unknown)


def source_of_operation(contract: Contract, operation: str) -> str:
    """The document and the first clauses that an operation comes from."""
    return _written(contract.behaviour, _of_operation(contract.behaviour, operation))


def _of_rule(rules: Behaviour, operation: str, refusal: Refusal) -> Sequence[str] | None:
    """The source that the refusing rule itself names; None when it names none."""
    facts: Mapping[str, Json] = refusal.facts
    match reason_called(refusal.reason).ruled_by:
        case "rate_windows":
            windows = [it for it in rules.rate_windows if operation in it.operations]
            named = [it for it in windows if it.name == facts.get("action")] or windows
            return [named[0].source] if named else None
        case "retires":
            return [it.source for it in rules.retires if str(it) == facts["what"]]
        case "concurrency" if rules.concurrency is not None:
            return [rules.concurrency.source]
        case "idempotency" if rules.idempotency is not None:
            return [rules.idempotency.source]
        case _:
            return None


def _of_operation(rules: Behaviour, operation: str) -> Sequence[str]:
    found = rules.operations.get(operation)
    return found.source if found is not None else ()


def _written(rules: Behaviour, clauses: Sequence[str]) -> str:
    return f"{rules.document_url} {', '.join(clauses[:CLAUSES_MAX])}".strip()

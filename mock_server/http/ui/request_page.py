"""The list of requests, and one request with everything that is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from screentest.specs.behaviour.reasons import REASONS
from screentest.specs.clauses.clauses import read_clauses
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ...findings.explanations import explanation, explanations
from . import lists
from .snippets import as_curl, as_pytest
from .view import View

#: The gate that refuses for a category of reasons, by the names that `refusals.order` may have.
_GATES: Mapping[str, tuple[str, ...]] = {
    "auth": ("authentication",),
    "validation": ("validation", "body"),
    "idempotency": ("idempotency",),
    "rate_limit": ("rate_limit",),
    "not_found": ("existence",),
    "ownership": ("ownership", "existence"),
    "state": ("state",),
    "content": ("content",),
    "concurrency": ("concurrency",),
    "credits": ("credits",),
}
_BODY_CODES = frozenset(
    reason.code for name, reason in REASONS.items() if name in {"malformed_body", "too_large"}
)


class Gate(Struct, frozen=True):
    """One check of the pipeline: `passed`, `refused`, or `not reached`."""

    name: str
    outcome: str


def request_list(view: View) -> Mapping[str, object]:
    found = lists.requests(view)
    contract = view.worlds.contracts.get(view.args.get("provider", ""))
    return {
        "found": [line for _, line in found],
        "next": lists.next_before(len(found), lists.ROWS, found[-1][0] if found else None),
        "providers": list(view.worlds.contracts),
        "operations": list(contract.operations) if contract is not None else [],
        "statuses": list(lists.STATUSES),
        "codes": {code: it.title for code, it in explanations().items()},
    }


def one_request(view: View, request: str) -> Mapping[str, object]:
    line = view.ask("getRequest", request=request)
    contract = view.contract(line["provider"])
    operation = contract.operations.get(line["operation"] or "")
    prefix = "" if view.world.id == "default" else f"/w/{view.world.id}"
    sent = line["request"]
    url = f"{view.origin}{prefix}/{line['provider']}{sent['path']}"
    if sent["query"]:
        url += f"?{sent['query']}"
    return {
        "line": line,
        "operation": operation,
        "rules": contract.behaviour.operations.get(line["operation"] or ""),
        "gates": gates(contract.behaviour.refusal_order, line),
        "findings": [_finding(contract, it) for it in line["findings"]],
        "curl": as_curl(sent["method"], url, sent["headers"], sent.get("body", {}).get("text", "")),
        "pytest": as_pytest(line),
    }


def gates(order: Sequence[str], line: Json) -> list[Gate]:
    """The gates in the provider's order, with what each did with the request of *line*."""
    reason = line.get("reason", "")
    if not line["operation"] or reason.startswith(("fault:", "ours:", "contract:")):
        return []
    refusing: str | None = None
    if reason in _GATES and line["response"]["status"] >= 400:
        names = _GATES[reason]
        if any(it["code"] in _BODY_CODES for it in line["findings"]):
            names = names[::-1]
        refusing = next((it for it in names if it in order), None)
        if refusing is None:
            return []
    elif reason:
        return []
    found: list[Gate] = []
    outcome = "passed"
    for name in order:
        if name == refusing:
            found.append(Gate(name, "refused"))
            outcome = "not reached"
        else:
            found.append(Gate(name, outcome))
    return found


def _finding(contract: Contract, violation: Json) -> Mapping[str, object]:
    """A finding with what it means, and the provider's own sentences behind it."""
    clauses = read_clauses(contract)
    address, *cited = violation.get("source", "").replace(",", " ").split()[:4] or [""]
    return {
        "said": violation,
        "meaning": explanation(violation["code"]),
        "address": address if address.startswith("https://") else "",
        "clauses": [clauses[it] for it in cited if it in clauses],
    }

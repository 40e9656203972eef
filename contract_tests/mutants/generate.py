"""Generated mutants: every number off by one, every gate left out, fields dropped.

They come from the contract files alone, independently of the scenarios.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from screentest.specs.behaviour.reasons import category_of
from screentest.specs.contracts.contract import Contract
from screentest.specs.files import BEHAVIOUR, CHECKS
from screentest.specs.json_types import Json

from .mutant import Mutant

#: Dropped fields per answer: clients read the first ones.
_FIELDS_MAX = 4
_FAMILY_OF_GATE = {
    "authentication": "AUT",
    "ownership": "OWN",
    "existence": "OWN",
    "state": "LIF",
    "idempotency": "IDM",
    "rate_limit": "RTL",
    "concurrency": "RTL",
    "credits": "CRD",
}
_FAMILY_OF_CATEGORY = {
    "auth": "AUT",
    "ownership": "OWN",
    "not_found": "OWN",
    "credits": "CRD",
    "rate_limit": "RTL",
    "concurrency": "RTL",
    "idempotency": "IDM",
}
#: Reasons that the scenarios of every provider can bring about; the others need their own example.
_REACHED = frozenset(
    {
        "unknown_route",
        "wrong_method",
        "missing_credential",
        "unknown_credential",
        "revoked_credential",
        "wrong_content_type",
        "malformed_body",
        "invalid",
        "not_found",
        "foreign",
        "wrong_state",
        "insufficient_credits",
        "rate_limited",
        "too_many_running",
        "idempotency_mismatch",
    }
)


def generated(contract: Contract) -> list[Mutant]:
    """The mutants that operators make of a provider's files, numbered in a fixed order."""
    raw = {**contract.content(BEHAVIOUR), "checks": contract.content(CHECKS)}
    found: list[Mutant] = []
    for make in (_numbers, _guards, _statuses, _fields, _methods):
        for family, detail, seam, change in make(contract, raw):
            number = len(found) + 1
            found.append(
                Mutant(
                    f"GEN-{family}{number}",
                    family,
                    detail,
                    "generated",
                    seam,
                    change,
                    is_generated=True,
                )
            )
    return found


Made = tuple[str, str, str, Mapping[str, Json]]


def _numbers(contract: Contract, raw: Json) -> Iterator[Made]:
    for name, rules in raw["operations"].items():
        if "price" not in rules or raw["accounts"].get("initial_credits") is None:
            continue
        yield from _prices(name, rules["price"])
    for number, window in enumerate(raw.get("rate_windows", [])):
        if "when" in window:
            continue
        at = f"/rate_windows/{number}"
        for by in (1, -1):
            yield _off("RTL", f"{window['name']}: limit", f"{at}/limit", by)
        yield _scaled("RTL", f"{window['name']}: window", f"{at}/per_ms", 2)
    for tier in raw.get("concurrency", {}).get("limits", {}):
        for by in (1, -1):
            yield _off("RTL", f"jobs of {tier}", f"/concurrency/limits/{tier}", by)
    if "idempotency" in raw:
        for factor in (2, 0.5):
            yield _scaled("IDM", "life of a key", "/idempotency/keeps_ms", factor)
    for name, url in raw.get("urls", {}).items():
        if url["lives_ms"] is not None and _is_shown(raw, name):
            for factor in (2, 0.5):
                yield _scaled("URL", f"life of a {name} address", f"/urls/{name}/lives_ms", factor)
    for name, credential in raw["credentials"].items():
        if "active_max" in credential:
            for by in (1, -1):
                yield _off("AUT", "active keys", f"/credentials/{name}/active_max", by)
    if "webhooks" in raw:
        yield _off("WHK", "endpoints", "/webhooks/endpoints_max", 1)
        for number, _ in enumerate(raw["webhooks"]["retries_ms"]):
            yield _scaled("WHK", f"wait {number + 1}", f"/webhooks/retries_ms/{number}", 2)


def _is_shown(raw: Json, url: str) -> bool:
    views = [it for views in raw["checks"].get("views", {}).values() for it in views]
    return any(url in view.get("urls", {}) for view in views)


def _prices(name: str, price: Json) -> Iterator[Made]:
    at = f"/operations/{name}/price"
    rows = price.get("table", {}).get("rows")
    if rows:
        for path, leaf in _leaves(rows):
            for field in leaf:
                if field in {"base", "credits"}:
                    detail = f"price of {name}, {' '.join(path)}"
                    yield _off("CRD", detail, f"{at}/table/rows/{'/'.join(path)}/{field}", 1)
        return
    text = str(price["amount"])
    if text == "0":
        return
    for match in re.finditer(r"(?<![\w.])\d+", text):
        more = f"{text[: match.start()]}{int(match[0]) + 1}{text[match.end() :]}"
        detail = f"{name} costs {more} instead of {text}"
        yield "CRD", detail, "behaviour", {"at": f"{at}/amount", "set": more}
    moments = {"acceptance": "completion", "completion": "acceptance", "answer": None}
    other = moments[price["moment"]]
    if other is not None and text != "0":
        detail = f"{name} is paid at {other}"
        yield "CRD", detail, "behaviour", {"at": f"{at}/moment", "set": other}


def _leaves(rows: Json, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    if all(not isinstance(it, dict) for it in rows.values()):
        yield above, rows
        return
    for name, below in rows.items():
        yield from _leaves(below, (*above, name))


def _off(family: str, detail: str, at: str, by: int) -> Made:
    return family, f"{detail}: {'+' if by > 0 else ''}{by}", "behaviour", {"at": at, "add": by}


def _scaled(family: str, detail: str, at: str, factor: float) -> Made:
    return family, f"{detail}: times {factor}", "behaviour", {"at": at, "times": factor}


def _guards(contract: Contract, raw: Json) -> Iterator[Made]:
    """Every gate left out, except `body` and `validation`, without which nothing works."""
    for gate in raw["refusals"]["order"]:
        if gate in {"body", "content"} or not _is_used(contract, gate):
            continue
        family = _FAMILY_OF_GATE.get(gate, "STA")
        change = {"at": "/refusals/order", "without": gate}
        yield family, f"the gate {gate} is left out", "behaviour", change
    order = raw["refusals"]["order"]
    if order[:2] == ["authentication", "body"]:
        changed = ["body", "validation", "authentication", *order[3:]]
        yield (
            "AUT",
            "bodies are read before credentials",
            "behaviour",
            {"at": "/refusals/order", "set": changed},
        )


def _is_used(contract: Contract, gate: str) -> bool:
    """Whether a gate has any effect at this provider."""
    behaviour = contract.behaviour
    rules = behaviour.operations.values()
    match gate:
        case "ownership":
            # A hidden resource is answered as one that does not exist.
            return behaviour.foreign == "refuse" and any(it.targets for it in rules)
        case "existence":
            return any(it.targets for it in rules)
        case "state":
            return any(target.states for it in rules for target in it.targets)
        case "credits":
            return behaviour.initial_credits is not None
        case "rate_limit":
            return bool(behaviour.rate_windows)
        case "concurrency":
            return behaviour.concurrency is not None
        case "idempotency":
            return behaviour.idempotency is not None
        case _:
            return True


def _statuses(contract: Contract, raw: Json) -> Iterator[Made]:
    """Every refusal with the status of another one."""
    replies = raw["refusals"]["replies"]
    statuses = sorted({it["status"] for it in replies.values() if it["status"] < 500})
    for reason, reply in replies.items():
        if reason not in _REACHED or not _is_reached(contract, raw, reason):
            continue
        others = [status for status in statuses if status != reply["status"]]
        if others:
            place = (
                (statuses.index(reply["status"]) + 1) % len(others)
                if (reply["status"] in statuses)
                else 0
            )
            detail = f"{reason} answers {others[place]} instead of {reply['status']}"
            at = f"/refusals/replies/{reason}/status"
            family = _FAMILY_OF_CATEGORY.get(category_of(reason), "STA")
            yield family, detail, "behaviour", {"at": at, "set": others[place]}


def _is_reached(contract: Contract, raw: Json, reason: str) -> bool:
    refused = {it["because"] for it in raw["checks"].get("refused", []) if "because" in it}
    rules = contract.behaviour.operations.values()
    match reason:
        case "foreign":
            return contract.behaviour.foreign == "refuse"
        case "not_found":
            return any(it.targets for it in rules)
        case "wrong_state":
            return any(target.states for it in rules for target in it.targets)
        case "wrong_content_type" | "malformed_body":
            return reason in refused
        case _:
            return True


def _fields(contract: Contract, raw: Json) -> Iterator[Made]:
    """The first fields of every good answer, left out or null."""
    for name, operation in contract.operations.items():
        shape = next((it for status, it in sorted(operation.replies.items()) if status < "3"), None)
        example = shape.example if shape is not None else None
        path, fields = "", example
        if isinstance(example, list) and example and isinstance(example[0], dict):
            path, fields = "/*", example[0]
        elif isinstance(example, dict):
            inner = [it for it in example.items() if isinstance(it[1], dict)]
            if len(example) <= 2 and inner:
                path, fields = f"/{inner[0][0]}", inner[0][1]
        if not isinstance(fields, dict):
            continue
        for number, field in enumerate(list(fields)[:_FIELDS_MAX]):
            at = f"{path}/{field}"
            if number % 2:
                yield "SCH", f"{name} answers without {at}", "reply", {"of": name, "drop": [at]}
            elif fields[field] is not None:
                yield (
                    "SCH",
                    f"{name} answers {at} as null",
                    "reply",
                    {"of": name, "set": {at: None}, "when": {}},
                )


def _methods(contract: Contract, raw: Json) -> Iterator[Made]:
    """Every operation without access control, and without checks of its input."""
    for name, operation in contract.operations.items():
        if operation.security:
            detail = f"{name} accepts every key"
            yield "AUT", detail, "request", {"of": name, "any_key": True}
        has_ids = bool(operation.path_names)
        if operation.security and has_ids:
            yield "OWN", f"{name} accepts every owner", "request", {"of": name, "any_owner": True}
        if "application/json" in operation.bodies and operation.is_body_required:
            detail = f"{name} takes a bad body for a good one"
            yield "STA", detail, "request", {"of": name, "forgive": True}

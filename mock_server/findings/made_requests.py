"""Whether a client has sent what a test expects: count, order, and the nearest miss."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from screentest.specs.json_types import Json

from ..kernel.errors import MockError

#: Text of a value in a message.
_SHOWN_MAX = 80

Lines = Sequence[Mapping[str, Json]]


class Wanted(Struct, frozen=True):
    """Requests to *operations*, with all further conditions that are given.

    One operation has to come *times* times (0: never; None: at least once); several have to come
    in this order, with any requests between them. *body* has fields that a request has to have.
    """

    operations: Sequence[str]
    times: int | None = None
    provider: str | None = None
    status: int | None = None
    path: str | None = None
    body: Mapping[str, Json] | None = None

    @property
    def conditions(self) -> Mapping[str, Json]:
        found = {name: getattr(self, name) for name in ("provider", "status", "path", "body")}
        return {name: value for name, value in found.items() if value is not None}


def sent_body(line: Mapping[str, Json]) -> Json:
    """The decoded JSON of a request, or the texts of its form; None without either."""
    request = line["request"]
    if "form" in request:
        return {it["name"]: it.get("text", it.get("file")) for it in request["form"]}
    try:
        return json.loads(request["body"]["text"]) if "body" in request else None
    except ValueError:
        return None


def made_requests(lines: Lines, wanted: Wanted) -> tuple[Lines, str]:
    """The journal *lines* that are *wanted*, and how they differ from it; "" if they do not.

    Raises:
        MockError: *times* goes with several operations.
    """
    conditions = wanted.conditions
    if len(wanted.operations) > 1:
        if wanted.times is not None:
            raise MockError("times counts one operation; it does not go with an order")
        return _in_order(lines, wanted.operations, conditions)
    operation, times = wanted.operations[0], wanted.times
    found = [it for it in lines if not list(_misses(it, operation, conditions))]
    if found if times is None else len(found) == times:
        return found, ""
    expected = "at least one request" if times is None else f"{times} requests"
    is_short = len(found) < (1 if times is None else times)
    ids = ", ".join(it["id"] for it in found)
    return found, (
        f"expected {expected} to {operation}{_described(conditions)}, got {len(found)}"
        + (_nearest(lines, operation, conditions) if is_short else f": {ids}")
    )


def _in_order(
    lines: Lines, operations: Sequence[str], conditions: Mapping[str, Json]
) -> tuple[Lines, str]:
    found: list[Mapping[str, Json]] = []
    rest = iter(lines)
    for operation in operations:
        fitting = (it for it in rest if not list(_misses(it, operation, conditions)))
        line = next(fitting, None)
        if line is None:
            after = f" after {found[-1]['id']} ({found[-1]['operation']})" if found else ""
            came = " -> ".join(str(it["operation"]) for it in lines) or "no requests"
            missing = f"expected {operation}{_described(conditions)}{after}"
            return found, f"{missing}; the order was: {came}"
        found.append(line)
    return found, ""


def _nearest(lines: Lines, operation: str, conditions: Mapping[str, Json]) -> str:
    """The request that misses the fewest conditions, and what it misses."""
    missed = [(list(_misses(it, operation, conditions)), it) for it in lines]
    near = min((it for it in missed if it[0]), key=lambda it: len(it[0]), default=None)
    if near is None:
        return "; there were no other requests"
    misses, line = near
    request = line["request"]
    return f"; nearest: {line['id']} {request['method']} {request['path']}: {'; '.join(misses)}"


def _misses(
    line: Mapping[str, Json], operation: str, conditions: Mapping[str, Json]
) -> Iterator[str]:
    """What *line* has otherwise than wanted."""
    if line["operation"] != operation:
        yield f"operation was {line['operation']}"
    facts = {
        "provider": line["provider"],
        "status": line["response"]["status"],
        "path": line["request"]["path"],
    }
    for name, value in conditions.items():
        if name != "body":
            if facts[name] != value:
                yield f"{name} was {_shown(facts[name])}"
            continue
        body = sent_body(line)
        has = body if isinstance(body, dict) else {}
        for field, content in value.items():
            if field not in has:
                yield f"body.{field} was missing"
            elif has[field] != content:
                yield f"body.{field} was {_shown(has[field])}"


def _described(conditions: Mapping[str, Json]) -> str:
    detail = ", ".join(f"{name}={_shown(value)}" for name, value in conditions.items())
    return f" with {detail}" if detail else ""


def _shown(value: Json) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"

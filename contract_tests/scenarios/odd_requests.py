"""Requests with exactly one fault, and requests at the edge of what a schema accepts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.media_types import plain
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.parameters import Parameter
from screentest.specs.openapi.validation import Schema, Violation

from ..targets.plans import changed

#: Values of every type and size; those that a schema refuses make a request with one fault.
_ODD: tuple[Json, ...] = (
    None,
    "",
    "no-such-value-of-the-kit",
    "x" * 70_000,
    0,
    -(10**9),
    10**9,
    1.5,
    True,
    [],
    {},
)
_ABSENT = object()
UNKNOWN_FIELD = "an unknown field"
_JSON = "application/json"


def bad_plans(
    contract: Contract, name: str, plan: RequestPlan
) -> Iterator[tuple[Violation, RequestPlan]]:
    """Requests to *name* with exactly one fault, and what it is."""
    operation = contract.operations[name]
    yield from _bad_queries(operation, plan)
    for content_type, schema in operation.bodies.items():
        if plan.json is not None and plain(content_type) == (plan.type or _JSON):
            yield from _bad_bodies(contract, schema, plan)
        elif plan.form is not None and content_type.startswith("multipart/"):
            for field in schema.schema.get("required", ()):
                missing = Violation("body", f"/{field}", "required", "a value", "nothing")
                yield missing, changed(plan, {}, (field,))


def good_plans(
    contract: Contract, name: str, plan: RequestPlan
) -> Iterator[tuple[str, RequestPlan]]:
    """Requests at the very edge of what the schema of *name* accepts."""
    operation = contract.operations[name]
    for parameter in operation.parameters:
        if parameter.place == "query":
            for value in _near(_extremes(parameter), 0):
                if parameter.schema.is_valid(value):
                    yield (
                        f"{parameter.name} {value}",
                        replace(plan, query={**plan.query, parameter.name: value}),
                    )
    for content_type, schema in operation.bodies.items():
        if plan.json is None or plain(content_type) != (plan.type or _JSON):
            continue
        for path in _paths(contract, schema, plan):
            for odd in _ODD[3:7]:
                for value in _near(schema.violations(_with(plan.json, path, odd)), 0):
                    body = _with(plan.json, path, value)
                    if schema.is_valid(body):
                        yield f"{'.'.join(path)} at its edge", replace(plan, json=body)


def same_plans(
    contract: Contract, name: str, plan: RequestPlan
) -> Iterator[tuple[str, RequestPlan]]:
    """The request *plan* to *name*, written in other ways that mean the same.

    The last one has an unknown field, which some readings refuse; none where the schema does.
    """
    operation = contract.operations[name]
    types = {plain(it) for it in operation.bodies}
    # A text cannot be filled in with ids, nor with the name of an account.
    if _JSON not in types or not plan.json or plan.type or "$" in json.dumps(plan.json):
        return
    turned = dict(list(plan.fields.items())[::-1])
    text = f"\r\n\t {json.dumps(turned, indent=3, separators=(' , ', ' : '))} \n"
    chunked = {**plan.headers, "transfer-encoding": "chunked"}
    what = "another order of fields, with other white space and in chunks,"
    yield what, replace(plan, json=None, raw=text, type=_JSON, headers=chunked)
    more = {**plan.fields, "x_field_of_the_kit": [None, True]}
    schema = operation.body_schema(_JSON)
    if schema is None or schema.is_valid(more):
        yield UNKNOWN_FIELD, replace(plan, json=more)


def _near(found: list[Violation], step: int) -> Iterator[Json]:
    """The values *step* beyond the limits that *found* names; with 0 those just inside."""
    for violation in found:
        if not isinstance(violation.limit, int) or isinstance(violation.limit, bool):
            continue
        match violation.keyword:
            case "maximum":
                yield violation.limit + step
            case "minimum":
                yield violation.limit - step
            case "maxLength":
                yield "x" * (violation.limit + step)
            case _:
                pass


def _bad_queries(
    operation: Operation, plan: RequestPlan
) -> Iterator[tuple[Violation, RequestPlan]]:
    for parameter in operation.parameters:
        if parameter.place != "query":
            continue
        odd: list[Json] = ["no-such-value-of-the-kit", -(10**9), 10**9, "1.5"]
        for value in (*odd, *_near(_extremes(parameter), 1)):
            shown = parameter.read_all({parameter.name: [str(value)]})
            under = f"/{parameter.name}"
            if shown is not None and (found := parameter.schema.violations(shown, under=under)):
                yield found[0], replace(plan, query={**plan.query, parameter.name: value})


def _extremes(parameter: Parameter) -> list[Violation]:
    return parameter.schema.violations(10**9) + parameter.schema.violations(-(10**9))


def _bad_bodies(
    contract: Contract, schema: Schema, plan: RequestPlan
) -> Iterator[tuple[Violation, RequestPlan]]:
    for path in _paths(contract, schema, plan):
        seen: set[tuple[str, str]] = set()
        for odd in (_ABSENT, *_ODD):
            body = _with(plan.json, path, odd)
            for closer in (odd, *_near(schema.violations(body), 1)):
                body = _with(plan.json, path, closer)
                found = schema.violations(body)
                if not found:
                    continue
                key = (found[0].keyword, repr(closer)[:40])
                if key not in seen:
                    seen.add(key)
                    yield found[0], replace(plan, json=body)


def _paths(contract: Contract, schema: Schema, plan: RequestPlan) -> Iterator[tuple[str, ...]]:
    """The fields of a body: those of the smallest request, and those that its schema names."""
    seen: set[tuple[str, ...]] = set()
    fields = _named(contract, schema.schema)
    envelope = [name for name, value in plan.fields.items() if isinstance(value, dict)]
    here: list[tuple[str, ...]] = [(name,) for name in [*plan.fields, *fields]]
    for outer in envelope:
        inner = plan.fields[outer]
        here += [(outer, name) for name in inner]
        here += [(outer, name) for name in _named(contract, fields.get(outer, {}))]
    for path in here:
        if path not in seen:
            seen.add(path)
            yield path


def _named(contract: Contract, schema: Json, depth: int = 0) -> dict[str, Json]:
    """The properties that *schema* names, those of its parts included."""
    if not isinstance(schema, Mapping) or depth > 6:
        return {}
    if "$ref" in schema:
        target: Json = contract.document
        for step in schema["$ref"][2:].split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        return _named(contract, target, depth + 1)
    found: dict[str, Json] = dict(schema.get("properties", {}))
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, ()):
            found |= _named(contract, part, depth + 1)
    return found


def _with(body: Json, path: tuple[str, ...], value: Json) -> Json:
    """*body* with *value* at *path*; without the field if *value* is absent."""
    plan = RequestPlan(json=body)
    if value is _ABSENT:
        return changed(plan, {}, (".".join(path),)).json
    if len(path) == 1:
        return {**body, path[0]: value}
    return {**body, path[0]: {**body[path[0]], path[1]: value}}

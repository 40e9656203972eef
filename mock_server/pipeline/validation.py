"""The body and the parameters of a request: reading them, and holding them to the contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Parameter
from screentest.specs.openapi.validation import Schema, Violation

from ..engine.provider import Call, Refusal, RefusedError
from ..kernel.bodies import BodyError, read_json

#: A schema with one of these decides itself which other fields are allowed.
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties", "patternProperties"})


def read_body(call: Call) -> None:
    """Fill in the decoded body of *call*.

    Raises:
        RefusedError: its content type is not documented, it is too large, or it is malformed.
    """
    request, operation = call.request, call.operation
    if not operation.bodies:
        return
    has_body = bool(request.body) or request.form is not None or request.problem is not None
    if not has_body and not operation.is_body_required:
        call.body = {}
        return
    if not has_body and not request.content_type:
        return
    if request.content_type not in operation.bodies:
        documented = " or ".join(operation.bodies)
        actual = request.content_type or "none"
        path = call.ctx.behaviour.prefixes[0] + operation.path
        near = [f"{operation.method} {path} with {it}" for it in operation.bodies]
        raise call.refuse("wrong_content_type", expected=documented, actual=actual, near=near)
    if request.problem is not None:
        raise call.refuse(request.problem.reason, **request.problem.facts)
    if request.form is not None:
        drops = call.ctx.behaviour.drops_empty_form_texts
        call.body = {it: value for it, value in request.form.items() if not drops or value != ""}
        return
    limit = call.ctx.behaviour.limits.json_bytes_max
    if len(request.body) > limit:
        raise call.refuse("too_large", what="The request body", limit=limit)
    try:
        call.body = read_json(request.body)
    except BodyError as error:
        raise call.refuse("malformed_body", problem=str(error)) from None


def validate(call: Call) -> None:
    """Hold parameters and body of *call* to the contract, and fill in the typed query.

    Raises:
        RefusedError: something is invalid; the refusal has every violation.
    """
    found: list[Violation] = []
    call.query = _parameters(call, found)
    if call.operation.bodies:
        found += _body_violations(call)
    tolerates = call.provider.tolerance
    if tolerates is not None:
        found = [violation for violation in found if not tolerates(call, violation)]
    check = call.provider.checks.get(call.operation.id)
    if not found and check is not None:
        found = list(check(call))
    if found:
        raise RefusedError(Refusal("invalid", {"problem": found[0].message}, found))


def _parameters(call: Call, found: list[Violation]) -> dict[str, Json]:
    """The typed query parameters; header parameters are judged on the way.

    A path parameter of another form than documented names no resource, so the existence gate
    answers it.
    """
    given = (
        dict(parse_qsl(call.request.query, keep_blank_values=True)) if call.request.query else {}
    )
    values: dict[str, Json] = {}
    for parameter in call.operation.parameters:
        if parameter.place == "query":
            _read_parameter(parameter, given.get(parameter.name), values, found)
        elif parameter.place == "header":
            text = call.request.headers.get(parameter.name.lower())
            _read_parameter(parameter, text, {}, found)
    return values


def _read_parameter(
    parameter: Parameter, text: str | None, values: dict[str, Json], found: list[Violation]
) -> None:
    if text is None:
        if parameter.is_required:
            missing = Violation(
                parameter.place, f"/{parameter.name}", "required", "a value", "nothing"
            )
            found.append(missing)
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
        return
    value = parameter.read(text)
    found += parameter.schema.violations(value, under=f"/{parameter.name}")
    values[parameter.name] = value


def _body_violations(call: Call) -> list[Violation]:
    if call.body is None:
        return [Violation("body", "", "required", "a value", "nothing")]
    schemas = call.operation.bodies
    content_type = call.request.content_type
    schema = schemas.get(content_type) or next(iter(schemas.values()))
    form = call.request.form
    values = form_values(call.body, schema.schema) if form is not None else call.body
    if call.ctx.behaviour.unknown_fields == "refuse":
        return _strict_violations(schema, values)
    if form is None:
        return schema.violations(values)
    known = schema.schema.get("properties", {})
    return schema.violations({name: value for name, value in values.items() if name in known})


def _strict_violations(schema: Schema, values: Json) -> list[Violation]:
    """The violations of *values*, and the fields that an open schema does not name."""
    known = schema.schema.get("properties")
    if known is None or not isinstance(values, dict) or _CLOSED & schema.schema.keys():
        return schema.violations(values)
    unknown = [
        Violation("body", f"/{name[:80]}", "additionalProperties", "no such field", "a value")
        for name in values
        if name not in known
    ]
    return schema.violations({it: values[it] for it in values if it in known}) + unknown


def form_values(form: Mapping[str, Json], schema: Json) -> dict[str, Json]:
    """A form as its schema sees it: integers where the schema has integers, files as text."""
    kinds = {name: it.get("type") for name, it in schema.get("properties", {}).items()}
    values: dict[str, Json] = {}
    for name, value in form.items():
        if not isinstance(value, str):
            values[name] = ""
        elif kinds.get(name) == "integer" and re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            values[name] = int(value)
        else:
            values[name] = value
    return values

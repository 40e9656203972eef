"""The body and the parameters of a request: reading them, and checking them by the contract."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl

from screentest.specs.json_types import Json
from screentest.specs.openapi.fields import Fields
from screentest.specs.openapi.media_types import is_json, plain
from screentest.specs.openapi.parameters import Parameter, typed
from screentest.specs.openapi.validation import Schema, Violation

from ..engine.provider import Call, Refusal, RefusedError
from ..kernel.bodies import BodyError, read_json

#: A schema with one of these decides itself which other fields are allowed.
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties", "patternProperties"})
_URL_ENCODED = "application/x-www-form-urlencoded"
_OTHERS_HEADERS = frozenset({"accept", "content-type", "authorization"})


def read_body(call: Call) -> None:
    """Fill in the decoded body of *call*.

    Raises:
        RefusedError: its content type is not documented, it is too large, or it is malformed.
    """
    request, operation = call.request, call.operation
    if not operation.bodies:
        return
    has_body = bool(request.body) or request.form is not None or request.problem is not None
    # An optional body that is missing is read as an empty one, so handlers need no second form.
    if not has_body and not operation.is_body_required:
        call.body = {}
        return
    if not has_body and not request.content_type:
        return
    if operation.body_schema(request.content_type) is None:
        documented = " or ".join(operation.bodies)
        actual = request.content_type or "none"
        path = call.ctx.behaviour.prefixes[0] + operation.path
        near = [f"{operation.method} {path} with {it}" for it in operation.bodies]
        raise call.refuse("wrong_content_type", expected=documented, actual=actual, near=near)
    if request.problem is not None:
        raise call.refuse(request.problem.reason, **request.problem.facts)
    if request.form is not None or plain(request.content_type) == _URL_ENCODED:
        form = request.form if request.form is not None else _url_encoded(request.body)
        # Some frameworks take an empty field of a form for a field that was not sent.
        drops = call.ctx.behaviour.drops_empty_form_texts
        call.body = {it: value for it, value in form.items() if not drops or value != ""}
        return
    limit = call.ctx.behaviour.limits.json_bytes_max
    if len(request.body) > limit:
        raise call.refuse("too_large", what="The request body", limit=limit)
    if not is_json(request.content_type):
        call.body = {}
        return
    try:
        call.body = read_json(request.body)
    except BodyError as error:
        raise call.refuse("malformed_body", problem=str(error)) from None


def validate(call: Call) -> None:
    """Check parameters and body of *call* by the contract, and fill in the typed query.

    Raises:
        RefusedError: something is invalid; the refusal has every violation.
    """
    # Parameters first: a provider that names one violation names that of the query.
    found: list[Violation] = []
    call.query = _parameters(call, found)
    if call.operation.bodies:
        found += _body_violations(call)
    tolerates = call.provider.tolerance
    if tolerates is not None:
        found = [violation for violation in found if not tolerates(call, violation)]
    # A provider's own check reads the body, which must have its documented shape by then.
    check = call.provider.checks.get(call.operation.id)
    if not found and check is not None:
        found = list(check(call))
    if found:
        raise RefusedError(Refusal("invalid", {"problem": found[0].message}, found))


def _parameters(call: Call, found: list[Violation]) -> dict[str, Json]:
    """The typed query parameters. Header parameters are checked as well.

    A path parameter of another form than documented names no resource, so the existence gate
    answers it.
    """
    given = parse_qs(call.request.query, keep_blank_values=True) if call.request.query else {}
    values: dict[str, Json] = {}
    for parameter in call.operation.parameters:
        if parameter.place == "query":
            _read_parameter(parameter, parameter.read_all(given), values, found)
        elif parameter.place == "header":
            text = call.request.headers.get(parameter.name.lower())
            # OpenAPI ignores these: content type and credentials are described elsewhere.
            if parameter.name.lower() not in _OTHERS_HEADERS:
                value = parameter.read(text) if text is not None else None
                _read_parameter(parameter, value, {}, found)
        elif parameter.place == "cookie":
            cookies = _cookies(call.request.headers.get("cookie", ""))
            _read_parameter(parameter, parameter.read_all(cookies), {}, found)
    return values


def _cookies(header: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in header.split(";"):
        name, _, text = part.strip().partition("=")
        found.setdefault(name, []).append(text)
    return found


def _url_encoded(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))


def _read_parameter(
    parameter: Parameter, value: Json, values: dict[str, Json], found: list[Violation]
) -> None:
    if value is None:
        if parameter.is_required:
            missing = Violation(
                parameter.place, f"/{parameter.name}", "required", "a value", "nothing"
            )
            found.append(missing)
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
        return
    found += parameter.schema.violations(value, under=f"/{parameter.name}")
    values[parameter.name] = value


def _body_violations(call: Call) -> list[Violation]:
    if call.body is None:
        return [Violation("body", "", "required", "a value", "nothing")]
    schemas = call.operation.bodies
    content_type = call.request.content_type
    schema = call.operation.body_schema(content_type) or next(iter(schemas.values()))
    is_form = call.request.form is not None or plain(content_type) == _URL_ENCODED
    if not is_form and not is_json(content_type):
        return []
    values = form_values(call.body, schema) if is_form else call.body
    if call.ctx.behaviour.unknown_fields == "refuse":
        return _strict_violations(schema, values)
    known = schema.fields.named
    if not is_form or not known:
        return schema.violations(values)
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


def form_values(form: Mapping[str, Json], schema: Schema) -> dict[str, Json]:
    """A form as its schema sees it: numbers where the schema has numbers, files as text."""
    named = schema.fields.named
    # A schema describes a file as a string; its content is not part of the check.
    return {
        name: _form_value(value, named[name]) if name in named else value
        for name, value in ((name, it if isinstance(it, str) else "") for name, it in form.items())
    }


def _form_value(text: str, fields: Fields) -> Json:
    if fields.types & {"array", "object"} and "string" not in fields.types:
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        is_list = "array" in fields.types and not isinstance(value, list)
        return [typed(text, fields.elements.types)] if is_list else value
    return typed(text, fields.types)

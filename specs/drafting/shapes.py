"""An OpenAPI document for recorded calls: their paths, fields and credentials, not their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from ..behaviour.behaviour import Kind
from ..contracts.redaction import BY_SHAPE, is_secret_header
from ..errors import ContractError
from ..json_types import Json
from .links import leaves
from .recorded import Seen
from .words import Role, is_file, kind_of_state, role_of, singular, snake, status_names, words_of

_ID = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+|(?=[^/]*\d)(?!v\d+[a-z0-9]*$)[A-Za-z0-9_.-]{8,}"
)
#: A value of this form says nothing about a person.
_PLAIN = re.compile(r"[a-z][a-z0-9_.:-]{0,31}")
_TEXT_ID_MIN = 6
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")
#: Where the recording has no job that failed.
_FAILURE = "failed"


def document_of(name: str, calls: Sequence[Seen]) -> Json:
    """The document of the provider *name* in *calls*, which may have calls of others.

    Raises:
        ContractError: no call has JSON.
    """
    origins = Counter(it.origin for it in calls if it.reply is not None and it.method in _METHODS)
    if not origins:
        raise ContractError("no recorded call has an answer of JSON")
    origin = origins.most_common(1)[0][0]
    own = [it for it in calls if it.origin == origin and it.method in _METHODS]
    known = {
        text
        for it in own
        for _, text in leaves("", it.reply)
        if isinstance(text, str) and len(text) >= _TEXT_ID_MIN
    }
    by_operation: dict[tuple[str, str], list[Seen]] = {}
    for it in own:
        by_operation.setdefault((_path_of(it.path, known), it.method.lower()), []).append(it)
    schemes = _schemes(own)
    paths: dict[str, Json] = {}
    for (path, method), made in by_operation.items():
        paths.setdefault(path, {})[method] = _operation(path, made, schemes)
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "recorded"},
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


# Paths


def _path_of(path: str, known: set[str]) -> str:
    """*path* with a parameter for each id in it: what an answer had before, or looks like one."""
    steps: list[str] = []
    for step in path.split("/"):
        if step and (step in known or _ID.fullmatch(step)):
            before = [it for it in steps if it and not it.startswith("{")]
            kind = singular("_".join(words_of(before[-1]))) if before else ""
            is_first = not any(it.startswith("{") for it in steps)
            taken = "{id}" if is_first else f"{{{kind}_id}}"
            steps.append(taken if taken not in steps else f"{{id_{len(steps)}}}")
        else:
            steps.append(step.replace("{", "%7B").replace("}", "%7D"))
    return "/".join(steps)


def _schemes(calls: Iterable[Seen]) -> dict[str, Json]:
    headers = {name for it in calls for name in it.request_headers}
    found: dict[str, Json] = {}
    for name in sorted(it for it in headers if is_secret_header(it) and it != "cookie"):
        if name == "authorization":
            found["bearer"] = {"type": "http", "scheme": "bearer"}
        else:
            found[snake(name)] = {"type": "apiKey", "in": "header", "name": name}
    return found


def _operation(path: str, calls: Sequence[Seen], schemes: Mapping[str, Json]) -> Json:
    operation: dict[str, Json] = {}
    names = re.findall(r"\{([^{}]*)\}", path)
    parameters = [
        {"name": it, "in": "path", "required": True, "schema": {"type": "string"}} for it in names
    ]
    queries = sorted({name for it in calls for name, _ in parse_qsl(it.query)})
    parameters += [
        {"name": it, "in": "query", "schema": {"type": "string"}}
        for it in queries
        if not BY_SHAPE.is_secret_header(it)
    ]
    if parameters:
        operation["parameters"] = parameters
    sent = [it.sent for it in calls if it.sent is not None and it.status < 400]
    if sent:
        schema = schema_of(sent, is_answer=False)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    operation["responses"] = {
        str(status): _response([it for it in calls if it.status == status])
        for status in sorted({it.status for it in calls})
    }
    held = {snake(name) for it in calls for name in it.request_headers if it.status != 401}
    needed = [it for it in schemes if it in held or (it == "bearer" and "authorization" in held)]
    operation["security"] = [{it: []} for it in needed]
    return operation


def _response(calls: Sequence[Seen]) -> Json:
    description = "As recorded."
    replies = [it.reply for it in calls if it.reply is not None]
    if replies:
        schema = schema_of(replies, is_answer=True)
        return {
            "description": description,
            "content": {"application/json": {"schema": schema}},
        }
    return {"description": description}


# Schemas


def schema_of(values: Sequence[Json], *, is_answer: bool, name: str = "") -> dict[str, Json]:
    """A schema that permits each of *values*, which the field *name* had."""
    present = [it for it in values if it is not None]
    schema = _schema_of_present(present, name, is_answer=is_answer)
    if len(present) < len(values) and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    return schema


def _schema_of_present(values: Sequence[Json], name: str, *, is_answer: bool) -> dict[str, Json]:
    if not values:
        # Never seen with a value: what its name says.
        is_text = role_of(name, "") is Role.FAILURE or is_file(name, "")
        return {"type": "string"} if is_text else {}
    if all(isinstance(it, dict) for it in values):
        return _object(values, is_answer=is_answer)
    if all(isinstance(it, list) for it in values):
        elements = [inner for it in values for inner in it]
        items = schema_of(elements, is_answer=is_answer, name=name) if elements else {}
        return {"type": "array", "items": items}
    if all(isinstance(it, bool) for it in values):
        return {"type": "boolean", "examples": [values[0]]}
    if all(isinstance(it, int | float) and not isinstance(it, bool) for it in values):
        type_ = "integer" if all(isinstance(it, int) for it in values) else "number"
        return {"type": type_, "examples": [values[0]]}
    if all(isinstance(it, str) for it in values):
        return _text(values, name, is_answer=is_answer)
    return {}


def _object(values: Sequence[Mapping[str, Json]], *, is_answer: bool) -> dict[str, Json]:
    names = list(dict.fromkeys(name for it in values for name in it))
    properties = {
        name: schema_of([it[name] for it in values if name in it], is_answer=is_answer, name=name)
        for name in names
    }
    required = [name for name in names if all(name in it for it in values)]
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


def _text(values: Sequence[str], name: str, *, is_answer: bool) -> dict[str, Json]:
    if is_answer and status_names([name]):
        states = list(dict.fromkeys(values))
        kinds = {kind_of_state(it) for it in states}
        if kinds & {Kind.WAITING, Kind.RUNNING, Kind.SUCCEEDED}:
            return {"type": "string", "enum": [*states, *_missing_ends(states, kinds)]}
    if all(_is_instant(it) for it in values):
        return {"type": "string", "format": "date-time"}
    if all(it.startswith(("https://", "http://")) for it in values):
        return {"type": "string", "format": "uri"}
    plain = [it for it in values if _PLAIN.fullmatch(it) and not re.search(r"\d{4}", it)]
    shown = [it for it in plain if not BY_SHAPE.may_have_secret(it)]
    is_shown = len(shown) == len(values) and "id" not in words_of(name)
    return {"type": "string", **({"examples": shown[:1]} if is_shown else {})}


def _missing_ends(states: Sequence[str], kinds: set[Kind | None]) -> Iterator[str]:
    """The ends that the recording does not show, in the case of the others."""
    is_upper = all(it.isupper() for it in states)
    for kind, word in ((Kind.SUCCEEDED, "completed"), (Kind.FAILED, _FAILURE)):
        if kind not in kinds:
            yield word.upper() if is_upper else word


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return "T" in text

"""An OpenAPI document for recorded calls: their paths, fields and credentials, not their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from urllib.parse import parse_qsl

from ..behaviour.lifecycles import Kind
from ..contracts.redaction import BY_SHAPE, is_secret_header
from ..errors import ContractError
from ..json_types import Json
from .recorded import Seen
from .values import leaves
from .words import Role, is_file, kind_of_state, role_of, singular, snake, status_names, words_of

#: A step of a path that names a resource or a version; any other one is an id.
_FIXED = re.compile(r"v\d+[a-z0-9]*|(?!.*\d.*\d.*\d)[A-Za-z][A-Za-z0-9_.:-]{0,39}")
#: A value of this form says nothing about a person.
_PLAIN = re.compile(r"[a-z][a-z0-9_.:-]{0,31}")
_TEXT_ID_MIN = 6
_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")
_OF_JOBS = {Kind.WAITING, Kind.RUNNING, Kind.SUCCEEDED}


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
    shapes: dict[str, Shapes] = {}
    for it in own:
        path = _path_of(it.path, known)
        by_operation.setdefault((path, it.method.lower()), []).append(it)
        shapes.setdefault(_collection(path), Shapes()).see(it.reply)
    schemes = _schemes(own)
    paths: dict[str, Json] = {}
    for (path, method), made in by_operation.items():
        operation = _operation(path, made, schemes, shapes[_collection(path)])
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "recorded"},
        "servers": [{"url": origin}],
        "paths": paths,
        "components": {"securitySchemes": schemes},
    }


# Paths


def _path_of(path: str, known: set[str]) -> str:
    """*path* with a parameter for each id in it: what an answer had, or is not a plain word."""
    steps: list[str] = []
    for step in path.split("/"):
        is_fixed = _FIXED.fullmatch(step) and BY_SHAPE.cut_text(step) == step
        if step and (step in known or not is_fixed):
            before = [it for it in steps if it and not it.startswith("{")]
            kind = singular("_".join(words_of(before[-1]))) if before else ""
            is_first = not any(it.startswith("{") for it in steps)
            taken = "{id}" if is_first else f"{{{kind}_id}}"
            steps.append(taken if taken not in steps else f"{{id_{len(steps)}}}")
        else:
            steps.append(step)
    return "/".join(steps)


def _collection(path: str) -> str:
    """The last step of *path* that is not a parameter: calls with one have the same states."""
    return next((it for it in reversed(path.split("/")) if it and "{" not in it), "")


def _schemes(calls: Iterable[Seen]) -> dict[str, Json]:
    headers = {name: value for it in calls for name, value in it.request_headers.items()}
    found: dict[str, Json] = {}
    for name in sorted(it for it in headers if is_secret_header(it) and it != "cookie"):
        if name == "authorization":
            word, _, key = headers[name].partition(" ")
            found["bearer"] = {"type": "http", "scheme": word.lower() if key else "bearer"}
        else:
            found[snake(name)] = {"type": "apiKey", "in": "header", "name": name}
    # Many programs leave credentials out of what they save.
    return found or {"bearer": {"type": "http", "scheme": "bearer"}}


def _operation(
    path: str, calls: Sequence[Seen], schemes: Mapping[str, Json], shapes: Shapes
) -> Json:
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
        schema = Shapes().of(sent)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    operation["responses"] = {
        str(status): _response([it for it in calls if it.status == status], shapes)
        for status in sorted({it.status for it in calls})
    }
    held = {snake(name) for it in calls for name in it.request_headers if it.status != 401}
    held |= {"bearer"} if "authorization" in held else set()
    operation["security"] = [{it: []} for it in schemes if it in held or not held & {*schemes}]
    return operation


def _response(calls: Sequence[Seen], shapes: Shapes) -> Json:
    description = "As recorded."
    replies = [it.reply for it in calls if it.reply is not None]
    if replies:
        schema = shapes.of(replies)
        return {
            "description": description,
            "content": {"application/json": {"schema": schema}},
        }
    return {"description": description}


# Schemas


class Shapes:
    """The shapes of the values in calls of one collection.

    Objects with the same fields are one shape, wherever they are: a field that is null in a list
    may have a value elsewhere.
    """

    def __init__(self) -> None:
        self._states: list[str] = []
        self._alike: dict[frozenset[str], list[Mapping[str, Json]]] = {}

    def see(self, reply: Json) -> None:
        """Remember the objects and the states in *reply*."""
        for name, value in leaves("", reply):
            is_state = status_names([name]) and isinstance(value, str) and kind_of_state(value)
            if is_state and value not in self._states:
                self._states.append(value)
        waiting = [reply]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                self._alike.setdefault(frozenset(value), []).append(value)
                waiting += value.values()
            elif isinstance(value, list):
                waiting += value

    def of(self, values: Sequence[Json], name: str = "") -> dict[str, Json]:
        """A schema that permits each of *values*, which the field *name* had."""
        present = [it for it in values if it is not None]
        schema = self._of_present(present, name)
        if len(present) < len(values) and isinstance(schema.get("type"), str):
            schema["type"] = list(dict.fromkeys([schema["type"], "null"]))
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        return schema

    def _of_present(self, values: Sequence[Json], name: str) -> dict[str, Json]:
        if not values:
            # Never seen with a value: what its name says.
            is_text = role_of(name, "") is Role.FAILURE or is_file(name, "")
            return {"type": "string" if is_text else "null"}
        if all(isinstance(it, dict) for it in values):
            return self._object(values)
        if all(isinstance(it, list) for it in values):
            elements = [inner for it in values for inner in it]
            items = self.of(elements, name) if elements else {}
            return {"type": "array", "items": items}
        if all(isinstance(it, bool) for it in values):
            return {"type": "boolean", "examples": [values[0]]}
        if all(isinstance(it, int | float) and not isinstance(it, bool) for it in values):
            type_ = "integer" if all(isinstance(it, int) for it in values) else "number"
            return {"type": type_, "examples": [values[0]]}
        if all(isinstance(it, str) for it in values):
            return self._text(values, name)
        return {}

    def _object(self, values: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
        forms = dict.fromkeys(frozenset(it) for it in values)
        known = [it for form in forms for it in self._alike.get(form, ())] or values
        names = list(dict.fromkeys(name for it in values for name in it))
        properties = {
            name: self.of([it[name] for it in known if name in it], name) for name in names
        }
        required = [name for name in names if all(name in it for it in known)]
        schema: dict[str, Json] = {"type": "object", "properties": properties}
        return {**schema, "required": required} if required else schema

    def _text(self, values: Sequence[str], name: str) -> dict[str, Json]:
        states, kinds = self._states, {kind_of_state(it) for it in self._states}
        if status_names([name]) and {*values} <= {*states} and kinds & _OF_JOBS:
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
    for kind, word in ((Kind.SUCCEEDED, "completed"), (Kind.FAILED, "failed")):
        if kind not in kinds:
            yield word.upper() if is_upper else word


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return False
    return "T" in text

"""The operations of an OpenAPI file, compiled: routes, parameters, bodies, replies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..json_types import Json
from .validation import Documents, Schema, Violation

#: Marks what the provider's document does not show; its value is the reason.
_INFERRED = "x-screentest-inferred"

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class Parameter(Struct, frozen=True):
    """A parameter in `path`, `query` or `header`, with the schema that judges it."""

    name: str
    place: str
    is_required: bool
    schema: Schema

    def read(self, text: str) -> Json:
        """*text* as its schema's type where it has that form, else unchanged."""
        kinds = self.schema.schema.get("type", "string")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if "integer" in kinds and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            return int(text)
        if "number" in kinds and re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
            return float(text)
        if "boolean" in kinds and text in {"true", "false"}:
            return text == "true"
        return text

    @property
    def default(self) -> Json:
        return self.schema.schema.get("default")


class ReplyShape(Struct, frozen=True):
    """The documented form of a reply with one status: content types and required headers.

    *is_inferred*: the provider's document does not show it, and we know it from another source.
    """

    content: Mapping[str, Schema | None]
    headers: frozenset[str]
    is_inferred: bool
    event: Schema | None = None
    example: Json = None


class Operation(Struct, frozen=True):
    """One operation. *security* are alternatives; an empty tuple means that no key is needed.

    *is_inferred*: the provider's document does not show it, and we know it from another source.
    """

    id: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    bodies: Mapping[str, Schema]
    is_body_required: bool
    replies: Mapping[str, ReplyShape]
    security: tuple[str, ...]
    summary: str
    is_inferred: bool

    def reply_violations(
        self, status: int, content_type: str | None, body: Json
    ) -> list[Violation]:
        """The differences between our reply and the documented one; empty if there are none."""
        shape = self.replies.get(str(status))
        if shape is None:
            documented = ", ".join(sorted(self.replies))
            return [Violation("status", "", "status", f"one of {documented}", str(status))]
        if content_type is None:
            return []
        media_type = content_type.partition(";")[0]
        if media_type not in shape.content:
            documented = ", ".join(sorted(shape.content)) or "no body"
            return [Violation("header", "/Content-Type", "content", documented, media_type)]
        schema = shape.content[media_type]
        return schema.violations(body) if schema is not None else []


class Match(Struct, frozen=True):
    """The operation that a request asks for, with the values of its path parameters."""

    operation: Operation
    path: Mapping[str, str]


class Routes:
    """Finds operations by method and path."""

    __slots__ = ("_exact", "_patterns", "paths")

    def __init__(self, operations: Sequence[Operation]) -> None:
        self._exact: dict[str, dict[str, Operation]] = {}
        self._patterns: dict[int, list[tuple[re.Pattern[str], dict[str, Operation]]]] = {}
        self.paths = sorted({operation.path for operation in operations})
        for path in self.paths:
            here = {it.method: it for it in operations if it.path == path}
            if "{" not in path:
                self._exact[path] = here
            else:
                pattern = re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)))
                self._patterns.setdefault(path.count("/"), []).append((pattern, here))

    def find(self, method: str, path: str) -> Match | None:
        """The operation for *method* on *path*; HEAD falls back to GET."""
        found = self._at(path)
        if found is None:
            return None
        methods, values = found
        operation = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        return Match(operation, values) if operation is not None else None

    def methods(self, path: str) -> list[str]:
        """The documented methods of *path*; empty when the path is unknown."""
        found = self._at(path)
        return sorted(found[0]) if found else []

    def known(self, path: str) -> str | None:
        """The documented form of *path*, with names instead of ids; None for an unknown path."""
        found = self._at(path)
        return next(iter(found[0].values())).path if found is not None else None

    def _at(self, path: str) -> tuple[dict[str, Operation], Mapping[str, str]] | None:
        exact = self._exact.get(path)
        if exact is not None:
            return exact, {}
        for pattern, methods in self._patterns.get(path.count("/"), ()):
            match = pattern.fullmatch(path)
            if match is not None:
                return methods, match.groupdict()
        return None


def compile_operations(document: Documents) -> dict[str, Operation]:
    """Every operation of *document* by its operationId."""
    operations: dict[str, Operation] = {}
    for path, item in document.content["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(document, path, method)
                operations[operation.id] = operation
    return operations


def _operation(document: Documents, path: str, method: str) -> Operation:
    here = ["paths", path, method]
    raw = document.at(here)
    body_at = _resolved(document, [*here, "requestBody"]) if "requestBody" in raw else None
    body = document.at(body_at) if body_at else {}
    security = raw.get("security", document.content.get("security", []))
    return Operation(
        id=raw["operationId"],
        method=method.upper(),
        path=path,
        parameters=tuple(
            _parameter(document, place) for place in _parameter_places(document, path, here, raw)
        ),
        bodies={
            media_type: Schema(
                document, [*(body_at or []), "content", media_type, "schema"], "body"
            )
            for media_type in body.get("content", {})
        },
        is_body_required=body.get("required", False),
        replies={
            str(status): _reply(document, [*here, "responses", status])
            for status in raw["responses"]
        },
        security=tuple(name for choice in security for name in choice),
        summary=raw.get("summary", ""),
        is_inferred=_INFERRED in raw,
    )


def _parameter_places(
    document: Documents, path: str, here: list[str], raw: Json
) -> list[list[str]]:
    shared = document.content["paths"][path].get("parameters", [])
    places = [["paths", path, "parameters", str(index)] for index in range(len(shared))]
    own = [[*here, "parameters", str(index)] for index in range(len(raw.get("parameters", [])))]
    return places + own


def _parameter(document: Documents, place: list[str]) -> Parameter:
    place = _resolved(document, place)
    raw = document.at(place)
    return Parameter(
        name=raw["name"],
        place=raw["in"],
        is_required=raw.get("required", False),
        schema=Schema(document, [*place, "schema"], raw["in"]),
    )


def _reply(document: Documents, place: list[str]) -> ReplyShape:
    place = _resolved(document, place)
    raw = document.at(place)
    content: dict[str, Schema | None] = {}
    event: Schema | None = None
    example: Json = None
    for media_type, it in raw.get("content", {}).items():
        has_schema = media_type.endswith("json") and "schema" in it
        at = [*place, "content", media_type, "schema"]
        content[media_type] = Schema(document, at, "reply") if has_schema else None
        if media_type == "text/event-stream":
            event = _event_schema(document, _resolved(document, at))
        example = example if example is not None else _example(document, it)
    headers = raw.get("headers", {})
    required = frozenset(
        name for name, it in headers.items() if document.resolve(it).get("required", False)
    )
    return ReplyShape(content, required, _INFERRED in raw, event, example)


def _event_schema(document: Documents, place: list[str]) -> Schema | None:
    """The schema of one event's decoded data, where the file gives one."""
    data = document.at(place).get("properties", {}).get("data", {})
    if "contentSchema" not in data:
        return None
    return Schema(document, [*place, "properties", "data", "contentSchema"], "event")


def _example(document: Documents, media: Json) -> Json:
    if "example" in media:
        return media["example"]
    for example in media.get("examples", {}).values():
        return document.resolve(example).get("value")
    return None


def _resolved(document: Documents, place: Sequence[str]) -> list[str]:
    """The place of the value at *place*, after following a `$ref` there."""
    value: Json = document.content
    for step in place:
        value = value[int(step)] if isinstance(value, list) else value[step]
    if isinstance(value, dict) and "$ref" in value:
        return _resolved(document, document.steps(value["$ref"]))
    return list(place)

"""The operations of an OpenAPI file, compiled: parameters, bodies, replies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from ..json_types import Json
from .documents import Documents
from .grammar import METHODS
from .media_types import best_of, is_json
from .parameters import Parameter, compile_parameter
from .validation import Schema, Violation

#: Marks what the provider's document does not show; its value is the reason.
INFERRED = "x-screentest-inferred"


class ReplyShape(Struct, frozen=True):
    """The documented form of a reply with one status: content types and required headers.

    *is_inferred*: the provider's document does not show it, and we know it from another source.
    *examples* are by media type and name. *header_schemas* are those of all documented headers.
    """

    content: Mapping[str, Schema | None]
    headers: frozenset[str]
    is_inferred: bool
    event: Schema | None = None
    examples: Mapping[str, Mapping[str, Json]] = {}
    header_schemas: Mapping[str, Schema] = {}

    @property
    def example(self) -> Json:
        """The first example; None without one."""
        return next((it for by_name in self.examples.values() for it in by_name.values()), None)


class Operation(Struct, frozen=True):
    """One operation. *security* are schemes of which one is needed; empty if no key is needed.

    *security_sets* say the same of schemes that are needed together: one of the sets, whole. An
    empty set means that a call without a key is accepted as well.
    *is_inferred*: the provider's document does not show it, and we know it from another source.
    *success_status* is that of the first documented success; else of the first other reply.
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
    security_sets: tuple[tuple[str, ...], ...] = ()
    success_status: int = 200

    @property
    def path_names(self) -> list[str]:
        """The names of the places in its path, whether the file declares parameters for them."""
        return re.findall(r"\{([^{}]+)\}", self.path)

    def reply(self, status: int) -> ReplyShape | None:
        """The documented form of a reply with *status*: by itself, by its range, or by default."""
        text, replies = str(status), self.replies
        return replies.get(text) or replies.get(f"{text[0]}XX") or replies.get("default")

    def body_schema(self, content_type: str) -> Schema | None:
        """The schema of a request body of *content_type*; None if that type is not documented."""
        name = best_of(self.bodies, content_type)
        return self.bodies[name] if name is not None else None

    def reply_violations(
        self, status: int, content_type: str | None, body: Json
    ) -> list[Violation]:
        """The differences between our reply and the documented one; empty if there are none."""
        shape = self.reply(status)
        if not self.replies:
            return []
        if shape is None:
            documented = ", ".join(sorted(self.replies))
            return [Violation("status", "", "status", f"one of {documented}", str(status))]
        if content_type is None:
            return []
        media_type = best_of(shape.content, content_type)
        if media_type is None:
            documented = ", ".join(sorted(shape.content)) or "no body"
            actual = content_type.partition(";")[0]
            return [Violation("header", "/Content-Type", "content", documented, actual)]
        schema = shape.content[media_type]
        return schema.violations(body) if schema is not None else []


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
    at = ["paths", path, method]
    raw = document.at(at)
    body_at = _resolved(document, [*at, "requestBody"]) if "requestBody" in raw else None
    body = document.at(body_at) if body_at else {}
    sets = _security_sets(document, raw.get("security", document.content.get("security", [])))
    is_open = () in sets
    replies = {
        str(status): _reply(document, [*at, "responses", status]) for status in raw["responses"]
    }
    return Operation(
        id=raw["operationId"],
        method=method.upper(),
        path=path,
        parameters=_parameters(document, path, at, raw),
        bodies={
            media_type: Schema(
                document, [*(body_at or []), "content", media_type, "schema"], "body"
            )
            for media_type in body.get("content", {})
        },
        is_body_required=body.get("required", False),
        replies=replies,
        security=() if is_open else tuple(dict.fromkeys(it for names in sets for it in names)),
        summary=raw.get("summary", ""),
        is_inferred=INFERRED in raw,
        security_sets=sets,
        success_status=_success_status(sorted(replies)),
    )


def _success_status(known: Sequence[str]) -> int:
    for name in (*(it for it in known if it[0] == "2"), "default", *known):
        if name in known:
            return 200 if name == "default" else int(name.replace("X", "0"))
    return 200


def _security_sets(
    document: Documents, alternatives: Iterable[Json]
) -> tuple[tuple[str, ...], ...]:
    """The sets of schemes, without those that a connection proves and no request can show."""
    schemes = document.content.get("components", {}).get("securitySchemes", {})
    return tuple(
        tuple(
            it for it in names if document.resolve(schemes.get(it, {})).get("type") != "mutualTLS"
        )
        for names in alternatives
    )


def _parameters(document: Documents, path: str, at: list[str], raw: Json) -> tuple[Parameter, ...]:
    """The parameters of an operation; its own take the place of those of the path."""
    found: dict[tuple[str, str], Parameter] = {}
    shared = document.content["paths"][path].get("parameters", [])
    places = [["paths", path, "parameters", str(index)] for index in range(len(shared))]
    places += [[*at, "parameters", str(index)] for index in range(len(raw.get("parameters", [])))]
    for place in places:
        parameter = compile_parameter(document, _resolved(document, place))
        found[parameter.place, parameter.name] = parameter
    return tuple(found.values())


def _reply(document: Documents, place: list[str]) -> ReplyShape:
    place = _resolved(document, place)
    raw = document.at(place)
    content: dict[str, Schema | None] = {}
    event: Schema | None = None
    examples: dict[str, Mapping[str, Json]] = {}
    for media_type, it in raw.get("content", {}).items():
        has_schema = is_json(media_type) and "schema" in it
        at = [*place, "content", media_type, "schema"]
        content[media_type] = Schema(document, at, "reply") if has_schema else None
        if media_type == "text/event-stream" and "schema" in it:
            event = _event_schema(document, _resolved(document, at))
        examples[media_type] = _examples(document, it)
    headers = {
        name: _resolved(document, [*place, "headers", name]) for name in raw.get("headers", {})
    }
    required = frozenset(name for name, it in headers.items() if document.at(it).get("required"))
    schemas = {
        name: Schema(document, [*it, "schema"], "reply")
        for name, it in headers.items()
        if "schema" in document.at(it)
    }
    return ReplyShape(content, required, INFERRED in raw, event, examples, schemas)


def _event_schema(document: Documents, place: list[str]) -> Schema | None:
    """The schema of one event's decoded data, where the file gives one."""
    data = document.at(place).get("properties", {}).get("data", {})
    if "contentSchema" not in data:
        return None
    return Schema(document, [*place, "properties", "data", "contentSchema"], "event")


def _examples(document: Documents, media: Json) -> dict[str, Json]:
    found = {"": media["example"]} if "example" in media else {}
    for name, example in media.get("examples", {}).items():
        whole = document.resolve(example)
        if "value" in whole:
            found[name] = whole["value"]
    return found


def _resolved(document: Documents, place: Sequence[str]) -> list[str]:
    """The place of the value at *place*, after following a `$ref` there."""
    value: Json = document.content
    for step in place:
        value = value[int(step)] if isinstance(value, list) else value[step]
    if isinstance(value, dict) and "$ref" in value:
        return _resolved(document, document.steps(value["$ref"]))
    return list(place)

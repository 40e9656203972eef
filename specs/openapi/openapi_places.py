"""Where an OpenAPI document cites clauses, and which operations, fields and statuses are there."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ..json_types import Json
from .grammar import METHODS

SOURCE = "x-screentest-source"
#: Below these are values, not schemas.
_VALUES = frozenset({"default", "enum", "example", "examples", "const", "required", SOURCE})


class Found(Struct, frozen=True):
    """Ids that are cited *at* a place, and by which operations, fields and statuses it is reached.

    An *is_whole* place is an operation itself. *is_sent* is a place inside a request.
    """

    at: str
    ids: tuple[str, ...]
    operations: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    headers: frozenset[str] = frozenset()
    is_whole: bool = False
    is_sent: bool = False


class _Way(Struct, frozen=True):
    """How a value was reached from an operation; *inside* are the references that were followed."""

    operation: str
    field: str = ""
    status: int | None = None
    header: str = ""
    inside: frozenset[str] = frozenset()


def places_in(document: Json) -> list[Found]:
    """Every citing place of *document*, once, however many operations use it."""
    found: dict[str, Found] = {}
    for place in _all_places(document):
        before = found.get(place.at, place)
        found[place.at] = replace(
            place,
            operations=before.operations | place.operations,
            fields=before.fields | place.fields,
            statuses=before.statuses | place.statuses,
            headers=before.headers | place.headers,
            is_sent=before.is_sent or place.is_sent,
        )
    return list(found.values())


def schema_citations(
    document: Json, operation: str, *, is_sent: bool, status: int | None = None
) -> tuple[str, ...]:
    """The ids cited by the schemas of an operation's requests, or of its answers.

    With *status* those by the bodies of such answers: what an answer itself cites says why it is
    given.
    """
    found = (
        it
        for path, method, item in _operations(document)
        if item[method]["operationId"] == operation
        for it in _operation_places(document, path, method, item)
        if not it.is_whole
        and it.is_sent == is_sent
        and (status is None or (status in it.statuses and "responses" not in it.at.split("/")[-2:]))
    )
    return tuple(dict.fromkeys(cited for it in found for cited in it.ids))


def _all_places(document: Json) -> Iterator[Found]:
    yield from _own("info", document.get("info", {}))
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        yield from _own(f"components/securitySchemes/{name}", scheme)
    for path, method, item in _operations(document):
        yield from _operation_places(document, path, method, item)


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """The path, the method and the path item of each operation."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item


def _own(at: str, value: Json) -> Iterator[Found]:
    if SOURCE in value:
        yield Found(at, tuple(value[SOURCE]))


def _operation_places(document: Json, path: str, method: str, item: Json) -> Iterator[Found]:
    raw = item[method]
    name, at = raw["operationId"], f"paths/{path}/{method}"
    if SOURCE in raw:
        yield Found(at, tuple(raw[SOURCE]), frozenset({name}), is_whole=True)
    start = _Way(name)
    for parameter in (*item.get("parameters", ()), *raw.get("parameters", ())):
        yield from _below(document, parameter, f"{at}/parameters", start)
    yield from _below(document, raw.get("requestBody", {}), f"{at}/requestBody", start)
    for status, reply in raw["responses"].items():
        way = replace(start, status=int(status) if str(status).isdigit() else 0)
        yield from _below(document, reply, f"{at}/responses/{status}", way)


def _below(document: Json, value: Json, at: str, way: _Way) -> Iterator[Found]:
    if isinstance(value, list):
        for index, it in enumerate(value):
            yield from _below(document, it, f"{at}/{index}", way)
    if not isinstance(value, dict):
        return
    if isinstance(value.get("$ref"), str):
        reference = value["$ref"]
        if reference not in way.inside:
            target = replace(way, inside=way.inside | {reference})
            yield from _below(document, _at(document, reference), reference[2:], target)
    if "in" in value and "name" in value:
        is_header = value["in"] == "header"
        way = replace(way, **{"header" if is_header else "field": value["name"]})
    if SOURCE in value:
        yield _found(document, value, at, way)
    for name, it in value.items():
        if name == "properties":
            for field, schema in it.items():
                inner = f"{way.field}.{field}" if way.field else field
                yield from _below(
                    document, schema, f"{at}/{name}/{field}", replace(way, field=inner)
                )
        elif name == "headers":
            for header, schema in it.items():
                yield from _below(
                    document, schema, f"{at}/{name}/{header}", replace(way, header=header)
                )
        elif name not in _VALUES and name != "$ref":
            yield from _below(document, it, f"{at}/{name}", way)


def _found(document: Json, value: Json, at: str, way: _Way) -> Found:
    below = frozenset() if way.header else field_names(document, value)
    return Found(
        at,
        tuple(value[SOURCE]),
        frozenset({way.operation}),
        below | {way.field} if way.field else below,
        frozenset() if way.status is None else frozenset({way.status}),
        frozenset({way.header.lower()}) if way.header else frozenset(),
        is_sent=way.status is None,
    )


def field_names(
    document: Json, value: Json, inside: frozenset[str] = frozenset()
) -> frozenset[str]:
    """The names of all fields, parameters among them, at any depth below *value*."""
    if isinstance(value, list):
        return frozenset().union(*(field_names(document, it, inside) for it in value))
    if not isinstance(value, dict):
        return frozenset()
    names = frozenset(value.get("properties", {}))
    if value.get("in") in {"path", "query"}:
        names |= {value["name"]}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference not in inside:
        names |= field_names(document, _at(document, reference), inside | {reference})
    below = (it for name, it in value.items() if name not in _VALUES)
    return names.union(*(field_names(document, it, inside) for it in below))


def _at(document: Json, reference: str) -> Json:
    value = document
    for step in reference.removeprefix("#/").split("/"):
        value = value[step.replace("~1", "/").replace("~0", "~")]
    return value

"""OpenAPI documents as vendors might write them, drawn from the grammar of the specification."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from screentest.specs.json_types import Json

_NAMES = ["Video", "Job", "Error", "Page"]
_FIELDS = ["id", "state", "url", "count", "items", "next", "nullable", "example", "a-b"]
_FORMATS = ["date-time", "date", "uuid", "uri", "email", "ipv4", "binary", "byte", "int-like"]
_PATTERNS = ["^[a-z]{3,8}$", "^job_[0-9a-f]{8}$", r"^\d+(\.\d+)?$", "^(a|b)+$", "[A-Z]", r"^\S+$"]
_STYLES = {
    "query": ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
    "header": ["simple"],
    "cookie": ["form"],
}
Draw = Callable[[st.SearchStrategy[Json]], Json]


@st.composite
def documents(draw: Draw) -> Json:
    """A document of OpenAPI 3.0 or 3.1; most of them can be served."""
    is_old = draw(st.booleans())
    schemas = {name: draw(_schemas(is_old=is_old, depth=2)) for name in _NAMES}
    schemes = draw(st.dictionaries(st.sampled_from(["key", "token"]), _schemes(), max_size=2))
    document: Json = {
        "openapi": draw(st.sampled_from(["3.0.0", "3.0.3"] if is_old else ["3.1.0", "3.1.1"])),
        "info": {"title": "A drawn API", "version": "1"},
        "paths": {},
        "components": {
            "schemas": schemas,
            "securitySchemes": schemes,
            "parameters": {"Size": draw(_parameters(is_old=is_old))},
            "responses": {"Gone": draw(_responses(is_old=is_old))},
        },
    }
    if schemes:
        document["security"] = draw(_security(sorted(schemes)))
    for number in range(draw(st.integers(1, 4))):
        end = draw(st.sampled_from(["", "/{id}", "/{id}.json", "/{id}:stop"]))
        path = f"/r{number}{end}"
        document["paths"][path] = draw(_items(path, is_old=is_old, schemes=sorted(schemes)))
    return document


@st.composite
def _items(draw: Draw, path: str, *, is_old: bool, schemes: list[str]) -> Json:
    item: Json = {}
    methods = draw(
        st.lists(st.sampled_from(["get", "post", "put", "delete"]), min_size=1, unique=True)
    )
    for method in methods:
        operation: Json = {"responses": draw(_all_responses(is_old=is_old))}
        if draw(st.booleans()):
            operation["parameters"] = [draw(_parameters(is_old=is_old))]
        if draw(st.booleans()):
            operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/Size"})
        if method in {"post", "put"} and draw(st.booleans()):
            content = draw(_contents(is_old=is_old))
            operation["requestBody"] = {"content": content, "required": draw(st.booleans())}
        if schemes and draw(st.booleans()):
            operation["security"] = draw(_security(schemes))
        item[method] = operation
    if "{" in path:
        own = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
        item["parameters"] = [own]
    return item


@st.composite
def _all_responses(draw: Draw, *, is_old: bool) -> Json:
    statuses = draw(
        st.lists(
            st.sampled_from(["200", "201", "204", "2XX", "400", "404", "4XX", "500", "default"]),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    shared = {"$ref": "#/components/responses/Gone"}
    return {
        status: {"description": "nothing"}
        if status == "204"
        else draw(st.one_of(_responses(is_old=is_old), st.just(shared)))
        for status in statuses
    }


@st.composite
def _responses(draw: Draw, *, is_old: bool) -> Json:
    response: Json = {"description": "a reply"}
    if draw(st.booleans()):
        response["content"] = draw(_contents(is_old=is_old))
    if draw(st.booleans()):
        schema = draw(_scalars(is_old=is_old))
        response["headers"] = {"X-Note": {"required": draw(st.booleans()), "schema": schema}}
    return response


@st.composite
def _contents(draw: Draw, *, is_old: bool) -> Json:
    types = draw(
        st.lists(
            st.sampled_from(
                ["application/json", "application/problem+json", "text/plain", "*/*", "image/png"]
            ),
            min_size=1,
            max_size=2,
            unique=True,
        )
    )
    return {name: {"schema": draw(_schemas(is_old=is_old, depth=2))} for name in types}


@st.composite
def _parameters(draw: Draw, *, is_old: bool) -> Json:
    place = draw(st.sampled_from(sorted(_STYLES)))
    style = draw(st.sampled_from(_STYLES[place]))
    scalar = draw(_scalars(is_old=is_old))
    schema: Json = scalar
    if style == "deepObject":
        schema = {"type": "object", "properties": {"a": scalar}}
    elif draw(st.booleans()):
        schema = {"type": "array", "items": scalar}
    name = draw(st.sampled_from(["size", "filter", "X-Mode"]))
    parameter = {"name": name, "in": place, "required": draw(st.booleans()), "schema": schema}
    if place == "query":
        parameter["style"] = style
        if style == "form":
            parameter["explode"] = draw(st.booleans())
    return parameter


def _security(names: list[str]) -> st.SearchStrategy[Json]:
    return st.lists(
        st.lists(st.sampled_from(names), max_size=2, unique=True).map(
            lambda them: {it: [] for it in them}
        ),
        max_size=2,
    )


def _schemes() -> st.SearchStrategy[Json]:
    return st.sampled_from(
        [
            {"type": "apiKey", "in": "header", "name": "X-Key"},
            {"type": "apiKey", "in": "query", "name": "api_key"},
            {"type": "apiKey", "in": "cookie", "name": "sid"},
            {"type": "http", "scheme": "bearer"},
            {"type": "http", "scheme": "basic"},
            {"type": "oauth2", "flows": {}},
        ]
    )


@st.composite
def _schemas(draw: Draw, *, is_old: bool, depth: int) -> Json:
    kinds = ["scalar", "scalar", "reference"]
    kinds += ["object", "object", "array", "allOf", "oneOf", "anyOf", "any"] if depth else []
    kind = draw(st.sampled_from(kinds))
    if kind == "scalar":
        return draw(_scalars(is_old=is_old))
    if kind == "reference":
        # Below a field or an element only: a schema that is itself is another test.
        name = draw(st.sampled_from(_NAMES))
        return {"type": "object", "properties": {"next": {"$ref": f"#/components/schemas/{name}"}}}
    if kind == "array":
        least = draw(st.integers(0, 2))
        items = draw(_schemas(is_old=is_old, depth=depth - 1))
        return {"type": "array", "items": items, "minItems": least, "maxItems": least + 2}
    if kind == "object":
        return draw(_objects(is_old=is_old, depth=depth - 1))
    if kind == "any":
        return {} if is_old else draw(st.sampled_from([{}, True]))
    if kind == "allOf":
        parts = [draw(_objects(is_old=is_old, depth=depth - 1)) for _ in range(2)]
        return {"allOf": parts}
    branches = [draw(_schemas(is_old=is_old, depth=depth - 1)) for _ in range(2)]
    return {kind: branches}


@st.composite
def _objects(draw: Draw, *, is_old: bool, depth: int) -> Json:
    names = draw(st.lists(st.sampled_from(_FIELDS), max_size=4, unique=True))
    schema: Json = {
        "type": "object",
        "properties": {it: draw(_schemas(is_old=is_old, depth=max(depth, 0))) for it in names},
    }
    if names and draw(st.booleans()):
        schema["required"] = names[: draw(st.integers(1, len(names)))]
    if draw(st.booleans()):
        schema["additionalProperties"] = draw(
            st.sampled_from([True, {"type": "string"}, {"type": "integer"}])
        )
    return schema


@st.composite
def _scalars(draw: Draw, *, is_old: bool) -> Json:
    schema: Json = draw(
        st.one_of(
            st.just({"type": "boolean"}),
            st.sampled_from(_FORMATS).map(lambda it: {"type": "string", "format": it}),
            st.sampled_from(_PATTERNS).map(lambda it: {"type": "string", "pattern": it}),
            st.integers(0, 20).map(lambda it: {"type": "string", "minLength": it}),
            st.integers(0, 20).map(lambda it: {"type": "string", "maxLength": it}),
            st.just({"type": "string", "enum": ["queued", "done"]}),
            st.integers(-50, 50).map(lambda it: {"type": "integer", "minimum": it, "maximum": 59}),
            st.integers(-50, 50).map(lambda it: {"type": "number", "minimum": it}),
            st.just({"type": "integer", "multipleOf": 7}),
        )
    )
    if is_old and draw(st.booleans()):
        schema["nullable"] = True
    if not is_old and draw(st.booleans()):
        schema["type"] = [schema["type"], "null"]
    if draw(st.booleans()):
        schema["description"] = "A field."
    return schema

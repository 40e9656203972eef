"""Which objects an OpenAPI document is made of, and where each may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..json_types import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

#: The parts of each kind of object: a kind, `[kind]` for a list, `{kind}` for a mapping by name.
PARTS: Mapping[str, Mapping[str, str]] = {
    "document": {"paths": "{path}", "webhooks": "{path}", "components": "components"},
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "examples": "{example}",
        "requestBodies": "{body}",
        "headers": "{header}",
        "securitySchemes": "{scheme}",
        "links": "{link}",
        "callbacks": "{callback}",
        "pathItems": "{path}",
    },
    "path": {"parameters": "[parameter]", **dict.fromkeys(METHODS, "operation")},
    "operation": {
        "parameters": "[parameter]",
        "requestBody": "body",
        "responses": "{response}",
        "callbacks": "{callback}",
    },
    "parameter": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "header": {"schema": "schema", "content": "{media}", "examples": "{example}"},
    "body": {"content": "{media}"},
    "response": {"content": "{media}", "headers": "{header}", "links": "{link}"},
    "media": {"schema": "schema", "itemSchema": "schema", "examples": "{example}"},
    "schema": {
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), "{schema}"),
        **dict.fromkeys(("$defs", "definitions"), "{schema}"),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[schema]"),
        **dict.fromkeys(("if", "then", "else", "not", "items", "contains"), "schema"),
        **dict.fromkeys(("additionalProperties", "propertyNames"), "schema"),
        **dict.fromkeys(("unevaluatedProperties", "unevaluatedItems"), "schema"),
        "contentSchema": "schema",
    },
}
#: The section of `components` for each kind that a `$ref` may point at.
SECTIONS: Mapping[str, str] = {kind[1:-1]: section for section, kind in PARTS["components"].items()}
#: Schemas that judge the same value as the schema around them.
IN_PLACE = ("allOf", "anyOf", "oneOf", "if", "then", "else", "not", "dependentSchemas")


def parts_of(kind: str, value: Mapping[str, Json]) -> Iterator[tuple[str, str, Json]]:
    """(pointer below *value*, kind, part) of every part that an object of *kind* has."""
    if kind == "callback":
        for name, part in value.items():
            yield escaped(name), "path", part
        return
    for name, form in PARTS.get(kind, {}).items():
        if name not in value:
            continue
        part = value[name]
        if form[0] == "{" and isinstance(part, dict):
            for key, inner in part.items():
                # An extension is not an object of the specification.
                if form != "{path}" or not key.startswith("x-"):
                    yield f"{name}/{escaped(key)}", form[1:-1], inner
        elif form[0] == "[" and isinstance(part, list):
            for index, inner in enumerate(part):
                yield f"{name}/{index}", form[1:-1], inner
        elif form[0] not in "[{":
            yield name, form, part


def escaped(step: str) -> str:
    """*step* as a step of a JSON pointer."""
    return step.replace("~", "~0").replace("/", "~1") if "~" in step or "/" in step else step

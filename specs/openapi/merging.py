"""Merging several schemas into one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..json_types import Json

_DEPTH_MAX = 24
_LARGEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_SMALLEST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
#: The alternatives of a merged schema: lists of branches, of which each gives one.
BRANCHES = "x-screentest-branches"
_ALTERNATIVES = frozenset({"oneOf", "anyOf", "if", "then", "else"})


def merged(
    schema: Mapping[str, Json], resolve: Callable[[Json], Json], depth: int = 0
) -> dict[str, Json]:
    """*schema* merged with its `$ref` and its `allOf`; alternatives are `BRANCHES`.

    *resolve* follows a `$ref`. Two patterns cannot be one: the last one counts.
    """
    own = {
        name: it
        for name, it in schema.items()
        if name not in _ALTERNATIVES and name not in {"$ref", "allOf"}
    }
    branches = [schema[it] for it in ("oneOf", "anyOf") if schema.get(it)]
    if "if" in schema:
        then = {"allOf": [schema["if"], schema.get("then", {})]}
        branches.append([then, schema.get("else", {})])
    if branches:
        own[BRANCHES] = [*own.get(BRANCHES, ()), *branches]
    if depth > _DEPTH_MAX:
        return own
    found: dict[str, Json] = {}
    if "$ref" in schema:
        target = resolve(schema)
        if isinstance(target, dict):
            found = merged(target, resolve, depth + 1)
        elif target is False:
            found = {"not": {}}
    for part in schema.get("allOf", ()):
        if isinstance(part, dict):
            found = _both(found, merged(part, resolve, depth + 1))
        elif part is False:
            found = {**found, "not": {}}
    return _both(found, own)


def _both(first: Mapping[str, Json], second: Mapping[str, Json]) -> dict[str, Json]:
    together = dict(first)
    for name, it in second.items():
        if name not in together:
            together[name] = it
        elif name == BRANCHES:
            together[name] = [*together[name], *it]
        else:
            together[name] = _value(name, together[name], it)
    return together


def _value(name: str, first: Json, second: Json) -> Json:
    if name in _LARGEST:
        return max(first, second)
    if name in _SMALLEST:
        return min(first, second)
    if name == "required":
        return list(dict.fromkeys([*first, *second]))
    if name in {"properties", "patternProperties"}:
        shared = first.keys() & second.keys()
        return {**first, **second, **{it: {"allOf": [first[it], second[it]]} for it in shared}}
    if name == "type":
        return _common(_listed(first), _listed(second)) or second
    if name == "enum":
        return _common(first, second) or second
    if name == "additionalProperties" and (first is False or second is False):
        return False
    if name in {"items", "additionalProperties"} and isinstance(first, dict):
        return {"allOf": [first, second]} if isinstance(second, dict) else second
    return second


def _listed(types: Json) -> Sequence[Json]:
    return [types] if isinstance(types, str) else types


def _common(first: Sequence[Json], second: Sequence[Json]) -> list[Json]:
    found = [it for it in first if it in second]
    if ("number" in first and "integer" in second) or ("integer" in first and "number" in second):
        found.append("integer")
    return found

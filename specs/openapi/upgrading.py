"""Read OpenAPI 3.0 as 3.1, and bring either into the one form that the rest of the code reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ..json_types import Json
from .bundling import Bundle, Node
from .grammar import METHODS

_COMPOSED = ("allOf", "anyOf", "oneOf")
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9]+")
#: They would change what a `$ref` inside is relative to; nothing refers to them.
_IDENTITIES = ("$id", "$schema", "$anchor", "$dynamicAnchor")


def upgrade(bundle: Bundle) -> None:
    """Change the document of *bundle* in place."""
    document = bundle.document
    is_old = str(document["openapi"]).startswith("3.0")
    for node in bundle.nodes:
        if node.kind == "schema":
            for name in _IDENTITIES:
                node.value.pop(name, None)
            if is_old:
                _upgrade_schema(node.value)
        elif node.kind in {"media", "parameter", "header"}:
            _replace_plain_schemas(node)
        if node.kind == "media":
            node.value.setdefault("schema", {})
    document["openapi"] = "3.1.0"
    _inline_paths(bundle)
    _name_operations(document["paths"])


def _upgrade_schema(raw: dict[str, Json]) -> None:
    if "$ref" in raw:
        # What is beside a reference has no meaning in 3.0.
        reference = raw["$ref"]
        raw.clear()
        raw["$ref"] = reference
        return
    for limit, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if isinstance(raw.get(exclusive), bool) and raw.pop(exclusive) and limit in raw:
            raw[exclusive] = raw.pop(limit)
    if "example" in raw:
        raw.setdefault("examples", [raw.pop("example")])
    if raw.pop("nullable", False) is True:
        _permit_null(raw)


def _permit_null(raw: dict[str, Json]) -> None:
    if any(name in raw for name in _COMPOSED):
        inner = dict(raw)
        raw.clear()
        raw["anyOf"] = [inner, {"type": "null"}]
    elif isinstance(raw.get("type"), str):
        raw["type"] = [raw["type"], "null"]
        # `nullable` counts even if the choices of the field do not have null.
        if isinstance(raw.get("enum"), list) and None not in raw["enum"]:
            raw["enum"] = [*raw["enum"], None]


def _replace_plain_schemas(node: Node) -> None:
    """Write `true` and `false` as the mappings that they stand for."""
    for name in ("schema", "itemSchema"):
        if isinstance(node.value.get(name), bool):
            node.value[name] = {} if node.value[name] else {"not": {}}


def _inline_paths(bundle: Bundle) -> None:
    paths = bundle.document["paths"]
    for path, item in paths.items():
        # One item may be at several paths; each has its own operations.
        whole = dict(bundle.target(item["$ref"])) if "$ref" in item else {}
        whole |= {name: it for name, it in item.items() if name != "$ref"}
        for method in METHODS:
            if method in whole:
                operation = whole[method] = dict(whole[method])
                operation["responses"] = _statuses(operation.get("responses", {}))
        paths[path] = whole


def _statuses(responses: Mapping[str, Json]) -> dict[str, Json]:
    """*responses* with ranges in capitals and without extensions."""
    known = {name: it for name, it in responses.items() if not name.startswith("x-")}
    return {name.upper() if name != "default" else name: it for name, it in known.items()}


def _name_operations(paths: Mapping[str, Json]) -> None:
    """Give an id of method and path to each operation without one."""
    taken = {it["operationId"] for it in _operations(paths.values()) if "operationId" in it}
    for path, item in paths.items():
        for method in METHODS:
            if method not in item or "operationId" in item[method]:
                continue
            wanted = "_".join(it for it in _NOT_IN_IDS.split(f"{method}_{path}") if it)
            name, number = wanted, 2
            while name in taken:
                name, number = f"{wanted}_{number}", number + 1
            taken.add(name)
            item[method]["operationId"] = name


def _operations(items: Iterable[Json]) -> Iterable[Json]:
    return (item[method] for item in items for method in METHODS if method in item)

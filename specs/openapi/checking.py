"""Mistakes in an OpenAPI document for which no operation could be served, all of them at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import jsonschema_rs

from ..json_types import Json
from .bundling import Bundle, Node
from .grammar import IN_PLACE, METHODS, escaped

SCHEMA_FILE = Path(__file__).with_name("openapi.schema.json")
_SHOWN_MAX = 300
_PLACE = re.compile(r"\{([^{}]*)\}")
#: How often one value may be judged by the schemas that `allOf` and the like bring together.
_JUDGED_MAX = 100_000


def check_structure(bundle: Bundle) -> None:
    """Report what is not formed as OpenAPI says. Nothing else may be read of such a document."""
    for error in _validator().iter_errors(bundle.document):
        where = [str(step) for step in error.instance_path]
        bundle.report_at(where, error.message[:_SHOWN_MAX])


def check_content(bundle: Bundle) -> None:
    """Report what is well formed and cannot be served."""
    _check_ids(bundle)
    _check_paths(bundle)
    _check_security(bundle)
    for node in bundle.nodes:
        if node.kind == "schema":
            _check_schema(bundle, node)
    if not bundle.problems:
        _check_growth(bundle)


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))


def _check_ids(bundle: Bundle) -> None:
    first: dict[str, str] = {}
    for path, item in bundle.document["paths"].items():
        for method in METHODS:
            name = item.get(method, {}).get("operationId")
            if name is None:
                continue
            here = f"{method.upper()} {path}"
            if name in first:
                detail = f"{first[name]} has the operationId {name!r}, too"
                bundle.report_at(["paths", path, method, "operationId"], detail)
            first.setdefault(name, here)


def _check_paths(bundle: Bundle) -> None:
    first: dict[tuple[str, str], str] = {}
    for path, item in bundle.document["paths"].items():
        if path.startswith("x-"):
            continue
        names = _PLACE.findall(path)
        if len(names) != len(set(names)):
            bundle.report_at(["paths", path], "a path parameter is named twice")
        if "?" in path or "#" in path:
            bundle.report_at(["paths", path], "a path has neither query nor fragment")
        form = _PLACE.sub("{}", path)
        for method in METHODS:
            if method not in item:
                continue
            other = first.setdefault((method, form), path)
            if other != path:
                detail = f"{method.upper()} here collides with {other!r}: both match the same paths"
                bundle.report_at(["paths", path], detail)


def _check_security(bundle: Bundle) -> None:
    document = bundle.document
    known = document.get("components", {}).get("securitySchemes", {})
    rules: dict[tuple[str, ...], Json] = {(): document.get("security", [])}
    for path, item in document["paths"].items():
        for method in METHODS:
            if "security" in item.get(method, {}):
                rules["paths", path, method] = item[method]["security"]
    for at, alternatives in rules.items():
        for index, alternative in enumerate(alternatives):
            for name in alternative:
                if name not in known:
                    listed = ", ".join(sorted(known)) or "none"
                    detail = f"no security scheme {name!r} (there are: {listed})"
                    bundle.report_at([*at, "security", str(index), name], detail)


def _check_schema(bundle: Bundle, node: Node) -> None:
    schema: Mapping[str, Json] = node.value
    if node.is_root:
        try:
            jsonschema_rs.meta.validate({**schema, "$schema": _DRAFT})
        except jsonschema_rs.ValidationError as error:
            below = "/".join(escaped(str(step)) for step in error.instance_path)
            bundle.report(node, error.message.partition("\n")[0][:_SHOWN_MAX], below)
            return
    patterns = {"pattern": schema["pattern"]} if "pattern" in schema else {}
    patterns |= {f"patternProperties/{escaped(it)}": it for it in _names(schema)}
    for below, pattern in patterns.items():
        if isinstance(pattern, str) and (problem := _pattern_problem(pattern)):
            bundle.report(node, f"the pattern {pattern[:80]!r} {problem}", below)


_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _names(schema: Mapping[str, Json]) -> Iterator[str]:
    found = schema.get("patternProperties")
    yield from found if isinstance(found, dict) else ()


@cache
def _pattern_problem(pattern: str) -> str | None:
    try:
        jsonschema_rs.validator_for({"pattern": pattern})
    except (jsonschema_rs.ValidationError, ValueError):
        return "is not a regular expression of JSON Schema, or is too large"
    return None


def _check_growth(bundle: Bundle) -> None:
    """Report schemas that judge one value endlessly, or many times over."""
    judged: dict[int, int] = {}
    for node in bundle.nodes:
        if node.kind == "schema" and id(node.value) not in judged:
            problem = _grow(bundle, node.value, judged)
            if problem is not None:
                bundle.report(node, problem)
                return


def _grow(bundle: Bundle, schema: Json, judged: dict[int, int]) -> str | None:
    """Fill in how many schemas judge a value of *schema*; or the problem."""
    # Each entry is a schema and whether its parts are counted. A recursive function would need a
    # level for each reference of a chain.
    todo, open_ids = [(schema, False)], set[int]()
    while todo:
        it, is_counted = todo.pop()
        if not isinstance(it, dict) or id(it) in judged:
            continue
        parts = list(_in_place(bundle, it))
        if is_counted:
            open_ids.discard(id(it))
            judged[id(it)] = 1 + sum(judged.get(id(part), 1) for part in parts)
            if judged[id(it)] > _JUDGED_MAX:
                return f"with its references written out this has more than {_JUDGED_MAX} schemas"
            continue
        if id(it) in open_ids:
            return "this schema contains itself for the same value, so no value can be judged"
        open_ids.add(id(it))
        todo.append((it, True))
        todo.extend((part, False) for part in parts)
    return None


def _in_place(bundle: Bundle, schema: Mapping[str, Json]) -> Iterator[Json]:
    if isinstance(schema.get("$ref"), str):
        yield bundle.target(schema["$ref"])
    for name in IN_PLACE:
        part = schema.get(name)
        if isinstance(part, list):
            yield from part
        elif isinstance(part, dict):
            yield from part.values() if name == "dependentSchemas" else [part]

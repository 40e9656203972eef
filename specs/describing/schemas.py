"""The JSON Schemas of a contract's files, made from the structs that the files are read into.

`tools/reference_pages.py` writes them into `specs/schemas/`.
"""

from __future__ import annotations

from msgspec.json import schema_components

from ..behaviour.interpretations import Interpretation
from ..behaviour.sections import BehaviourFile
from ..checks.checks import Checks
from ..clauses.clauses import Clause
from ..formats import MARK_FILLED, MARK_INSTEAD
from ..json_types import Json

#: The type of a file's content, by the name of the file.
FORMATS = {
    "behaviour": BehaviourFile,
    "readings": dict[str, Interpretation],
    "checks": Checks,
    "clauses": dict[str, Clause],
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Keywords whose values are data, not schemas.
_VALUES = frozenset({"const", "default", "enum", "examples", "required"})


def schema_of(name: str) -> Json:
    """The JSON Schema of the files called *name*."""
    (top,), parts = schema_components(
        [FORMATS[name]],
        ref_template="#/$defs/{name}",
        schema_hook=lambda type_: {"title": type_.__name__},
    )
    if "$ref" in top:
        top = parts.pop(top["$ref"].rpartition("/")[2])
    head = {"$schema": _DIALECT, "title": f"{name}.yaml of a contract", **_tidied(top)}
    return {**head, "$defs": {name: _tidied(it) for name, it in parts.items()}}


def _tidied(schema: Json) -> Json:
    """*schema* as an editor should have it: without our marks, and null only for plain values."""
    if isinstance(schema, list):
        return [_tidied(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {name: it for name, it in schema.items() if name != "title"}
    if not schema.get("default") or isinstance(schema["default"], dict):
        schema.pop("default", None)  # it only says that the field may be left out
    if MARK_INSTEAD in schema:
        kept = {name: schema[name] for name in ("description", "examples") if name in schema}
        return {**kept, **schema[MARK_INSTEAD]}
    if isinstance(schema.get("description"), str):
        schema["description"] = " ".join(schema["description"].split())
    choices = schema.get("anyOf", [])
    if {"type": "null"} in choices and len(choices) == 2:
        schema.pop("anyOf")
        other = next(it for it in choices if it != {"type": "null"})
        is_plain = other.get("type") in {"string", "integer", "number", "boolean"}
        schema |= {**other, "type": [other["type"], "null"]} if is_plain else other
    properties = schema.pop("properties", {})
    filled = {name for name, it in properties.items() if it.get(MARK_FILLED)}
    tidied = {name: it if name in _VALUES else _tidied(it) for name, it in schema.items()}
    if properties:
        tidied["properties"] = {n: _tidied(it) for n, it in properties.items() if n not in filled}
    if filled and (required := [it for it in tidied.pop("required", []) if it not in filled]):
        tidied["required"] = required
    return tidied

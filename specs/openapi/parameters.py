"""The parameters of an operation: their values as a request writes them, read and typed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..json_types import Json
from .documents import Documents
from .fields import Fields
from .validation import Schema

_SEPARATORS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "simple": ","}
#: A list in a query with more elements is read up to here, and then too long for its schema.
_ELEMENTS_MAX = 1_000


class Parameter(Struct, frozen=True):
    """A parameter in `path`, `query`, `header` or `cookie`, with the schema that judges it.

    *style* and *is_exploded* say how lists and objects are written; an *is_json* one is JSON text.
    """

    name: str
    place: str
    is_required: bool
    schema: Schema
    style: str = "simple"
    is_exploded: bool = False
    is_json: bool = False

    def read(self, text: str) -> Json:
        """*text* as its schema's type where it has that form, else unchanged."""
        if self.is_json:
            try:
                return json.loads(text)
            except ValueError:
                return text
        fields = self.schema.fields
        if "array" in fields.types and "string" not in fields.types:
            return self._elements(text.split(_SEPARATORS.get(self.style, ",")))
        if "object" in fields.types and self.style != "deepObject" and not self.is_exploded:
            parts = text.split(",")
            return _typed_object(dict(zip(parts[::2], parts[1::2], strict=False)), fields)
        return typed(text, fields.types)

    def read_all(self, pairs: Mapping[str, Sequence[str]]) -> Json:
        """Its value in the query *pairs*; None if they do not have it."""
        fields = self.schema.fields
        if self.style == "deepObject":
            return self._deep(pairs, fields)
        texts = pairs.get(self.name)
        if self.is_exploded and "object" in fields.types and not texts:
            found = {name: pairs[name][-1] for name in fields.named if name in pairs}
            return _typed_object(found, fields) if found else None
        if not texts:
            return None
        if self.is_exploded and "array" in fields.types:
            return self._elements(texts)
        return self.read(texts[-1])

    @property
    def default(self) -> Json:
        return self.schema.schema.get("default")

    def _elements(self, texts: Sequence[str]) -> list[Json]:
        types = self.schema.fields.elements.types
        return [typed(it, types) for it in texts[:_ELEMENTS_MAX]]

    def _deep(self, pairs: Mapping[str, Sequence[str]], fields: Fields) -> Json:
        """`filter[state]=done` as `{"state": "done"}`."""
        found: dict[str, Json] = {}
        for name, texts in pairs.items():
            if not (name.startswith(f"{self.name}[") and name.endswith("]")):
                continue
            inner = name[len(self.name) + 1 : -1].removesuffix("][")
            below = fields.named.get(inner)
            if name.endswith("[]]") or (below is not None and "array" in below.types):
                types = below.elements.types if below is not None else frozenset[str]()
                found[inner] = [typed(it, types) for it in texts[:_ELEMENTS_MAX]]
            else:
                types = below.types if below is not None else frozenset[str]()
                found[inner] = typed(texts[-1], types)
        return found or None


def compile_parameter(document: Documents, place: Sequence[str]) -> Parameter:
    """The parameter at *place* of *document*."""
    raw = document.at(place)
    # The default of the specification: `form` where names and values are pairs.
    style = raw.get("style", "form" if raw["in"] in {"query", "cookie"} else "simple")
    content = next(iter(raw.get("content", {})), None)
    at = [*place, "schema"] if "schema" in raw else [*place, "content", content or "", "schema"]
    return Parameter(
        name=raw["name"],
        place=raw["in"],
        is_required=raw.get("required", False),
        schema=Schema(document, at, raw["in"]),
        style=style,
        is_exploded=raw.get("explode", style in {"form", "deepObject"}),
        is_json=content is not None and "schema" not in raw,
    )


def _typed_object(texts: Mapping[str, str], fields: Fields) -> dict[str, Json]:
    named = fields.named
    return {
        name: typed(text, named[name].types if name in named else frozenset())
        for name, text in texts.items()
    }


def typed(text: str, types: frozenset[str]) -> Json:
    """*text* as the first of *types* whose form it has, else unchanged."""
    if "integer" in types and re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        return int(text)
    if "number" in types and re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        return float(text)
    if "boolean" in types and text in {"true", "false"}:
        return text == "true"
    if "null" in types and text in {"", "null"} and "string" not in types:
        return None
    return text

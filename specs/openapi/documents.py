"""One OpenAPI document: following its references, and compiling the schemas in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import jsonschema_rs

from ..json_types import Json

#: Of patterns with look-around; others take a time that grows with the length of the text.
_PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000)


class Documents:
    """One OpenAPI document, made ready for compiling schemas at any place in it.

    *pattern_words* describe its regular expressions in words, by expression.
    """

    __slots__ = ("_registries", "_urn", "content", "pattern_words")

    def __init__(self, name: str, content: Json) -> None:
        self.content = content
        self.pattern_words: Mapping[str, str] = content.get("x-screentest-patterns", {})
        self._urn = f"urn:screentest:{name}"
        self._registries: dict[str, jsonschema_rs.Registry] = {}

    def at(self, pointer: Sequence[str]) -> Json:
        """The value at *pointer*, with one level of `$ref` followed."""
        value: Json = self.content
        for step in pointer:
            value = value[int(step)] if isinstance(value, list) else value[step]
        return self.resolve(value)

    def resolve(self, value: Json) -> Json:
        """The value after following every `$ref` inside this document."""
        for _ in range(20):  # a chain longer than this is a loop
            if not (isinstance(value, dict) and "$ref" in value):
                return value
            value = self.at(self.steps(value["$ref"]))
        raise ValueError("a chain of $ref does not end")

    @staticmethod
    def steps(reference: str) -> list[str]:
        """The steps of a `#/…` reference."""
        text = unquote(reference) if "%" in reference else reference
        return [step.replace("~1", "/").replace("~0", "~") for step in text[2:].split("/")]

    @staticmethod
    def matches(pattern: str, text: str) -> bool:
        """Whether *text* matches a regular expression of JSON Schema."""
        return jsonschema_rs.is_valid({"pattern": pattern}, text)

    def validator(
        self, pointer: Sequence[str], *, is_answer: bool
    ) -> jsonschema_rs.Draft202012Validator:
        """Compile the schema at *pointer* for values of answers, or of requests."""
        fragment = "/".join(_encode(step) for step in pointer)
        validator = jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": f"{self._urn}#/{fragment}",
            },
            registry=self._registry("writeOnly" if is_answer else "readOnly"),
            validate_formats=True,
            pattern_options=_PATTERNS,
        )
        assert isinstance(validator, jsonschema_rs.Draft202012Validator)
        return validator

    def _registry(self, absent: str) -> jsonschema_rs.Registry:
        """The document for values without the fields that its schemas call *absent*."""
        found = self._registries.get(absent)
        if found is None:
            content = _without_required(self.content, absent)
            if content is self.content and self._registries:
                found = self._registries.get("", None)
            if found is None:
                found = jsonschema_rs.Registry(
                    [(self._urn, content)], draft=jsonschema_rs.Draft202012
                )
            if content is self.content:
                self._registries[""] = found
            self._registries[absent] = found
        return found


def _without_required(value: Json, absent: str) -> Json:
    """*value* in which no field is required that is marked *absent*; itself without such fields."""
    if isinstance(value, list):
        items = [_without_required(it, absent) for it in value]
        return items if any(new is not it for new, it in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    changed = {
        name: new
        for name, it in value.items()
        if isinstance(it, dict | list) and (new := _without_required(it, absent)) is not it
    }
    required, named = value.get("required"), value.get("properties")
    if isinstance(required, list) and isinstance(named, dict):
        kept = [it for it in required if not _is_marked(named.get(it), absent)]
        if len(kept) < len(required):
            changed["required"] = kept
    return {**value, **changed} if changed else value


def _is_marked(schema: Json, mark: str) -> bool:
    return isinstance(schema, dict) and schema.get(mark) is True


def _encode(step: str) -> str:
    escaped = step.replace("~", "~0").replace("/", "~1")
    return escaped.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")

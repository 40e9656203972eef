"""Checking values against the schemas of an OpenAPI file, with findings a person can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs

Json = Any

# A reply names a few problems, not every branch of every alternative.
_VIOLATIONS_MAX = 20
_SHOWN_MAX = 80


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: where (a JSON pointer below *location*), which keyword, what was meant."""

    location: str
    pointer: str
    keyword: str
    expected: str
    actual: str
    limit: Json = None

    @property
    def field(self) -> str:
        """The field in dotted form, such as `images.0.url`; empty for the value as a whole."""
        return self.pointer.lstrip("/").replace("/", ".")

    @property
    def message(self) -> str:
        """`prompt: expected at most 2000 characters, got 2001`."""
        where = self.field or ("request body" if self.location == "body" else self.location)
        return f"{where}: expected {self.expected}, got {self.actual}"


class Schema:
    """A schema inside one OpenAPI document, compiled when it is first asked.

    Most programs meet a few operations of a provider, and compiling all of them takes longer than
    everything else that is to be done before the first answer.
    """

    def __init__(self, document: Documents, pointer: Sequence[str], location: str) -> None:
        self.schema: Json = document.at(pointer)
        self.location = location
        self._document = document
        self._pointer = pointer

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        return self._document.validator(self._pointer)

    def is_valid(self, value: Json) -> bool:
        return self._validator.is_valid(value)

    def violations(self, value: Json, *, under: str = "") -> list[Violation]:
        """What is wrong with *value*; empty when nothing is. *under* prefixes the pointers."""
        if self._validator.is_valid(value):
            return []
        found: list[Violation] = []
        for error in self._validator.iter_errors(value):
            found.append(_violation(error, self.location, under, self._document.pattern_words))
            if len(found) == _VIOLATIONS_MAX:
                break
        return found


class Documents:
    """One OpenAPI document, made ready for compiling schemas at any place in it.

    *pattern_words* say in words what its regular expressions mean, by expression.
    """

    __slots__ = ("_registry", "_urn", "content", "pattern_words")

    def __init__(self, name: str, content: Json) -> None:
        self.content = content
        self.pattern_words: Mapping[str, str] = content.get("x-screentest-patterns", {})
        self._urn = f"urn:screentest:{name}"
        self._registry = jsonschema_rs.Registry(
            [(self._urn, content)], draft=jsonschema_rs.Draft202012
        )

    def at(self, pointer: Sequence[str]) -> Json:
        """The value at *pointer*, with one level of `$ref` followed."""
        value: Json = self.content
        for step in pointer:
            value = value[int(step)] if isinstance(value, list) else value[step]
        return self.resolve(value)

    def resolve(self, value: Json) -> Json:
        """Follow `$ref` (inside this document) until there is none."""
        for _ in range(20):  # a chain longer than this is a loop
            if not (isinstance(value, dict) and "$ref" in value):
                return value
            value = self.at(self.steps(value["$ref"]))
        raise ValueError("a chain of $ref does not end")

    @staticmethod
    def steps(reference: str) -> list[str]:
        """The steps of a `#/…` reference."""
        return [step.replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/")]

    def validator(self, pointer: Sequence[str]) -> jsonschema_rs.Draft202012Validator:
        """Compile the schema at *pointer*."""
        fragment = "/".join(_encode(step) for step in pointer)
        validator = jsonschema_rs.validator_for(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": f"{self._urn}#/{fragment}",
            },
            registry=self._registry,
            validate_formats=True,
        )
        assert isinstance(validator, jsonschema_rs.Draft202012Validator)
        return validator


def _encode(step: str) -> str:
    escaped = step.replace("~", "~0").replace("/", "~1")
    return escaped.replace("%", "%25").replace("{", "%7B").replace("}", "%7D").replace(" ", "%20")


def _violation(
    error: jsonschema_rs.ValidationError,
    location: str,
    under: str,
    pattern_words: Mapping[str, str],
) -> Violation:
    kind = error.kind
    keyword = kind.name
    limit = kind.value
    pointer = under + "".join(f"/{step}" for step in error.instance_path)
    if keyword == "required":
        return Violation(location, f"{pointer}/{limit}", keyword, "a value", "nothing", limit)
    if keyword in {"additionalProperties", "unevaluatedProperties"}:
        unknown = list(getattr(kind, "unexpected", [])) or ["?"]
        return Violation(
            location, f"{pointer}/{unknown[0]}", keyword, "no such field", "a value", unknown
        )
    describe = _EXPECTED.get(keyword)
    expected = describe(limit) if describe else f"a value that satisfies {keyword!r}"
    if keyword == "pattern":
        expected = pattern_words.get(limit, expected)
    return Violation(location, pointer, keyword, expected, _actual(keyword, error.instance), limit)


def _choices(limit: Json) -> str:
    return "one of " + ", ".join(shown(choice) for choice in limit)


def _types(limit: Json) -> str:
    names: Iterable[str] = [limit] if isinstance(limit, str) else limit
    return " or ".join(str(name) for name in names)


_EXPECTED: Mapping[str, Callable[[Json], str]] = {
    "maxLength": lambda limit: f"at most {limit} characters",
    "minLength": lambda limit: f"at least {limit} character{'' if limit == 1 else 's'}",
    "maxItems": lambda limit: f"at most {limit} items",
    "minItems": lambda limit: f"at least {limit} item{'' if limit == 1 else 's'}",
    "maxProperties": lambda limit: f"at most {limit} field{'' if limit == 1 else 's'}",
    "minProperties": lambda limit: f"at least {limit} field{'' if limit == 1 else 's'}",
    "maximum": lambda limit: f"at most {limit}",
    "minimum": lambda limit: f"at least {limit}",
    "exclusiveMaximum": lambda limit: f"less than {limit}",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
    "enum": _choices,
    "const": lambda limit: shown(limit),
    "type": _types,
    "pattern": lambda limit: f"text that matches {limit}",
    "format": lambda limit: f"a {limit}",
    "oneOf": lambda limit: "exactly one of the documented forms",
    "anyOf": lambda limit: "one of the documented forms",
    "not": lambda limit: "another combination of fields",
    "false": lambda limit: "no value here",
}


def _actual(keyword: str, value: Json) -> str:
    if keyword in {"maxLength", "minLength"} and isinstance(value, str):
        return str(len(value))
    if keyword in {"maxItems", "minItems"} and isinstance(value, list):
        return str(len(value))
    if keyword in {"maxProperties", "minProperties"} and isinstance(value, dict):
        return str(len(value))
    if keyword == "type":
        kind, text = type_name(value), shown(value)
        return kind if text in {"", kind} else f"{kind} {text}"
    return shown(value)


def type_name(value: Json) -> str:
    """The JSON Schema name of a decoded value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def shown(value: Json) -> str:
    """*value* for a message: short, and quoted when it is text."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return type_name(value)
    text = (
        repr(value)
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"

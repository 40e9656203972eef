"""Check values against the schemas of an OpenAPI file, with messages that name the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind as Kind
from msgspec import Struct
from msgspec.structs import replace

from ..json_types import Json, TypeName
from .documents import Documents
from .fields import Fields

# A reply names a few problems, not every branch of every alternative.
_VIOLATIONS_MAX = 20
_SHOWN_MAX = 80
#: Keywords by which the forms of a value differ.
_MARKS = frozenset({"const", "enum"})
_UNEVALUATED = "unevaluatedProperties"
#: Locations of what a server sends: fields that are only written do not appear there.
_ANSWERED = frozenset({"reply", "event"})


class Violation(Struct, frozen=True):
    """One broken rule: where (a JSON pointer below *location*), which keyword, what was meant.

    *place* is where the document has the keyword, as far as this is one place.
    """

    location: str
    pointer: str
    keyword: str
    expected: str
    actual: str
    limit: Json = None
    place: tuple[str | int, ...] = ()

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

    Most programs use a few operations of a provider. Compiling all of them would take longer than
    everything else before the first answer.
    """

    def __init__(self, document: Documents, pointer: Sequence[str], location: str) -> None:
        self.schema: Json = document.at(pointer)
        self.location = location
        self.document = document
        self._pointer = pointer

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        is_answer = self.location in _ANSWERED
        return self.document.validator(self._pointer, is_answer=is_answer)

    @cached_property
    def fields(self) -> Fields:
        """The fields that the schema has names for."""
        return Fields(self.document.resolve, [self.schema])

    def is_valid(self, value: Json) -> bool:
        return self._validator.is_valid(value)

    def violations(self, value: Json, *, under: str = "") -> list[Violation]:
        """The violations of *value*; empty if it is valid. *under* prefixes the pointers."""
        if self._validator.is_valid(value):
            return []
        detail = _Telling(self.location, under, self.document.pattern_words)
        found = detail.of(self._validator.iter_errors(value))
        return [it for broken in found for it in self._without_named(broken, under)] or found

    def _without_named(self, broken: Violation, under: str) -> Sequence[Violation]:
        """*broken* without unknown fields that are unknown only because another rule is broken."""
        if broken.keyword != _UNEVALUATED:
            return [broken]
        at = broken.pointer.rpartition("/")[0]
        known = self.fields.beside(f"{at.removeprefix(under)}/")
        unknown = [name for name in broken.limit if name not in known]
        return [replace(broken, pointer=f"{at}/{unknown[0]}", limit=unknown)] if unknown else []


class _Telling(Struct, frozen=True):
    """How the errors of one value become violations."""

    location: str
    under: str
    pattern_words: Mapping[str, str]

    def of(self, errors: Iterable[jsonschema_rs.ValidationError]) -> list[Violation]:
        """The first violations behind *errors*; the same rule at two places counts once."""
        detail = (violation for error in errors for violation in self._one(error))
        once = {(it.pointer, it.expected): it for it in islice(detail, _VIOLATIONS_MAX)}
        return list(once.values())

    def _one(self, error: jsonschema_rs.ValidationError) -> Sequence[Violation]:
        kind = error.kind
        if isinstance(kind, (Kind.AnyOf, Kind.OneOfNotValid)):
            return self._of_forms(error, [self.of(branch) for branch in kind.context])
        return [self._violation(error)]

    def _of_forms(
        self, error: jsonschema_rs.ValidationError, forms: Sequence[Sequence[Violation]]
    ) -> Sequence[Violation]:
        """The errors of a value against the documented form that it is nearest to."""
        pointer = self._pointer(error)
        whole = Violation(self.location, pointer, "type", "", _actual("type", error.instance))
        first = [form[0] for form in forms]
        if all(it.keyword == "type" and it.pointer == pointer for it in first):
            limit = list(dict.fromkeys(name for it in first for name in _names(it.limit)))
            return [replace(whole, expected=_types(limit), limit=limit)]
        if all(len(form) == 1 and form[0].keyword == "required" for form in forms):
            fields = " or ".join(dict.fromkeys(repr(it.limit) for it in first))
            return [replace(whole, keyword=error.kind.name, expected=fields)]
        nearest = min(forms, key=lambda form: _distance(form, pointer))
        return [_with_other_choices(it, forms) for it in nearest]

    def _violation(self, error: jsonschema_rs.ValidationError) -> Violation:
        keyword, limit = error.kind.name, error.kind.value
        pointer = self._pointer(error)
        place = tuple(error.schema_path)
        if keyword == "required":
            missing = f"{pointer}/{limit}"
            return Violation(self.location, missing, keyword, "a value", "nothing", limit, place)
        if isinstance(error.kind, (Kind.AdditionalProperties, Kind.UnevaluatedProperties)):
            unknown = list(error.kind.unexpected) or ["?"]
            unwanted = f"{pointer}/{unknown[0]}"
            return Violation(self.location, unwanted, keyword, "no such field", "a value", unknown)
        describe = _EXPECTED.get(keyword)
        expected = describe(limit) if describe else f"a value that satisfies {keyword!r}"
        if keyword == "pattern":
            expected = self.pattern_words.get(limit, expected)
        actual = _actual(keyword, error.instance)
        return Violation(self.location, pointer, keyword, expected, actual, limit, place)

    def _pointer(self, error: jsonschema_rs.ValidationError) -> str:
        return self.under + "".join(f"/{step}" for step in error.instance_path)


def _distance(form: Sequence[Violation], pointer: str) -> tuple[bool, int, int, int]:
    """The distance of the value at *pointer* from a documented form, by its errors.

    A value of another type was not meant as this form. A value that a `const` or an `enum` excludes
    was probably meant as another form. A wrong field says more about the intention than a missing
    one.
    """
    is_of_type = all(it.keyword != "type" or it.pointer != pointer for it in form)
    marks = sum(1 for it in form if it.keyword in _MARKS)
    missing = sum(1 for it in form if it.keyword == "required")
    return not is_of_type, marks, missing, len(form)


def _with_other_choices(violation: Violation, forms: Sequence[Sequence[Violation]]) -> Violation:
    """*violation*; for a choice of values, with the values that all of *forms* offer there."""
    if violation.keyword not in _MARKS:
        return violation
    same = [it for form in forms for it in form if it.pointer == violation.pointer]
    limits = [_choices_of(it) for it in same if it.keyword in _MARKS]
    choices = list({shown(choice): choice for limit in limits for choice in limit}.values())
    if len(choices) == 1:
        return violation
    return replace(violation, keyword="enum", expected=_choices(choices), limit=choices)


def _choices_of(violation: Violation) -> Sequence[Json]:
    choices: Sequence[Json] = violation.limit
    return choices if violation.keyword == "enum" else [violation.limit]


def _choices(limit: Json) -> str:
    return "one of " + ", ".join(shown(choice) for choice in limit)


def _types(limit: Json) -> str:
    return " or ".join(_names(limit))


def _names(limit: Json) -> Sequence[str]:
    return [limit] if isinstance(limit, str) else limit


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


def type_name(value: Json) -> TypeName:
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

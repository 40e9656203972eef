"""Values for schemas: examples first, else generated, and always valid.

A value is generated, then checked by the validator, so this module need not know every rule of JSON
Schema. An invalid value is generated in another way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from random import Random

from msgspec import Struct

from ..json_types import Json
from .documents import Documents
from .merging import BRANCHES, merged
from .pattern_texts import UnmatchableError, text_for
from .text_formats import text_of_format, text_of_length
from .validation import Schema

#: Recursive schemas have only what they must have below this depth, and nothing below the other.
_OPTIONAL_DEPTH_MAX = 4
_DEPTH_MAX = 24
#: A value with more parts is not made.
_PARTS_MAX = 3_000
_RANDOM_TRIES = 12
_UNSEEN = 8
#: How descriptions of addresses begin that have no format: `The URL of the video`.
_URL_WORDS = re.compile(r"(?:an? |the )?(?:[\w-]+ ){0,2}ur[li]s?\b", re.IGNORECASE)
_LENGTHS = ("minLength", "maxLength")


class UngeneratedError(ValueError):
    """No value was found that the schema permits."""


class _Plan(Struct, frozen=True):
    """One way of making a value. *share* is that of the optional fields which the value has."""

    uses_examples: bool
    share: float
    is_random: bool


# An example may be wrong: then all fields without examples say more than a few with them.
_PLANS = [
    _Plan(uses_examples, share, is_random=False)
    for share, uses_examples in product((1.0, 0.0), (True, False))
]
_DYNAMIC = [_Plan(uses_examples=False, share=it, is_random=True) for it in (1.0, 0.0, 0.5, 0.8)]


def generate(
    schema: Schema,
    rng: Random,
    *,
    examples: Sequence[Json] = (),
    is_dynamic: bool = False,
    is_smallest: bool = False,
    is_full: bool = False,
) -> Json:
    """A value that *schema* permits: the first of *examples* that it permits, else a made one.

    An *is_dynamic* value is drawn from *rng* alone, without examples. The *is_smallest* has no
    field that it need not have. An *is_full* one has no examples either, and every field with a
    value that is not null, where that is possible.

    Raises:
        UngeneratedError: no value was found.
    """
    if not (is_dynamic or is_full):
        for example in examples:
            if schema.is_valid(example):
                return example
    drawn = _DYNAMIC * _RANDOM_TRIES
    fixed = sorted(_PLANS, key=lambda it: it.share) if is_smallest else _PLANS
    plans = [*drawn, *fixed] if is_dynamic else [*fixed, *drawn]
    plans = [it for it in plans if not (is_full and it.uses_examples)]
    absent = "writeOnly" if schema.location == "reply" else "readOnly"
    for plan in plans:
        try:
            value = _Maker(schema.document, rng, plan, absent).value(schema.schema, 0)
        except (UngeneratedError, UnmatchableError):
            continue
        if schema.is_valid(value):
            return value
    raise UngeneratedError("no value was found that the schema permits")


class _Maker:
    """Makes one value by one plan."""

    def __init__(self, documents: Documents, rng: Random, plan: _Plan, absent: str) -> None:
        self._documents = documents
        self._rng = rng
        self._plan = plan
        self._absent = absent
        self._parts = 0

    def value(self, schema: Json, depth: int) -> Json:
        """A value for *schema*.

        Raises:
            UngeneratedError: it has too many parts or levels, or permits nothing.
        """
        self._parts += 1
        if self._parts > _PARTS_MAX or depth > _DEPTH_MAX:
            raise UngeneratedError("the value would have too many parts")
        if schema is False:
            raise UngeneratedError("nothing is permitted")
        if not isinstance(schema, dict):
            return {}
        whole = merged(schema, self._documents.resolve)
        for variant in self._variants(whole):
            try:
                return self._plain(variant, depth)
            except UngeneratedError:
                if self._parts > _PARTS_MAX:
                    raise
        raise UngeneratedError("no alternative is possible")

    def _variants(self, schema: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
        """*schema* with one branch of each list of alternatives, in the order to be tried."""
        choices = [self._shuffled(it) for it in schema.get(BRANCHES, ())]
        if not choices:
            yield schema
            return
        rest = {name: it for name, it in schema.items() if name != BRANCHES}
        for branches in product(*choices):
            whole = merged({**rest, "allOf": list(branches)}, self._documents.resolve)
            yield from self._variants(whole)

    def _shuffled(self, branches: Sequence[Json]) -> Sequence[Json]:
        if not self._plan.is_random:
            # An absent value says less than any other.
            return sorted(branches, key=lambda it: it == {"type": "null"})
        return self._rng.sample(branches, len(branches))

    def _plain(self, schema: Mapping[str, Json], depth: int) -> Json:
        if "const" in schema:
            return schema["const"]
        if self._plan.uses_examples:
            if schema.get("examples") and isinstance(schema["examples"], list):
                return schema["examples"][0]
            if "example" in schema:
                return schema["example"]
            # An absent value says less than any other.
            if schema.get("default") is not None:
                return schema["default"]
        if schema.get("enum"):
            return self._rng.choice(schema["enum"]) if self._plan.is_random else schema["enum"][0]
        return self._of_type(schema, depth)

    def _of_type(self, schema: Mapping[str, Json], depth: int) -> Json:
        types = schema.get("type") or _type_by_keywords(schema)
        types = [types] if isinstance(types, str) else list(types)
        # An absent value says less than any other.
        present = [it for it in types if it != "null"]
        name = self._rng.choice(types) if self._plan.is_random else (present or types)[0]
        if name == "object":
            return self._object(schema, depth)
        if name == "array":
            return self._array(schema, depth)
        if name == "string":
            return self._text(schema)
        if name in {"integer", "number"}:
            return self._number(schema, is_whole=name == "integer")
        return self._rng.random() < 0.5 if name == "boolean" else None

    def _is_absent(self, schema: Json) -> bool:
        """Whether *schema* is of a field that this direction leaves out, such as `writeOnly`."""
        # A reference may lead to a schema that is `true` or `false`.
        resolved = self._documents.resolve(schema) if isinstance(schema, dict) else schema
        return isinstance(resolved, dict) and resolved.get(self._absent) is True

    def _object(self, schema: Mapping[str, Json], depth: int) -> dict[str, Json]:
        named: Mapping[str, Json] = schema.get("properties", {})
        required = list(dict.fromkeys(schema.get("required", ())))
        share = self._plan.share if depth < _OPTIONAL_DEPTH_MAX else 0
        optional = (it for it in named if share == 1 or (share and self._rng.random() < share))
        made: dict[str, Json] = {}
        for name in dict.fromkeys([*required, *optional]):
            inner = named.get(name, self._unnamed(schema, name))
            if self._is_absent(inner):
                continue
            try:
                made[name] = self.value(inner, depth + 1)
            except (UngeneratedError, UnmatchableError):
                if name in required:
                    raise
        for number in range(schema.get("minProperties", 0) - len(made)):
            name = self._new_name(schema, number)
            made[name] = self.value(self._unnamed(schema, name), depth + 1)
        return made

    def _unnamed(self, schema: Mapping[str, Json], name: str) -> Json:
        """The schema of a field that `properties` does not have."""
        patterns: Mapping[str, Json] = schema.get("patternProperties", {})
        for pattern, inner in patterns.items():
            if self._documents.matches(pattern, name):
                return inner
        other = schema.get("additionalProperties", True)
        return {"type": "string"} if other is True or other == {} else other

    def _new_name(self, schema: Mapping[str, Json], number: int) -> str:
        for pattern in schema.get("patternProperties", {}):
            return text_for(pattern, self._rng)
        if "propertyNames" in schema:
            return str(self.value({"type": "string", **schema["propertyNames"]}, _DEPTH_MAX))
        return f"field_{number + 1}"

    def _array(self, schema: Mapping[str, Json], depth: int) -> list[Json]:
        first: Sequence[Json] = schema.get("prefixItems", ())
        least = max(schema.get("minItems", 0), 0)
        wanted = least if depth > _OPTIONAL_DEPTH_MAX else max(least, len(first) or 1)
        count = min(wanted, schema.get("maxItems", wanted))
        made: list[Json] = []
        for index in range(count):
            inner = first[index] if index < len(first) else schema.get("items", {})
            try:
                made.append(self._another(inner, made, depth, is_unique=schema.get("uniqueItems")))
            except (UngeneratedError, UnmatchableError):
                if index < least:
                    raise
                break
        if "contains" in schema and count:
            for index in range(min(schema.get("minContains", 1), count)):
                made[index] = self.value(schema["contains"], depth + 1)
        return made

    def _another(self, schema: Json, made: Sequence[Json], depth: int, *, is_unique: Json) -> Json:
        value = self.value(schema, depth + 1)
        if not is_unique:
            return value
        other = _Maker(self._documents, self._rng, _DYNAMIC[0], self._absent)
        for _ in range(_UNSEEN):
            if value not in made:
                return value
            value = other.value(schema, depth + 1)
        raise UngeneratedError("no further element differs")

    def _text(self, schema: Mapping[str, Json]) -> str:
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        if "pattern" in schema:
            made = text_for(schema["pattern"], self._rng)
            # A pattern that is open at its end permits more than it needs.
            return made if schema["pattern"].endswith("$") else made.ljust(least, "x")
        format_ = schema.get("format") or _format_in_words(schema)
        of_format = text_of_format(format_, self._rng)
        if of_format is not None:
            return of_format
        return text_of_length(least, most, self._rng, is_random=self._plan.is_random)

    def _number(self, schema: Mapping[str, Json], *, is_whole: bool) -> float:
        step = schema.get("multipleOf") or (1 if is_whole else 0)
        low = max(schema.get("minimum", -math.inf), _above(schema, step))
        high = min(schema.get("maximum", math.inf), _below(schema, step))
        low, high = _bounded(low, high)
        if step:
            first, last = math.ceil(low / step), math.floor(high / step)
            if first > last:
                raise UngeneratedError("no number is in the range")
            number = step * (self._rng.randint(first, last) if self._plan.is_random else first)
            return int(number) if is_whole or number == int(number) else number
        return self._rng.uniform(low, high) if self._plan.is_random else low


def _format_in_words(schema: Mapping[str, Json]) -> str:
    """`uri` where only the description says so; empty where it does not."""
    description = schema.get("description")
    is_plain = isinstance(description, str) and not any(it in schema for it in _LENGTHS)
    return "uri" if is_plain and _URL_WORDS.match(str(description).strip()) else ""


def _above(schema: Mapping[str, Json], step: float) -> float:
    limit = schema.get("exclusiveMinimum")
    return -math.inf if limit is None else limit + (step or max(abs(limit), 1) * 1e-6)


def _below(schema: Mapping[str, Json], step: float) -> float:
    limit = schema.get("exclusiveMaximum")
    return math.inf if limit is None else limit - (step or max(abs(limit), 1) * 1e-6)


def _bounded(low: float, high: float) -> tuple[float, float]:
    """A range that ends: from 1 or from the end that is known."""
    if low == -math.inf:
        low = min(1, high - 1_000) if high < 1 else 1
    if high == math.inf:
        high = low + 1_000
    if low > high:
        raise UngeneratedError("no number is in the range")
    return low, high


#: By the keywords that only one type has.
_KEYWORDS: Mapping[str, Sequence[str]] = {
    "object": ("properties", "required", "additionalProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}


def _type_by_keywords(schema: Mapping[str, Json]) -> str:
    found: Callable[[str], bool] = schema.__contains__
    return next((name for name, words in _KEYWORDS.items() if any(map(found, words))), "object")

"""The field names of a schema, and the fields of a value that the schema does not name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property

from ..json_types import Json

_PARTS = ("allOf", "anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
#: Names the clauses behind a schema.
_SOURCE = "x-screentest-source"
# Schemas may refer to themselves; deeper values are not checked.
_DEPTH_MAX = 12
# A long list has the same mistake in every element.
_ELEMENTS_MAX = 20


class Fields:
    """The fields that all of *schemas* together permit in a value, computed on first use.

    *resolve* follows a `$ref`.
    """

    def __init__(self, resolve: Callable[[Json], Json], schemas: Sequence[Json]) -> None:
        self._resolve = resolve
        self._parts = [part for it in schemas for part in self._all_parts(it, _DEPTH_MAX)]

    @cached_property
    def named(self) -> Mapping[str, Fields]:
        """Every named field; empty if the schemas permit any name."""
        if any(it.get("additionalProperties") or "patternProperties" in it for it in self._parts):
            return {}
        return self.properties

    @cached_property
    def properties(self) -> Mapping[str, Fields]:
        """Every field that has a schema of its own, whatever else is permitted."""
        found: dict[str, list[Json]] = {}
        for part in self._parts:
            for name, schema in part.get("properties", {}).items():
                found.setdefault(name, []).append(schema)
        return {name: Fields(self._resolve, schemas) for name, schemas in found.items()}

    @cached_property
    def elements(self) -> Fields:
        """The fields of the elements of a list."""
        return Fields(self._resolve, [it["items"] for it in self._parts if "items" in it])

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types that the schemas speak of."""
        found = [it["type"] for it in self._parts if "type" in it]
        return frozenset(name for it in found for name in ([it] if isinstance(it, str) else it))

    @cached_property
    def choices(self) -> Sequence[Json]:
        """The permitted values; empty if the schema lists none."""
        return next((it["enum"] for it in self._parts if "enum" in it), ())

    @cached_property
    def is_binary(self) -> bool:
        """Whether the value is the content of a file."""
        return any(it.get("format") == "binary" or "contentMediaType" in it for it in self._parts)

    @cached_property
    def bounds(self) -> tuple[int | float, int | float] | None:
        """The least and the greatest number that the schemas permit; None where it is open."""
        least = [it["minimum"] for it in self._parts if "minimum" in it]
        most = [it["maximum"] for it in self._parts if "maximum" in it]
        numbers = [it for it in self.choices if isinstance(it, int | float)]
        if numbers:
            return min(numbers), max(numbers)
        return (max(least), min(most)) if least and most else None

    @property
    def required(self) -> Sequence[str]:
        """The names of the fields that every value has."""
        return list(dict.fromkeys(name for it in self._parts for name in it.get("required", ())))

    @property
    def has_example(self) -> bool:
        """Whether a schema has an example, a default, or the choices."""
        names = ("example", "examples", "default", "enum", "const")
        return any(it.get(name) is not None for it in self._parts for name in names)

    @property
    def descriptions(self) -> Sequence[str]:
        """What the schemas say in words."""
        return [it["description"] for it in self._parts if isinstance(it.get("description"), str)]

    def sources(self, pointer: str) -> Sequence[str]:
        """The clauses that the schema at *pointer* names, or else the innermost one around it."""
        here, found = self, self._own_sources
        for step in pointer.split("/")[1:]:
            here = here.named.get(step) or here.elements
            found = here._own_sources or found
        return found

    @property
    def _own_sources(self) -> Sequence[str]:
        return next((it[_SOURCE] for it in self._parts if _SOURCE in it), ())

    def around(self, pointer: str) -> Mapping[str, Fields]:
        """The known fields at the place of *pointer*; empty if any name is permitted."""
        here = self
        for step in pointer.split("/")[1:-1]:
            below = here.named.get(step)
            here = below if below is not None else here.elements
        return here.named

    def beside(self, pointer: str) -> Sequence[str]:
        """The known names at the place of *pointer*; empty if any name is permitted."""
        return list(self.around(pointer))

    def unnamed_in(
        self, value: Json, pointer: str = "", depth: int = _DEPTH_MAX
    ) -> Iterator[tuple[str, Sequence[str]]]:
        """(pointer, known names there) of each field of *value* that the schema does not name."""
        if isinstance(value, list) and depth:
            for index, element in enumerate(value[:_ELEMENTS_MAX]):
                yield from self.elements.unnamed_in(element, f"{pointer}/{index}", depth - 1)
        if not isinstance(value, Mapping) or not self.named or not depth:
            return
        for name, inner in value.items():
            if name in self.named:
                yield from self.named[name].unnamed_in(inner, f"{pointer}/{name}", depth - 1)
            else:
                yield f"{pointer}/{name}", list(self.named)

    def _all_parts(self, schema: Json, depth: int) -> Iterator[Mapping[str, Json]]:
        found = self._resolve(schema)
        if not isinstance(found, Mapping) or not depth:
            return
        yield found
        inner = [it for word in _PARTS for it in found.get(word, ())]
        inner += [found[word] for word in _BRANCHES if word in found]
        for it in inner:
            yield from self._all_parts(it, depth - 1)

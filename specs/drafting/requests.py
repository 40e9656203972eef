"""The requests that make a resource, as far as its answers may show them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from msgspec import Struct

from ..json_types import Json
from ..openapi.fields import Fields
from ..openapi.generating import UngeneratedError, generate
from ..openapi.operations import Operation

#: Drawn besides the smallest and the fullest request of each operation.
_DRAWN = 8
_IDENTIFIER = re.compile("[A-Za-z_][A-Za-z0-9_]*")


class Echo(Struct, frozen=True):
    """A *field* of a request: a *value* that it may have, and whether every request has it."""

    field: Fields
    value: Json
    is_required: bool

    def fits(self, shown: Fields) -> bool:
        """Whether a field of an answer with the schemas *shown* permits what is sent."""
        is_type = not shown.types or (bool(self.field.types) and self.field.types <= shown.types)
        choices = [*self.field.choices]
        return is_type and (
            not shown.choices or (bool(choices) and all(it in shown.choices for it in choices))
        )


def requests_of(creates: Sequence[Operation]) -> tuple[dict[str, Echo], Sequence[Json]]:
    """The fields of the requests of the operations *creates*, and samples of these requests.

    There are no samples where a request may have no body, or its schema permits none that is found.
    """
    echoes: dict[str, tuple[Fields, Json]] = {}
    required: list[set[str]] = []
    samples: list[Json] = []
    is_whole = True
    for operation in creates:
        schema = operation.body_schema("application/json")
        is_sent = schema is not None and operation.is_body_required
        required.append({*schema.fields.required} if schema is not None and is_sent else set())
        is_whole &= is_sent
        if schema is None:
            continue
        try:
            full = generate(schema, Random(1), is_full=True)
            samples += [full, generate(schema, Random(1), is_smallest=True)]
            samples += [generate(schema, Random(it), is_dynamic=True) for it in range(_DRAWN)]
        except UngeneratedError:
            is_whole = False
            continue
        if isinstance(full, dict):
            known = schema.fields.properties
            echoes |= {name: (known[name], it) for name, it in full.items() if name in known}
    always = set.intersection(*required) if required else set[str]()
    # A template names a field as an identifier.
    named = {
        name: Echo(fields, value, name in always)
        for name, (fields, value) in echoes.items()
        if _IDENTIFIER.fullmatch(name) and value is not None
    }
    return named, samples if is_whole else []

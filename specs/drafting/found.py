"""What was found in an OpenAPI document: answers, and resources with their operations."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec import Struct

from ..json_types import Json
from ..openapi.generating import UngeneratedError, generate
from ..openapi.media_types import is_json
from ..openapi.operations import Operation
from ..openapi.validation import Schema
from .values import Path, at


class Answer(Struct, frozen=True):
    """The successful JSON answer of an operation: its schema, and two values that it permits.

    *value* is the documented example where there is one, which *is_example* says; *full* has every
    field.
    """

    schema: Schema
    value: Json
    full: Json
    status: int
    is_example: bool = False


class Link(Struct, frozen=True):
    """An operation of a resource, and *because*, which says how it was recognised."""

    operation: Operation
    because: str


class Found(Struct):
    """A kind of resource: how it is read, and the operations around it.

    *id_at* and *status_at* are places in the answer of *read*, which may show no id; *id_from* is
    `path.x`, `query.x` or `body.x`.
    *states* are in the order of the file; *states_because* says where they were found.
    """

    name: str
    read: Operation
    answer: Answer
    id_from: str
    id_at: Path | None
    status_at: Path | None
    states: Sequence[str]
    states_because: str
    creates: list[Link]
    lists: list[Link]
    deletes: list[Link]
    cancels: list[Link]

    def id_in(self, value: Json) -> Json:
        """The id that *value*, an answer of the read, shows; None if it shows none."""
        return at(value, self.id_at) if self.id_at is not None else None


def answer_of(operation: Operation) -> Answer | None:
    """The successful JSON answer of *operation*; None if it has none that can be made."""
    status = operation.success_status
    shape = operation.reply(status)
    if shape is None or not 200 <= status < 300:
        return None
    for name, schema in shape.content.items():
        if schema is None or not is_json(name):
            continue
        examples = list(shape.examples.get(name, {}).values())
        try:
            value = generate(schema, Random(1), examples=examples)
            full = generate(schema, Random(1), is_full=True)
        except UngeneratedError:
            return None
        return Answer(schema, value, full, status, value in examples)
    return None

"""Reading a control call by the contract of the control API: one way for every call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar
from urllib.parse import parse_qsl

from msgspec import Struct

from screentest.specs.contracts.contract import Contract
from screentest.specs.errors import nearest
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation
from screentest.specs.openapi.validation import Schema, Violation

from ...engine.world import World
from ...engine.worlds import Worlds
from ...kernel.bodies import BodyError, read_json
from ...kernel.errors import MockError, unknown
from ...kernel.rows import Account
from ...kernel.snapshots import SNAPSHOT_BYTES_MAX

T = TypeVar("T")

#: Control calls carry settings, and replies to judge; media never come this way.
BODY_BYTES_MAX = 1024 * 1024
# A snapshot comes back as a text inside JSON, where a quotation mark takes two characters.
_LARGER_BODIES = {"createSnapshot": 2 * SNAPSHOT_BYTES_MAX}
#: More than any call has.
_QUERY_FIELDS_MAX = 20

_JSON = "application/json"


class ControlCall(Struct, frozen=True):
    """One control call, read and judged. *body* is empty when none was sent.

    *origin* is the address under which the caller reached us, without a slash at its end.
    """

    worlds: Worlds
    path: Mapping[str, str]
    query: Mapping[str, Json]
    body: Mapping[str, Json]
    origin: str
    accept: str = ""

    @property
    def world(self) -> World:
        """The world that the path names.

        Raises:
            MockError: there is none.
        """
        return self.worlds.get(self.path["world"])

    def settled_account(self) -> Account:
        """The account that the path names, once everything due has happened.

        Raises:
            MockError: there is none.
        """
        world = self.world
        with self.world.rows.transaction():
            self.worlds.clocks.settle(world)
            return self.worlds.accounts.get(world, self.path["account"])

    @property
    def limit(self) -> int:
        return int(self.query["limit"])

    @property
    def cursor(self) -> int | None:
        return int(self.query["cursor"]) if "cursor" in self.query else None


class Document(Struct, frozen=True):
    """An answer that is not JSON."""

    content: bytes
    content_type: str


def operations_of(contracts: Mapping[str, Contract], provider: str) -> list[str]:
    """The ids of *provider*'s operations, or of all if the provider is not served."""
    asked = [contracts[provider]] if provider in contracts else contracts.values()
    return [*dict.fromkeys(name for it in asked for name in it.operations)]


def one_page(
    found: Sequence[T], limit: int, show: Callable[[T], Json], place: Callable[[T], object]
) -> Json:
    """The first *limit* of *found*, which has one more when another page follows.

    *place* is where a listing goes on after an item.
    """
    next_cursor = str(place(found[limit - 1])) if len(found) > limit else None
    return {"items": [show(it) for it in found[:limit]], "next_cursor": next_cursor}


#: What a call answers with: JSON, a document, or a Flask response of another kind.
Handler = Callable[[ControlCall], Json]


def body_bytes_max(operation: Operation) -> int:
    """How long the body of a call of *operation* may be."""
    return _LARGER_BODIES.get(operation.id, BODY_BYTES_MAX)


def read_call(
    worlds: Worlds,
    operation: Operation,
    path: Mapping[str, str],
    *,
    query: str = "",
    body: bytes = b"",
    origin: str = "",
    accept: str = "",
) -> ControlCall:
    """The call of *operation* that was made. Of a body, one byte more than allowed is enough.

    Raises:
        MockError: it is not what the contract says; the message names the field and what exists.
    """
    return ControlCall(
        worlds, path, _read_query(operation, query), _read_body(operation, body), origin, accept
    )


def _read_query(operation: Operation, text: str) -> dict[str, Json]:
    known = {it.name: it for it in operation.parameters if it.place == "query"}
    values = {name: it.default for name, it in known.items() if it.default is not None}
    try:
        given = parse_qsl(text, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError:
        raise MockError(
            f"more than {_QUERY_FIELDS_MAX} query parameters", code="invalid_field"
        ) from None
    for name, _ in given:
        if name not in known:
            raise unknown("query parameter", name, known, status=422)
    if len({name for name, _ in given}) < len(given):
        raise MockError("a query parameter is repeated; give each once", code="invalid_field")
    for name, raw in given:
        value = known[name].read(raw)
        _refuse(known[name].schema.violations(value, under=f"/{name}"))
        values[name] = value
    return values


def _read_body(operation: Operation, raw: bytes) -> Mapping[str, Json]:
    if len(raw) > body_bytes_max(operation):
        detail = f"the body is larger than {body_bytes_max(operation)} bytes"
        raise MockError(detail, code="too_large", status=413)
    schema = operation.bodies.get(_JSON)
    if not raw:
        if operation.is_body_required:
            raise MockError("this call needs a JSON object as its body", code="invalid_field")
        return {}
    if schema is None:
        raise MockError("this call takes no body", code="invalid_field")
    try:
        body = read_json(raw)
    except BodyError as error:
        raise MockError(f"malformed JSON: {error}", code="malformed_json", status=400) from None
    if not isinstance(body, dict):
        raise MockError("the body must be a JSON object", code="malformed_json", status=400)
    found = schema.violations(body)
    _refuse_unknown(schema, found)
    _refuse(found)
    return body


def _refuse(found: list[Violation]) -> None:
    if not found:
        return
    first = found[0]
    close: list[str] = []
    if first.keyword == "enum":
        choices = [str(choice) for choice in first.limit]
        close = nearest(first.actual.strip("'"), choices)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise MockError(first.message + hint, code="invalid_field")


def _refuse_unknown(schema: Schema, found: list[Violation]) -> None:
    """Report an unknown field first, with the nearest known name: other violations often follow."""
    for violation in found:
        if violation.keyword == "additionalProperties":
            name = violation.pointer.rpartition("/")[2]
            named = violation.limit[0] if isinstance(violation.limit, list) else name
            known = schema.fields.beside(violation.pointer)
            raise unknown("field", str(named), known, status=422)

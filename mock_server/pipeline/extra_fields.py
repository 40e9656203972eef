"""The fields that a real server sends beyond the contract, as its profile names them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from screentest.specs.contracts.profile import STAND_INS
from screentest.specs.json_types import Json

from ..engine.provider import Call, EventStream, Reply
from ..kernel.bodies import read_json


def with_extra_fields(call: Call, answer: Reply | EventStream) -> Reply | EventStream:
    """*answer* with these fields, each with a stand-in of its type."""
    profile = call.ctx.contract.profile
    if profile is None:
        return answer
    known = profile.extra_fields.get(call.operation.id, {}).get(str(answer.status))
    if not known or isinstance(answer, EventStream) or answer.content_type != "application/json":
        return answer
    body = read_json(answer.body) if isinstance(answer.body, bytes) else answer.body
    for pointer, type_ in known.items():
        body = _added(body, pointer.split("/")[1:], STAND_INS[type_])
    return replace(answer, body=body, encoded=None)


def _added(value: Json, steps: Sequence[str], stand_in: Json) -> Json:
    """A copy of *value* with *stand_in* at *steps*, unless something is there."""
    head, *rest = steps
    if head == "*" and isinstance(value, list):
        return [_added(it, rest, stand_in) for it in value] if rest else value
    if not isinstance(value, dict) or (rest and head not in value):
        return value
    inner = _added(value[head], rest, stand_in) if rest else value.get(head, stand_in)
    return {**value, head: inner}

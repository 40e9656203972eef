"""Retirement on the world's clock: announced by headers, then refused."""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.behaviour.retirement import Retirement
from screentest.specs.expressions.operators import look_up
from screentest.specs.json_types import Json

from ..engine.provider import Call, EventStream, Reply


def asked_models(call: Call) -> list[Json]:
    """What *call* has in the places that name a model."""
    rules = call.rules.models
    facts = {"body": call.body, **{kind: it.doc for kind, it in call.found.items()}}
    return [look_up(place, facts) for place in rules.at] if rules is not None else []


def refuse_retired(call: Call) -> None:
    """Raises if *call* asks for what has retired.

    Raises:
        RefusedError: it has.
    """
    for it in _concerning(call) if call.ctx.behaviour.retires else ():
        if call.ctx.at_ms >= it.on_ms:
            raise call.refuse("retired", what=str(it), day=it.day)


def announce_retirement(call: Call, answer: Reply | EventStream) -> None:
    """Add the headers of what will retire, or has, to *answer*."""
    ctx = call.ctx
    for it in _concerning(call) if ctx.behaviour.retires else ():
        if ctx.at_ms >= it.announced_ms:
            answer.headers = {**answer.headers, **it.headers}
        for change_ms in (it.announced_ms, it.on_ms):
            if ctx.at_ms < change_ms:
                # An answer that is kept for equal polls must not outlive the change.
                ctx.lasting.end_by(change_ms)


def _concerning(call: Call) -> Sequence[Retirement]:
    models = [it for it in asked_models(call) if isinstance(it, str)]
    return [it for it in call.ctx.behaviour.retires if it.concerns(call.operation.id, models)]

"""The ordered faults that meet one call, each asked for when it can act.

So a fault has fired only if it did something: an error after the commit needs a commit, a spoilt
body needs a body, a stream that breaks off needs more events than it may send.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import orjson

from screentest.specs.json_types import Json

from ..engine.job_events import job_events
from ..engine.provider import Call, EventStream, Refusal, RefusedError, Reply
from ..kernel.faults import NOTHING, TYPES, Fault
from ..kernel.templates import look_up
from .gates import Road

Answer = Reply | EventStream

_SWALLOWING = tuple(name for name, it in TYPES.items() if it.sent == NOTHING)
_OF_BODIES = tuple(name for name, it in TYPES.items() if it.meets == "body")
_OF_STREAMS = tuple(name for name, it in TYPES.items() if it.meets == "stream")


def strike_before(road: Road, call: Call) -> Reply | None:
    """Let faults meet a call that has just come in; the answer if it never gets any further.

    Raises:
        RefusedError: an ordered error comes instead of the answer.
    """
    road.is_exposed = call.ctx.has_faults
    if not road.is_exposed:
        return None
    lost = _strike_one(road, call, _SWALLOWING, _in_phase("before"))
    if lost is not None:
        return Reply(503, None, reason=f"fault:{lost.id}")
    _strike_one(road, call, ("latency",), _in_phase("before"))
    _fail(_strike_one(road, call, ("http_error",), _in_phase("before")))
    return None


def strike_commit(road: Road, call: Call) -> None:
    """Let faults meet a call that has been granted.

    Raises:
        RefusedError: an ordered error comes instead of the answer.
    """
    if road.is_exposed:
        _fail(_strike_one(road, call, ("http_error",), _in_phase("after_commit")))


def strike_answer(road: Road, call: Call, answer: Answer) -> None:
    """Let faults meet an *answer* that is about to leave."""
    if not road.is_exposed or any(fault.swallows for fault in road.faults):
        return
    if _strike_one(road, call, _SWALLOWING, _in_phase("after_commit")) is not None:
        return
    if isinstance(answer, EventStream):
        ctx = call.ctx
        count = len(job_events(road.provider, ctx, answer.job))
        _strike_one(road, call, _OF_STREAMS, lambda it: it.attributes["after_events"] < count)
    elif answer.body is not None and call.request.method != "HEAD":
        _strike_one(road, call, _OF_BODIES, partial(_can_spoil, answer.body))


def strike_model(road: Road, call: Call) -> None:
    """The provider has withdrawn a model; calls that cost something find out.

    Raises:
        RefusedError: it is the one that this call asks for.
    """
    if call.rules.effect != "billable":
        return
    rules = call.rules.models
    facts = {"body": call.body, **{kind: it.doc for kind, it in call.found.items()}}
    asked = [look_up(place, facts) for place in rules.at] if rules is not None else []
    fault = _strike_one(
        road, call, ("model_retired",), lambda it: it.attributes["model"] in [None, *asked]
    )
    if fault is None:
        return
    model = fault.attributes["model"]
    detail = f"The model {model!r} has been retired." if model else "This model has been retired."
    known = {"status": fault.attributes["status"], "message": detail}
    raise RefusedError(Refusal(f"fault:{fault.id}", known))


def _can_spoil(body: Json, fault: Fault) -> bool:
    """Whether *fault* leaves something else of *body* than what it is."""
    if fault.type == "malformed_json":
        return not isinstance(body, bytes)
    size_bytes = len(body if isinstance(body, bytes) else orjson.dumps(body))
    return size_bytes > int(fault.attributes.get("bytes", fault.attributes.get("size", 0)))


def _strike_one(
    road: Road, call: Call, types: tuple[str, ...], can_act: Callable[[Fault], bool]
) -> Fault | None:
    """The first fault of *types* that strikes; the road remembers it."""
    account = road.key.account if road.key is not None else None
    facts = {"operation": call.operation.id, "account": account}
    for type_ in types:
        fault = call.ctx.strike(type_, facts, can_act)
        if fault is not None:
            road.faults.append(fault)
            return fault
    return None


def _in_phase(phase: str) -> Callable[[Fault], bool]:
    return lambda fault: fault.phase == phase


def _fail(fault: Fault | None) -> None:
    if fault is not None:
        raise RefusedError(Refusal(f"fault:{fault.id}", dict(fault.attributes)))

"""Applying injected faults to one call, each at the point where it can act.

A fault thus counts as fired only if it changed something: an error after the commit needs a
commit, a spoilt body needs a body, a cut stream needs more events than it may send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import orjson
from msgspec.structs import replace

from screentest.specs.json_types import Json

from ..engine.instant import Instant, url_secret
from ..engine.job_control import finish_now
from ..engine.provider import Call, EventStream, Refusal, RefusedError, Reply
from ..engine.streams import job_events
from ..kernel.environ_keys import FILES
from ..kernel.fault_types import NOTHING, TYPES, can_rewrite
from ..kernel.faults import CALLS, Fault, lognormal_ms
from ..kernel.signing import signed_query
from .ordered_faults import order_fault
from .retiring import asked_models

Answer = Reply | EventStream

_SWALLOWING = tuple(name for name, it in TYPES.items() if it.sent == NOTHING)
_OF_BODIES = tuple(name for name, it in TYPES.items() if it.meets == "body")
_OF_STREAMS = tuple(name for name, it in TYPES.items() if it.meets == "stream")


def apply_before(call: Call) -> Reply | None:
    """Apply faults to a call that has just come in. Returns an answer if the call ends here.

    A fault that the call itself orders is one of them.

    Raises:
        RefusedError: an injected error replaces the answer.
    """
    refused = order_fault(call)
    if refused is not None:
        return refused
    # Most worlds have no fault; their calls skip all that follows.
    call.is_exposed = call.ctx.has_faults
    if not call.is_exposed:
        return None
    _count(call)
    # A lost request comes first: no other fault can act on it.
    lost = _apply_one(call, _SWALLOWING, _in_phase("before"))
    if lost is not None:
        return Reply(503, None, reason=f"fault:{lost.id}")
    _change_account(call)
    late = _apply_one(call, ("latency",), _in_phase("before"))
    if late is not None and late.attributes.get("p50_ms") is not None:
        delay_ms = lognormal_ms(late, call.ctx.rng("latency", late.id, late.fired))
        late = replace(late, attributes={**late.attributes, "delay_ms": delay_ms})
        call.faults = [*call.faults[:-1], late]
    _fail(_apply_one(call, ("http_error",), _in_phase("before")))
    return None


def _change_account(call: Call) -> None:
    """Apply faults that take an account's credits or keys away. The change stays."""
    key, ctx = call.presented_key, call.ctx
    if key is None:
        return
    _withdraw_credits(call, key.account, "before")
    if _apply_one(call, ("key_revoked",), _at_any_time):
        for it in ctx.rows.keys.of(key.account, "api_key"):
            ctx.rows.keys.deactivate(it.digest)
        # The gates judge this call by the key as it was found.
        call.presented_key = replace(key, is_active=False)


def _withdraw_credits(call: Call, account: str, phase: str) -> None:
    if call.rules.price is not None and _apply_one(call, ("credits_end",), _in_phase(phase)):
        call.ctx.ledger.set_available(account, 0, call.ctx.at_ms)


def apply_after_commit(call: Call) -> bool:
    """Apply faults to a call that has been carried out. Returns whether its job has ended by one.

    Raises:
        RefusedError: an injected error replaces the answer.
    """
    if not call.is_exposed:
        return False
    if call.key is not None:
        _withdraw_credits(call, call.key.account, "after_commit")
    job = call.started
    is_over = job is not None and _apply_one(call, ("job_at_once",), _at_any_time) is not None
    if job is not None and is_over:
        finish_now(call.ctx, job)
    _fail(_apply_one(call, ("http_error",), _in_phase("after_commit")))
    return is_over


def apply_to_answer(call: Call, answer: Answer) -> Answer:
    """The *answer* that is about to be sent, with its faults noted in the call."""
    # After a fault that swallows the answer, a second one would fire without an effect.
    if not call.is_exposed or any(fault.swallows for fault in call.faults):
        return answer
    if _apply_one(call, _SWALLOWING, _in_phase("after_commit")) is not None:
        return answer
    if isinstance(answer, EventStream):
        ctx = call.ctx
        count = len(job_events(call.provider, ctx, answer.job))
        fault = _apply_one(
            call, _OF_STREAMS, lambda it: it.attributes.get("after_events", count - 1) < count
        )
        if fault is not None and "after_events" not in fault.attributes:
            # The stream itself does not know which of its events is the last.
            fault = replace(fault, attributes={"after_events": count - 1})
            call.faults = [*call.faults[:-1], fault]
    # An answer to HEAD has no body to spoil.
    elif answer.body is not None and call.request.method != "HEAD":
        before, expired = answer.body, _with_expired_urls(call.ctx, answer.body)
        if _apply_one(call, ("url_expired",), lambda _: expired != before) is not None:
            answer = replace(answer, body=expired, encoded=None)
        _apply_one(call, _OF_BODIES, partial(can_spoil, answer.body))
    return answer


def _with_expired_urls(ctx: Instant, body: Json) -> Json:
    """*body* with each signed URL of the provider as it was a lifetime ago."""
    if isinstance(body, dict):
        return {name: _with_expired_urls(ctx, it) for name, it in body.items()}
    if isinstance(body, list):
        return [_with_expired_urls(ctx, it) for it in body]
    origin, storage, rest = body.partition(FILES) if isinstance(body, str) else ("", "", "")
    path, is_signed, _ = rest.partition("?")
    for rules in ctx.behaviour.urls.values() if is_signed else ():
        if rules.lives_ms is not None and rules.parts_of(path) is not None:
            then_ms = ctx.now_ms - rules.lives_ms
            query = signed_query(rules, path, url_secret(ctx.world), then_ms, ctx.number)
            return f"{origin}{storage}{path}?{query}"
    return body


def apply_to_model(call: Call) -> None:
    """Apply a retired model to a paid call.

    Raises:
        RefusedError: this call asks for the retired model.
    """
    if call.rules.effect != "billable":
        return
    # A call that names no model meets a fault without one, which retires all models.
    asked = asked_models(call)
    fault = _apply_one(
        call, ("model_retired",), lambda it: it.attributes["model"] in [None, *asked]
    )
    if fault is None:
        return
    model = fault.attributes["model"]
    detail = f"The model {model!r} has been retired." if model else "This model has been retired."
    known = {"status": fault.attributes["status"], "message": detail}
    raise RefusedError(Refusal(f"fault:{fault.id}", known))


def can_spoil(body: Json, fault: Fault) -> bool:
    """Whether *fault* changes *body*."""
    if fault.type == "malformed_json":
        return not isinstance(body, bytes)
    if fault.type == "changed_field":
        return can_rewrite(fault.attributes, body)
    if fault.type == "garbage":
        return True
    size_bytes = len(body if isinstance(body, bytes) else orjson.dumps(body))
    return size_bytes > int(fault.attributes.get("bytes", fault.attributes.get("size", 0)))


def _apply_one(
    call: Call, types: tuple[str, ...], can_act: Callable[[Fault], bool]
) -> Fault | None:
    """The first fault of *types* that applies; it is added to the call's faults."""
    facts = _facts(call)
    for type_ in types:
        fault = call.ctx.apply_fault(type_, facts, can_act)
        if fault is not None:
            call.faults = [*call.faults, fault]
            return fault
    return None


def _count(call: Call) -> None:
    """Count *call* for each fault that counts calls."""
    known, documents = {"provider": call.ctx.provider, **_facts(call)}, call.ctx.rows.documents
    for fault in map(Fault.from_json, documents.of("fault")):
        if fault.counts == CALLS and fault.fits(known):
            documents.save("fault", fault.id, 0, replace(fault, seen=fault.seen + 1).to_json())


def _facts(call: Call) -> Mapping[str, str | None]:
    # A fault for an account also applies to a call that authentication will refuse.
    key = call.key or call.presented_key
    return {"operation": call.operation.id, "account": key.account if key is not None else None}


def _at_any_time(_: Fault) -> bool:
    return True


def _in_phase(phase: str) -> Callable[[Fault], bool]:
    return lambda fault: fault.phase == phase


def _fail(fault: Fault | None) -> None:
    if fault is not None:
        raise RefusedError(Refusal(f"fault:{fault.id}", dict(fault.attributes)))

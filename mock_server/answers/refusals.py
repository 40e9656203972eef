"""From a refusal reason to a reply in the provider's words."""

from __future__ import annotations

from screentest.specs.behaviour.reasons import category_of
from screentest.specs.expressions.templates import OpenFacts, fill_text

from ..engine.provider import Call, Refusal, Reply
from .made_answers import made_refusal


def shape_refusal(call: Call, refusal: Refusal) -> Reply:
    """The reply to *refusal*: by the provider's module, or by its contract's templates."""
    shape = call.provider.shape
    reply = shape(call, refusal) if shape is not None else None
    if reply is None:
        reply = from_contract(call, refusal)
    if call.rules.is_unbehaved and not refusal.reason.startswith("fault:"):
        # The words of the contract may be for operations of another form.
        body = reply.body if reply.departure is None else None
        if call.operation.reply_violations(reply.status, reply.content_type, body):
            reply = made_refusal(call, refusal)
    reply.reason = category_of(refusal.reason)
    reply.violations, reply.refusal = refusal.violations, refusal
    return reply


def from_contract(call: Call, refusal: Refusal) -> Reply:
    """The reply by the contract's templates; without one for the reason, a made one."""
    rules = call.ctx.behaviour
    if refusal.reason.startswith("fault:"):
        return _injected_error(call, refusal)
    rule = rules.refusals.get(refusal.reason)
    if rule is None:
        return made_refusal(call, refusal)
    facts = OpenFacts(refusal.facts)
    facts["field"] = refusal.violations[0].field if refusal.violations else ""
    facts["message"] = fill_text(rule.message, facts)
    body = (rule.body or rules.refusal_body).fill(facts)
    headers = {name: fill_text(value, facts) for name, value in (rule.headers or {}).items()}
    if refusal.reason == "wrong_method":
        # RFC 9110, 15.5.6: a 405 must have it, whatever the provider's document says.
        headers["Allow"] = refusal.facts["allow"]
    if refusal.facts.get("wait_s"):
        headers["Retry-After"] = str(refusal.facts["wait_s"])
    # No document has the answers of what it says has ended.
    departure = refusal.reason if refusal.reason == "retired" else rule.departure
    return Reply(rule.status, body, headers, departure=departure)


def _injected_error(call: Call, refusal: Refusal) -> Reply:
    """An injected HTTP error, in the provider's shape unless the fault has a body."""
    status = int(refusal.facts["status"])
    headers: dict[str, str] = {}
    wait_s = refusal.facts.get("retry_after_s")
    if wait_s is not None:
        headers["Retry-After"] = str(wait_s)
    body = refusal.facts.get("body")
    if body is None:
        message = refusal.facts.get("message") or f"Upstream failure ({status})."
        body = call.ctx.behaviour.refusal_body.fill(OpenFacts(message=message, status=status))
    return Reply(status, body, headers)

"""Ozor's refusals: clearer texts, the true balance, and the framework's own form."""

from __future__ import annotations

from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...engine.provider import Call, Provider, Refusal, Reply

provider = Provider("ozor")


@provider.refusal
def shape(call: Call, refusal: Refusal) -> Reply | None:
    """Complete the facts of a refusal. Returns an answer where a reading gives it another form."""
    if refusal.reason == "insufficient_credits":
        refusal.facts["balance"] = _balance(call, refusal.facts["available"])
    if refusal.reason != "invalid":
        return None
    if not refusal.violations:
        # The framework validates bodies; a refusal because of the present state is the handler's.
        return Reply(400, {"detail": refusal.facts["problem"]})
    clearer = _clearer(call, refusal.violations[0])
    if clearer is not None:
        refusal.facts["problem"] = clearer
    if _answers_in_framework_form(call, refusal.violations[0]):
        return Reply(422, {"detail": [_framework_error(it) for it in refusal.violations]})
    return None


def _balance(call: Call, available: int) -> str:
    """The balance in words: what running jobs have reserved is still in it (OZ-039)."""
    reserved = call.account.held
    if not reserved:
        return str(available)
    return f"{available + reserved}, of which running jobs have reserved {reserved}"


def _answers_in_framework_form(call: Call, violation: Violation) -> bool:
    ctx = call.ctx
    if ctx.reading("validation_status") == "fastapi_422":
        return True
    return violation.location == "query" and ctx.reading("limit_out_of_range") == "422"


def _clearer(call: Call, violation: Violation) -> str | None:
    if call.operation.id == "analyzeDocument" and isinstance(call.body, dict):
        given = [name for name in ("file", "url") if name in call.body]
        if len(given) != 1:
            return f"Provide exactly one of file and url; got {' and '.join(given) or 'neither'}."
    if violation.keyword == "anyOf" and violation.field.startswith(("images.", "videos.")):
        return f"{violation.field}: expected an https:// url or a base64 payload."
    return None


def _framework_error(violation: Violation) -> Json:
    place = (
        [violation.location, *violation.field.split(".")]
        if violation.field
        else [violation.location]
    )
    kind = "missing" if violation.keyword == "required" else violation.keyword
    return {"type": kind, "loc": place, "msg": violation.message, "input": violation.actual}


@provider.tolerates
def waives(call: Call, violation: Violation) -> bool:
    """Accept durations of 0 and less, if that reading is chosen (A45)."""
    is_low = violation.field == "target_duration_sec" and violation.keyword == "minimum"
    return is_low and call.ctx.reading("target_duration_range") == "any_integer"

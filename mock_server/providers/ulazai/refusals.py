"""UlazAI's refusals: an injected 500 that ends its task, and the words of the web framework.

Functions, because the first changes the job that the same call has started, and the second lists
the errors of all fields.

Source: https://ulazai.com/docs/sora, read 2026-11-21. Clause ids are explained in
`specs/ulazai/clauses.yaml`.
"""

from __future__ import annotations

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.expressions.templates import fill_text
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...answers.refusals import from_contract
from ...engine.job_control import finish_now, set_outcome
from ...engine.provider import Call, Provider, Refusal, Reply

provider = Provider("ulazai")

#: The web framework's own messages; `{name}` is a fact of the refusal.
_FRAMEWORK_WORDS = {
    "missing_credential": "Authentication credentials were not provided.",
    "unknown_credential": "Invalid token.",
    "revoked_credential": "Invalid token.",
    "malformed_body": "JSON parse error - {problem}",
    "not_found": "Not found.",
    "too_many_running": "Request was throttled. Expected available in {wait_s} seconds.",
}


@provider.refusal
def shape(call: Call, refusal: Refusal) -> Reply | None:
    """An injected 500 names the refund; the framework's own form if that reading is chosen."""
    if refusal.reason.startswith("fault:"):
        is_plain = refusal.facts.get("status") == 500 and refusal.facts.get("body") is None
        if not is_plain:
            return None
        return from_contract(call, Refusal("server_error", {"refunded": _given_back(call)}))
    if call.ctx.reading("error_form") != "drf_detail":
        return None
    reply = from_contract(call, refusal)
    reply.body = _framework_body(refusal, reply)
    return reply


def _given_back(call: Call) -> int:
    """The price of the task that this call has started, which ends here with the error."""
    ctx = call.ctx
    tasks = ctx.rows.resources.of_account(ctx.provider, "task", call.account_id, limit=1)
    if not tasks or tasks[0].doc["request"] != ctx.number:
        return 0
    (task,) = tasks
    ctx.ledger.settle(task.account, task.id, ctx.now_ms, succeeded=False)
    if not ctx.kind(task).is_final:
        message = ctx.behaviour.refusals["server_error"].message
        finish_now(ctx, set_outcome(ctx, task, Kind.FAILED, message))
    return ctx.ledger.refunded(task.account, task.id)


def _framework_body(refusal: Refusal, detail: Reply) -> Json:
    """The body that the web framework would give the refusal *detail*."""
    if refusal.reason == "invalid":
        errors: dict[str, list[str]] = {}
        for violation in refusal.violations:
            name = violation.field.partition(".")[0] or "non_field_errors"
            errors.setdefault(name, [_framework_error(violation)])
        return errors
    words = _FRAMEWORK_WORDS.get(refusal.reason)
    if refusal.reason == "too_many_running" and refusal.facts["wait_s"] is None:
        return {"detail": "Request was throttled."}
    if words is not None:
        return {"detail": fill_text(words, refusal.facts)}
    return {"detail": detail.body.get("detail") or detail.body["error"]}


def _framework_error(violation: Violation) -> str:
    """One broken rule in the words of Django REST framework's serializers."""
    match violation.keyword:
        case "required":
            return "This field is required."
        case "maxLength":
            return f"Ensure this field has no more than {violation.limit} characters."
        case "enum":
            given = violation.actual.strip("'")
            return f'"{given}" is not a valid choice.'
        case "pattern" if violation.field == "image_url":
            return "Enter a valid URL."
        case "minLength" | "pattern":
            return "This field may not be blank."
        case _:
            return f"Expected {violation.expected}, got {violation.actual or 'null'}."

"""UGC Copilot's error envelope, and the OpenAPI document that it serves.

Functions, because the envelope has parts that depend on the call, and the document is a file.
"""

from __future__ import annotations

from functools import lru_cache

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation, type_name

from ...answers.refusals import from_contract
from ...engine.provider import Call, Provider, Refusal, Reply

provider = Provider("ugc_copilot")

#: One document for each set of readings that changes it; a world has one of them.
_DOCUMENTS_MAX = 8
_WRAPPED = "an object that holds the fields of the call"
_NO_FIELDS = "the body has neither `data` nor a field of the call"


@provider.refusal
def shape_refusal(call: Call, refusal: Refusal) -> Reply:
    """The error envelope; functions without a key leave `type` out (UG-087, UG-090)."""
    refusal = _about_the_wrapping(call, refusal)
    reply = from_contract(call, refusal)
    facts = call.ctx.behaviour.facts
    is_ordered = refusal.reason.startswith("fault:")
    if is_ordered and refusal.facts.get("body") is not None:
        return reply
    kind, code = facts["errors"][_reason_of(reply.status) if is_ordered else refusal.reason]
    is_free = call.is_routed and not call.operation.security
    error: dict[str, Json] = {} if is_free else {"type": kind}
    if is_free and refusal.reason == "rate_limited":
        code = facts["rate_limited_code_without_key"]
    error |= {
        "code": code,
        "message": reply.body["error"]["message"],
        "request_id": f"req_{call.ctx.number}",
    }
    if refusal.violations and refusal.violations[0].field:
        error["field"] = refusal.violations[0].field
    if "Retry-After" in reply.headers:
        error["retryAfter"] = int(reply.headers["Retry-After"])
    reply.body = {"error": error}
    return reply


def _reason_of(status: int) -> str:
    """The refusal reason that a status alone suggests."""
    reasons = {401: "missing_credential", 402: "insufficient_credits", 404: "not_found"}
    reasons |= {409: "idempotency_mismatch", 429: "rate_limited"}
    return reasons.get(status, "failed" if status >= 500 else "invalid")


def _about_the_wrapping(call: Call, refusal: Refusal) -> Refusal:
    """*refusal*; about `data` instead, if a wrong `data` is why no field was found."""
    body = call.body
    if refusal.reason != "invalid" or not call.operation.security or not isinstance(body, dict):
        return refusal
    data = body.get("data")
    if isinstance(data, dict) or (body and "data" not in body):
        return refusal
    if call.ctx.reading("body_form") == "flat":
        return refusal
    if not body:
        problem = f"{refusal.facts['problem']}; {_NO_FIELDS}"
        return Refusal("invalid", {**refusal.facts, "problem": problem}, refusal.violations)
    actual = type_name(data)
    violation = Violation("body", "/data", "type", _WRAPPED, actual, "object")
    return Refusal("invalid", {**refusal.facts, "problem": violation.message}, [violation])


# The document


@provider.operation("getOpenApiDocument")
def get_document(call: Call) -> Reply:
    return Reply(200, _as_yaml(call.ctx.contract), content_type="application/yaml")


@lru_cache(_DOCUMENTS_MAX)
def _as_yaml(contract: Contract) -> bytes:
    # Not at the top: most programs find every contract decoded, and never need YAML.
    import yaml

    return yaml.safe_dump(contract.document, sort_keys=False, allow_unicode=True, encoding="utf-8")

"""ZnapAI's errors: those of the upstream inside the proxy's form, and the proxy's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from screentest.specs.expressions.operators import field
from screentest.specs.expressions.templates import OpenFacts, Template, fill_text
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...answers.refusals import from_contract
from ...engine.provider import Call, Provider, Refusal, Reply

provider = Provider("znapai")

_ROUTING = {"unknown_route", "wrong_method"}
_UPSTREAM = {"content_refused", "wrong_state", "unknown_cursor"}
_ARTICLES = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "an integer",
    "number": "a decimal",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}


@provider.refusal
def shape(call: Call, refusal: Refusal) -> Reply | None:
    """The proxy's answer; None where the contract's template is enough."""
    reason = refusal.reason
    if reason in _ROUTING:
        return None
    if call.operation.id == "deleteVideo" and call.ctx.reading("extensions") == "strict_proxy":
        return from_contract(call, Refusal("no_delete_route"))
    if reason.startswith("fault:"):
        return _ordered_failure(call, refusal)
    if reason == "invalid":
        return _invalid(call, refusal.violations)
    if reason in _UPSTREAM:
        return _wrapped(call, reason, _upstream_refusal(call, refusal))
    if reason == "not_found" and call.ctx.reading("unknown_video") == "proxy_500":
        return from_contract(call, Refusal("upstream_not_a_video"))
    return _proxy_error(call, refusal)


def _proxy_error(call: Call, refusal: Refusal) -> Reply | None:
    """An error of the proxy itself, in its own form or in OpenAI's (Z1)."""
    sent = call.request.headers.get("authorization", "").rpartition(" ")[2]
    refusal.facts["shown"] = f"sk-...{sent[-4:]}"
    refusal.facts["digest"] = sha256(sent.encode(errors="replace")).hexdigest()
    known = call.ctx.behaviour.facts["openai_errors"].get(refusal.reason)
    if known is None or call.ctx.reading("error_style") == "proxy":
        return None
    status = call.ctx.behaviour.refusals[refusal.reason].status
    return Reply(status, {"error": Template(known).fill(OpenFacts(refusal.facts))})


def _invalid(call: Call, violations: Sequence[Violation]) -> Reply:
    """A refused parameter: the proxy looks at the body and the model, the upstream at the rest."""
    by_field = {violation.field: violation for violation in reversed(violations)}
    whole, prompt = by_field.get(""), by_field.get("prompt")
    if whole is not None and whole.keyword == "type":
        problem = f"expected an object, got {whole.actual.split()[0]}"
        return _own(call, Refusal("malformed_body", {"problem": problem}))
    if whole is not None or "model" in by_field:
        model = field(call.body, "model")
        return _own(call, Refusal("unknown_model", {"model": str(model)[:200]}))
    is_missing = prompt is not None and prompt.keyword == "required"
    if is_missing and call.ctx.reading("missing_prompt") == "proxy_500":
        return from_contract(call, Refusal("prompt_argument_missing"))
    return _wrapped(call, "invalid", _upstream_error(violations))


def _own(call: Call, refusal: Refusal) -> Reply:
    return _proxy_error(call, refusal) or from_contract(call, refusal)


def _wrapped(call: Call, reason: str, upstream: Mapping[str, Json]) -> Reply:
    """The upstream's refusal inside ContentPolicyViolationError, or as it is (Z2)."""
    status = call.ctx.behaviour.refusals[reason].status
    if call.ctx.reading("parameter_errors") == "plain_openai_400":
        return Reply(status, {"error": upstream})
    error = {
        "message": _wrapping(call, "policy", upstream),
        "type": None,
        "param": None,
        "code": str(status),
        "provider_specific_fields": {"innererror": None},
    }
    return Reply(status, {"error": error})


def _wrapping(call: Call, name: str, upstream: Mapping[str, Json]) -> str:
    wrappings = call.ctx.behaviour.facts["wrappings"]
    detail = json.dumps({"error": upstream})
    return fill_text(
        wrappings.get(name, wrappings["other"]), {"upstream": detail, "model": "sora-2"}
    )


def _ordered_failure(call: Call, refusal: Refusal) -> Reply | None:
    """An injected failure, as the proxy passes it on."""
    if refusal.facts.get("body") is not None:
        return None
    status = str(refusal.facts["status"])
    failures = call.ctx.behaviour.facts["upstream_failures"]
    detail = failures.get(status, failures["other"])
    if refusal.facts.get("message"):
        detail = Template(call.ctx.behaviour.facts["retired_model"]).fill(OpenFacts(refusal.facts))
    error = {
        "message": _wrapping(call, status, detail),
        "type": "throttling_error" if status == "429" else None,
        "param": None,
        "code": status,
    }
    wait_s = refusal.facts.get("retry_after_s")
    headers = {"Retry-After": str(wait_s)} if wait_s is not None else {}
    return Reply(int(status), {"error": error}, headers)


def _upstream_refusal(call: Call, refusal: Refusal) -> dict[str, Json]:
    """The upstream's error for a well-formed request that it refuses."""
    message = fill_text(call.ctx.behaviour.refusals[refusal.reason].message, refusal.facts)
    param, code = {
        "content_refused": ("prompt", "moderation_blocked"),
        "unknown_cursor": ("after", "invalid_value"),
    }.get(refusal.reason, (None, None))
    return _error(message, param, code)


def _error(message: str, param: str | None, code: str | None) -> dict[str, Json]:
    return {"message": message, "type": "invalid_request_error", "param": param, "code": code}


def _upstream_error(violations: Sequence[Violation]) -> dict[str, Json]:
    """The first violation in the upstream's words; a wrong type comes before a wrong value."""
    first = violations[0]
    name = first.pointer.split("/")[1]
    same = {it.keyword: it for it in violations if it.pointer == first.pointer}
    if "required" in same:
        message = f"Missing required parameter: '{name}'."
        return _error(message, name, "missing_required_parameter")
    if "additionalProperties" in same:
        return _error(f"Unknown parameter: '{name}'.", name, "unknown_parameter")
    if "type" in same:
        expected = _expected(same)
        actual = _ARTICLES[same["type"].actual.split()[0]]
        message = f"Invalid type for '{name}': expected {expected}, but got {actual} instead."
        return _error(message, name, "invalid_type")
    if "enum" in same:
        supported = _listed(same["enum"].limit, "and")
        message = f"Invalid value: {first.actual}. Supported values are: {supported}."
        return _error(message, name, "invalid_value")
    code = {"maxLength": "string_above_max_length", "minLength": "empty_string"}
    message = f"Invalid '{name}': expected {first.expected}, got {first.actual}."
    return _error(message, name, code.get(first.keyword, "invalid_value"))


def _expected(same: Mapping[str, Violation]) -> str:
    if "enum" in same:
        return f"one of {_listed(same['enum'].limit, 'or')}"
    return " or ".join(_ARTICLES[it] for it in same["type"].expected.split(" or "))


def _listed(choices: Sequence[str], word: str) -> str:
    """`'4', '8', or '12'`."""
    quoted = [f"'{choice}'" for choice in choices]
    if len(quoted) < 3:
        return f" {word} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {word} {quoted[-1]}"

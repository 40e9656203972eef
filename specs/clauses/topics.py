"""Which topics of clauses go with refusals and with rules, and which never go with a field."""

from __future__ import annotations

from collections.abc import Mapping

from .clauses import Topic

#: What a refusal is about beside its status.
TOPICS_OF_REASON: Mapping[str, frozenset[Topic]] = {
    "unknown_route": frozenset({"environment", "method"}),
    "wrong_method": frozenset({"environment", "method"}),
    "redirect": frozenset({"environment", "url"}),
    "missing_credential": frozenset({"credential"}),
    "unknown_credential": frozenset({"credential"}),
    "revoked_credential": frozenset({"credential"}),
    "expired_credential": frozenset({"credential"}),
    "wrong_content_type": frozenset({"upload", "method", "error"}),
    "malformed_body": frozenset({"error", "method"}),
    "too_large": frozenset({"upload", "media"}),
    "invalid": frozenset({"error", "content", "media", "upload"}),
    "content_refused": frozenset({"content"}),
    "not_found": frozenset({"id", "ownership", "error"}),
    "foreign": frozenset({"ownership"}),
    "expired": frozenset({"url", "time", "media"}),
    "wrong_state": frozenset({"lifecycle", "error"}),
    "insufficient_credits": frozenset({"credits", "price"}),
    "rate_limited": frozenset({"rate"}),
    "too_many_running": frozenset({"concurrency"}),
    "idempotency_mismatch": frozenset({"idempotency"}),
    "idempotency_in_flight": frozenset({"idempotency"}),
    "receiver_failed": frozenset({"webhook"}),
    "receiver_signature": frozenset({"webhook"}),
}
ANY_REFUSAL: frozenset[Topic] = frozenset({"error"})
#: What the account, and the document as a whole, are about.
TOPICS_OF_ALL: frozenset[Topic] = frozenset(
    {"cadence", "credential", "credits", "environment", "error", "method", "price", "rate"}
)
#: What no field and no answer is about.
NOT_OF_FIELDS: frozenset[Topic] = frozenset({"cadence", "concurrency", "environment", "snapshot"})
#: What no wrong field is about.
_OF_NO_INPUT: frozenset[Topic] = frozenset(
    {
        "credits",
        "lifecycle",
        "ownership",
        "price",
        "rate",
        "refund",
        "webhook",
    }
)
NOT_OF_INPUT = NOT_OF_FIELDS | _OF_NO_INPUT
#: What no answer to a successful request is about.
_OF_NO_ANSWER: frozenset[Topic] = frozenset({"idempotency", "rate"})
NOT_OF_ANSWERS = NOT_OF_FIELDS | _OF_NO_ANSWER
#: What the rules of a kind are about; the first word of their ids.
TOPICS_OF_RULE: Mapping[str, frozenset[Topic]] = {
    "auth": frozenset({"credential"}),
    "keys": frozenset({"credential"}),
    "limits": frozenset({"upload", "media"}),
    "own": frozenset({"ownership", "id", "error"}),
    "route": frozenset({"environment", "method"}),
    "money": frozenset({"price", "credits", "refund"}),
    "life": frozenset({"lifecycle"}),
    "state": frozenset({"lifecycle"}),
    "stream": frozenset({"stream"}),
    "idem": frozenset({"idempotency"}),
    "rate": frozenset({"rate"}),
    "cap": frozenset({"concurrency"}),
    "hook": frozenset({"webhook"}),
    "url": frozenset({"url"}),
    "media": frozenset({"media"}),
    "content": frozenset({"media"}),
    "list": frozenset({"list", "order"}),
}

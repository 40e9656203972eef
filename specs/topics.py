"""What clauses can be about, and which topics go with rules and never with a field or an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: What a clause can be about where no other dimension of a subject has a name for it.
Topic = Literal[
    "cadence",
    "concurrency",
    "content",
    "credential",
    "credits",
    "environment",
    "error",
    "id",
    "idempotency",
    "lifecycle",
    "list",
    "media",
    "method",
    "order",
    "ownership",
    "price",
    "rate",
    "refund",
    "snapshot",
    "stream",
    "time",
    "upload",
    "url",
    "webhook",
]

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

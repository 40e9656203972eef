"""The topics of clauses, and those that concern rules and never a field or an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: The subjects of clauses that no other dimension of a subject names.
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

#: The topics of the account, and of the document as a whole.
TOPICS_OF_ALL: frozenset[Topic] = frozenset(
    {"cadence", "credential", "credits", "environment", "error", "method", "price", "rate"}
)
#: Topics that concern no field and no answer.
NOT_OF_FIELDS: frozenset[Topic] = frozenset({"cadence", "concurrency", "environment", "snapshot"})
#: Topics that concern no wrong field.
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
#: Topics that concern no answer to a successful request.
_OF_NO_ANSWER: frozenset[Topic] = frozenset({"idempotency", "rate"})
NOT_OF_ANSWERS = NOT_OF_FIELDS | _OF_NO_ANSWER
#: The topics of the rules of each kind, by the first word of their ids.
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

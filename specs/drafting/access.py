"""What a draft says of accounts, credentials, refusals and limits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from random import Random

from ..json_types import Json
from ..openapi.generating import UngeneratedError, generate
from ..openapi.operations import Operation
from .draft import Draft
from .recorded import Recorded
from .words import snake

_CREDITS_MIN = 1_000
_CALLS_PAID = 20
_MINUTE_MS = 60_000
_MESSAGES = frozenset({"message", "detail", "error", "title", "msg", "error_message"})


def add_access(
    draft: Draft,
    document: Json,
    operations: Mapping[str, Operation],
    recorded: Recorded,
    amounts: Collection[int],
) -> None:
    """Add accounts, credentials and refusals; *amounts* are the prices of the operations."""
    if amounts:
        highest = max(amounts)
        credits = max(_CREDITS_MIN, _CALLS_PAID * highest)
        guess = f"{credits} credits for a new account"
        draft.put(("accounts", "initial_credits"), credits, guess, "a test should not run out")
    _add_credentials(draft, document, recorded)
    order = ["authentication"] if any(it.security for it in operations.values()) else []
    order += ["body", "validation", "rate_limit", "existence", "content", "credits"]
    order.remove("rate_limit") if not limits_of(operations, recorded) else None
    order.remove("credits") if not amounts else None
    draft.put(("refusals", "order"), order, "this order", "most providers judge so")
    guess, because = "a job of another account is a 404", "most providers hide it"
    draft.put(("refusals", "foreign"), "hide", guess, because)
    body = _error_body(operations)
    if body is not None:
        draft.put(("refusals", "body"), body, "one form for all", "documented errors have it")


def _add_credentials(draft: Draft, document: Json, recorded: Recorded) -> None:
    schemes = document.get("components", {}).get("securitySchemes", {})
    for name, scheme in schemes.items():
        header = scheme.get("name") if scheme.get("in") == "header" else None
        if scheme.get("type") in {"http", "oauth2", "openIdConnect"}:
            header = "Authorization"
        # A key of Basic is a name and a password.
        is_key = scheme.get("scheme", "").lower() != "basic"
        form = recorded.key_form(header) if header and is_key else None
        if form is None or header is None:
            continue
        accepts = {"header": header}
        if header == "Authorization":
            accepts["scheme"] = str(scheme.get("scheme", "Bearer")).capitalize()
        rule = {"accepts": [accepts], "key": "api_key", "form": form}
        because = "recorded keys have it"
        draft.put(("credentials", name), rule, "the form of keys", because)


def _error_body(operations: Mapping[str, Operation]) -> Json:
    """The form of the documented errors, with the message in it."""
    for it in operations.values():
        shapes = [shape for status, shape in it.replies.items() if status[0] in "45d"]
        for schema in (schema for shape in shapes for schema in shape.content.values()):
            try:
                value = generate(schema, Random(1)) if schema is not None else None
            except UngeneratedError:
                continue
            if (found := _with_message(value)) is not None:
                return found
    return None


def limits_of(operations: Iterable[str], recorded: Recorded) -> dict[str, int]:
    """The calls a minute that recorded rate headers allow, by operation."""
    found = {it: recorded.limit(it) for it in operations}
    return {name: it for name, it in found.items() if it is not None}


def add_limits(
    draft: Draft, operations: Iterable[str], recorded: Recorded, polled: Sequence[str]
) -> None:
    """Add the rate windows and the pause between polls of the operations *polled*."""
    limits = limits_of(operations, recorded)
    windows = [
        {
            "name": f"recorded_{limit}",
            "operations": [name for name, it in limits.items() if it == limit],
            "limit": limit,
            "per_ms": _MINUTE_MS,
            "scope": "key",
        }
        for limit in sorted(set(limits.values()))
    ]
    if windows:
        guess, because = "these limits a minute", "the recorded rate headers name them"
        draft.put(("rate_windows",), windows, guess, because)
    pause_ms = recorded.pause_ms(polled)
    if pause_ms:
        cadence = {"operations": polled, "at_least_ms": pause_ms}
        draft.put(("cadence",), cadence, "this pause", "the recorded client made it")


def _with_message(value: Json) -> Json:
    """*value* as a template with the message in it; None where no field is for messages."""
    if not isinstance(value, dict):
        return None
    for name, inner in value.items():
        if snake(name) in _MESSAGES and isinstance(inner, str):
            return {**value, name: "$message"}
    for name, inner in value.items():
        if (found := _with_message(inner)) is not None:
            return {**value, name: found}
    return None

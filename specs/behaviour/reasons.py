"""Refusal reasons: why the mock refuses a request, with everything that depends on the reason.

A contract says how its provider words each reason, under `refusals.replies`. A further reason is
one entry in `REASONS` and its test. A provider's own reasons need no entry: they are findings of
the code SC101, in the provider's words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from ..openapi.operations import Operation
from ..topics import Topic
from . import needs
from .behaviour import Behaviour


class FileReply(Struct, frozen=True):
    """The reply of an object store for a reason, for the files behind the mock's own URLs."""

    status: int
    code: str
    message: str


class Reason(Struct, frozen=True):
    """One refusal reason.

    *category* is sent in `X-Screentest-Reason`; *code* is the code of the finding. *expected*,
    *actual* and *fix* are templates over the facts of the refusal. *is_lasting* says that the same
    request is refused again, whatever happens meanwhile. *ruled_by* names the part of the contract
    that makes the refusal, and is cited for it. *facts* are the names that a reply template may
    use. *file* is the reply for a stored file. *topics* are what the clauses behind it are about.
    """

    category: str
    code: str = "SC101"
    expected: str = ""
    actual: str = ""
    fix: str = "see the provider's rule"
    is_lasting: bool = False
    ruled_by: str = ""
    facts: tuple[str, ...] = ()
    is_needed: needs.Needed = lambda behaviour, operations: False
    file: FileReply | None = None
    topics: tuple[Topic, ...] = ("error",)


#: By reason, the statuses that providers use for it, the most usual first.
_STATUSES: Mapping[str, tuple[int, ...]] = {
    "missing_credential": (401, 403),
    "unknown_credential": (401, 403),
    "revoked_credential": (401, 403),
    "expired_credential": (401, 403),
    "wrong_content_type": (415, 400, 422),
    "malformed_body": (400, 422),
    "too_large": (413, 400, 422),
    "invalid": (422, 400),
    "content_refused": (400, 422, 403),
    "not_found": (404,),
    "foreign": (403, 404),
    "wrong_state": (409, 400, 422),
    "retired": (410,),
    "rate_limited": (429,),
    "too_many_running": (429,),
    "insufficient_credits": (402, 403),
    "idempotency_mismatch": (422, 409, 400),
    "idempotency_in_flight": (409, 429),
    "unknown_route": (404,),
    "wrong_method": (405,),
}
_CREDENTIAL = ("credential", "header", "scheme")
_RESOURCE = ("resource", "id")

REASONS: Mapping[str, Reason] = {
    "unknown_route": Reason(
        "route",
        "SC110",
        "a documented path",
        "{method} {path}",
        "see the provider's operations",
        is_lasting=True,
        facts=("method", "path"),
        is_needed=needs.always,
        topics=("environment", "method"),
    ),
    "wrong_method": Reason(
        "route",
        "SC111",
        "{allow}",
        "{method}",
        "use {allow}",
        is_lasting=True,
        facts=("method", "allow"),
        is_needed=needs.always,
        file=FileReply(405, "MethodNotAllowed", "Only GET and HEAD work here."),
        topics=("environment", "method"),
    ),
    "redirect": Reason(
        "route",
        "SC112",
        "{location}",
        "{path}",
        "write the path as documented",
        topics=("environment", "url"),
    ),
    "missing_credential": Reason(
        "auth",
        "SC104",
        "{header}: KEY",
        "no credential",
        "send `{header}: KEY`",
        is_lasting=True,
        facts=_CREDENTIAL,
        is_needed=needs.has_credentials,
        topics=("credential",),
    ),
    "unknown_credential": Reason(
        "auth",
        "SC402",
        "a key of {provider} in this world",
        "{whose}",
        "take one from `screentest env`, or in a test from the fixture",
        is_lasting=True,
        facts=_CREDENTIAL,
        is_needed=needs.has_credentials,
        topics=("credential",),
    ),
    "revoked_credential": Reason(
        "auth",
        "SC403",
        "an active key",
        "a revoked one",
        "make a new key",
        facts=_CREDENTIAL,
        is_needed=needs.has_credentials,
        topics=("credential",),
    ),
    "expired_credential": Reason(
        "auth",
        "SC403",
        "an active key",
        "an expired one",
        "get a new one",
        facts=_CREDENTIAL,
        is_needed=needs.has_lifetime,
        topics=("credential",),
    ),
    "wrong_content_type": Reason(
        "validation",
        "SC105",
        "{expected}",
        "{actual}",
        "send the header `Content-Type: {expected}`",
        is_lasting=True,
        facts=("expected", "actual"),
        is_needed=needs.has_bodies,
        topics=("upload", "method", "error"),
    ),
    "malformed_body": Reason(
        "validation",
        "SC106",
        "a readable body",
        "this: {problem}",
        "let the HTTP client encode the body, or send it as documented",
        is_lasting=True,
        facts=("problem",),
        is_needed=needs.has_bodies,
        topics=("error", "method"),
    ),
    "too_large": Reason(
        "validation",
        "SC109",
        "at most {limit} bytes",
        "more",
        "send less",
        is_lasting=True,
        facts=("what", "limit"),
        is_needed=needs.has_bodies,
        topics=("upload", "media"),
    ),
    "invalid": Reason(
        "validation",
        is_lasting=True,
        facts=("problem", "field"),
        is_needed=needs.gate("validation"),
        topics=("error", "content", "media", "upload"),
    ),
    "content_refused": Reason(
        "content",
        "SC113",
        "content that the provider allows",
        "a refusal: {problem}",
        "change the text; the directive `[[screentest:reject]]` in it asks for this refusal",
        is_lasting=True,
        facts=("problem",),
        is_needed=needs.gate("content"),
        topics=("content",),
    ),
    "not_found": Reason(
        "not_found",
        "SC404",
        "a {resource} of this account",
        "{id}",
        "check the id: a deleted resource, or one of another account or world, is not found either",
        facts=_RESOURCE,
        is_needed=needs.has_targets,
        file=FileReply(404, "NoSuchKey", "The specified key does not exist."),
        topics=("id", "ownership", "error"),
    ),
    "foreign": Reason(
        "ownership",
        "SC401",
        "a {resource} of this key's account",
        "{id} of another account",
        "use a key of the account that made it",
        facts=_RESOURCE,
        is_needed=needs.refuses_foreign,
        topics=("ownership",),
    ),
    "wrong_state": Reason(
        "state",
        "SC405",
        "{allowed}",
        "{state}",
        "read its state first",
        facts=(*_RESOURCE, "state", "allowed"),
        is_needed=needs.has_states,
        topics=("lifecycle", "error"),
    ),
    "rate_limited": Reason(
        "rate_limit",
        "SC204",
        "at most {limit}",
        "one more",
        "wait {wait_s} s, as Retry-After says",
        ruled_by="rate_windows",
        facts=("limit", "action", "period", "wait_s"),
        is_needed=needs.has_windows,
        topics=("rate",),
    ),
    "too_many_running": Reason(
        "concurrency",
        "SC209",
        "at most {limit} at a time",
        "one more",
        "$wait_s == null ? 'wait until one of them ends'"
        " : 'wait %d s, as Retry-After says'.format([wait_s])",
        ruled_by="concurrency",
        facts=("limit", "wait_s"),
        is_needed=needs.has_cap,
        topics=("concurrency",),
    ),
    "insufficient_credits": Reason(
        "credits",
        "SC406",
        "{cost} credits",
        "{available} credits",
        "add credits to the account; here, `screentest credits set` does it",
        facts=("cost", "available"),
        is_needed=needs.has_prices,
        topics=("credits", "price"),
    ),
    "idempotency_mismatch": Reason(
        "idempotency",
        "SC208",
        "the request that first had this Idempotency-Key",
        "another one",
        "make a new key for every new request",
        ruled_by="idempotency",
        facts=("key",),
        is_needed=needs.has_keys,
        topics=("idempotency",),
    ),
    "idempotency_in_flight": Reason(
        "idempotency",
        "SC208",
        "one request at a time with an Idempotency-Key",
        "a second one",
        "wait for the first answer, then ask again",
        ruled_by="idempotency",
        facts=("key",),
        is_needed=needs.has_keys,
        topics=("idempotency",),
    ),
    "retired": Reason(
        "retired",
        "SC101",
        "a call to what is still served",
        "{what} retired on {day}",
        "use what replaces it, or set the world's clock to an earlier day",
        is_lasting=True,
        ruled_by="retires",
        facts=("what", "day"),
    ),
    "expired_address": Reason(
        "file",
        "SC407",
        "a URL that is still valid",
        "an expired one",
        "read the resource again: it comes with a fresh URL",
        file=FileReply(403, "ExpiredToken", "The provided token has expired."),
    ),
    "changed_address": Reason(
        "file",
        "SC407",
        "a URL as it was handed out",
        "one whose signature does not match",
        "use the URL unchanged, with its whole query",
        file=FileReply(403, "SignatureDoesNotMatch", "The signature does not match this URL."),
    ),
    "expired": Reason("expired", topics=("url", "time", "media")),
    "receiver_failed": Reason("webhook", topics=("webhook",)),
    "receiver_signature": Reason("webhook", topics=("webhook",)),
    #: The provider's own failure, injected or by an interpretation; no finding about the client.
    "failed": Reason("failed", facts=("problem",)),
}

#: The entry for the reasons that only one provider has.
OWN_REASON = Reason("own")


def reason_called(name: str) -> Reason:
    """The reason called *name*; a provider's own reason has no entry and gets the general one."""
    return REASONS.get(name, OWN_REASON)


def category_of(name: str) -> str:
    """The category of a reason; a provider's own reason is its own category."""
    known = REASONS.get(name)
    return known.category if known is not None else name


def needed_reasons(behaviour: Behaviour, operations: Iterable[Operation]) -> list[str]:
    """The reasons for which the contract must have a reply."""
    known = list(operations)
    return [name for name, it in REASONS.items() if it.is_needed(behaviour, known)]


def usual_statuses(reason: str, operation: Operation | None) -> tuple[int, ...]:
    """Statuses that providers use for *reason*, most usual first: those that *operation* documents.

    All of them where it documents none.
    """
    usual = _STATUSES.get(reason, (500, 503))
    documented = operation.replies if operation is not None else {}
    return tuple(it for it in usual if str(it) in documented) or usual

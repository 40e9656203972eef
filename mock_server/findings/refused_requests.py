"""What a client did wrong, with a stable code, what was expected, and how to put it right.

A finding is made for every refused request, for unknown routes, and for calls that the provider
answers but advises against. Codes: SC1xx the request, SC2xx its cadence, SC3xx webhooks, SC4xx keys
and ownership, SC5xx the mock itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.behaviour import Behaviour
from screentest.specs.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.redaction import is_secret_header
from screentest.specs.validation import Violation, shown

from ..engine.provider import EventStream, Refusal, Reply, Request
from ..kernel.bodies import BodyError, read_json
from ..kernel.finding import Finding
from ..kernel.header_names import header_name
from ..kernel.templates import fill_text
from .citations import source_of_refusal, source_of_violation
from .fixes import Around, fix_of, unknown_field_fix, value_at

#: Reasons of replies that no provider gave: ordered by somebody, or a fault of the mock.
_MADE = ("fault:", "ours:")

_FORM = "multipart/form-data"
# The header alone would lack the boundary, which only the client knows.
_AS_FORM = "send the fields as a form, and let the HTTP client set Content-Type with its boundary"
_SEE_RULE = "see the provider's rule"
# A finding is a line in a terminal.
_PATH_MAX = 120
_WORDS_MAX = 200

_BY_REASON = {
    "missing_credential": "SC104",
    "unknown_credential": "SC402",
    "revoked_credential": "SC403",
    "expired_credential": "SC403",
    "wrong_content_type": "SC105",
    "malformed_body": "SC106",
    "too_large": "SC109",
    "unknown_route": "SC110",
    "wrong_method": "SC111",
    "redirect": "SC112",
    "content_refused": "SC113",
    "idempotency_mismatch": "SC208",
    "idempotency_in_flight": "SC208",
    "foreign": "SC401",
    "not_found": "SC404",
    "wrong_state": "SC405",
    "insufficient_credits": "SC406",
    "expired_address": "SC407",
    "changed_address": "SC407",
    "rate_limited": "SC204",
    "too_many_running": "SC209",
}
_BY_KEYWORD = {
    "type": "SC102",
    "required": "SC107",
    "additionalProperties": "SC103",
    "unevaluatedProperties": "SC103",
    "enum": "SC108",
    "const": "SC108",
    "minimum": "SC108",
    "maximum": "SC108",
    "minLength": "SC108",
    "maxLength": "SC108",
}


def findings_of(
    contract: Contract, operation: str, request: Request, refusal: Refusal
) -> list[Finding]:
    """The findings behind *refusal*; none for failures that somebody ordered."""
    if refusal.reason.startswith(("fault:", "ours:")) or refusal.reason == "failed":
        return []
    if refusal.violations:
        around = _fields_around(contract, operation, request)
        return [
            _of_violation(it, around, request, source_of_violation(contract, operation, it))
            for it in _slips(refusal.violations)
        ]
    source = source_of_refusal(contract, operation, refusal)
    code = _BY_REASON.get(refusal.reason, "SC101")
    pointer, expected, actual, fix = _told(contract, request, refusal)
    return [Finding(code, pointer, expected, actual, fix, source)]


def fault_of_ours(violations: Sequence[Violation], detail: str) -> list[Finding]:
    """A reply of ours that the contract does not allow, or a crash."""
    if not violations:
        return [Finding("SC501", "", "an answer", detail, "please report it", "")]
    return [
        Finding("SC500", it.pointer, it.expected, it.actual, "please report it", "")
        for it in violations
    ]


def _slips(violations: Sequence[Violation]) -> list[Violation]:
    """One violation for each slip.

    A value of the wrong type, or an empty text, breaks most other rules of its place as well.
    """
    speaking: dict[str, Violation] = {}
    for it in violations:
        if it.keyword == "type" or (it.keyword == "minLength" and it.actual == "0"):
            speaking.setdefault(it.pointer, it)
    return [it for it in violations if speaking.get(it.pointer, it) is it]


def _fields_around(contract: Contract, operation: str, request: Request) -> Around:
    """The fields that the body's schema has around the one at a pointer."""
    found = contract.operations.get(operation)
    schemas = found.bodies if found is not None else {}
    schema = schemas.get(request.content_type) or next(iter(schemas.values()), None)
    return schema.fields.around if schema is not None else lambda pointer: {}


def _of_violation(violation: Violation, around: Around, request: Request, source: str) -> Finding:
    code = _BY_KEYWORD.get(violation.keyword, "SC101")
    pointer, actual, fix = violation.pointer, violation.actual, fix_of(violation, around)
    if code == "SC103":
        value = _sent(request, pointer)
        if value is not None:
            actual = "a text" if isinstance(value, str) else shown(value)
        fix = unknown_field_fix(pointer.rpartition("/")[2], around(pointer), value)
    return Finding(code, pointer, violation.expected, actual, fix, source)


def _sent(request: Request, pointer: str) -> Json:
    """What stands at *pointer* of the body."""
    if request.form is not None:
        return value_at(request.form, pointer)
    try:
        return value_at(read_json(request.body), pointer)
    except BodyError:
        return None


#: What was expected, what came, and the fix, for a reason without violations: templates over facts.
_TOLD = {
    "unknown_credential": (
        "a key of {provider} in this world",
        "{whose}",
        "take one from `screentest env`, or in a test from the fixture",
    ),
    "revoked_credential": ("an active key", "a revoked one", "make a new key"),
    "expired_credential": ("an active key", "one that has run out", "get a new one"),
    "wrong_content_type": ("{expected}", "{actual}", "send the header `Content-Type: {expected}`"),
    "malformed_body": (
        "a body that can be read",
        "this: {problem}",
        "let the HTTP client encode the body, or send it as documented",
    ),
    "too_large": ("at most {limit} bytes", "more", "send less"),
    "wrong_method": ("{allow}", "{method}", "use {allow}"),
    "redirect": ("{location}", "{path}", "write the path as documented"),
    "content_refused": (
        "content that the provider allows",
        "a refusal: {problem}",
        "change the text; `[[screentest:reject]]` in it orders this",
    ),
    "not_found": (
        "a {resource} of this account",
        "{id}",
        "look at the id: what is deleted, or of another account or world, is not found either",
    ),
    "foreign": (
        "a {resource} of this key's account",
        "{id} of another account",
        "use a key of the account that made it",
    ),
    "wrong_state": ("{allowed}", "{state}", "look at its state first"),
    "rate_limited": ("at most {limit}", "one more", "wait {wait_s} s, as Retry-After says"),
    "too_many_running": (
        "at most {limit} at a time",
        "one more",
        "wait {wait_s} s, as Retry-After says",
    ),
    "insufficient_credits": (
        "{cost} credits",
        "{available} credits",
        "top the account up; `screentest credits set` does it here",
    ),
    "expired_address": (
        "an address that is still good",
        "one that has run out",
        "read the resource again: it comes with a fresh address",
    ),
    "changed_address": (
        "an address as it was handed out",
        "one whose signature does not fit",
        "use the address as it is, with its whole query",
    ),
    "idempotency_mismatch": (
        "the request that first had this Idempotency-Key",
        "another one",
        "make a new key for every new request",
    ),
    "idempotency_in_flight": (
        "one request at a time with an Idempotency-Key",
        "a second one",
        "wait for the first answer, then ask again",
    ),
}


def _told(contract: Contract, request: Request, refusal: Refusal) -> tuple[str, str, str, str]:
    """(pointer, expected, actual, fix) of a refusal without violations."""
    facts = {**refusal.facts, "method": request.method, "path": request.path[:_PATH_MAX]}
    if refusal.reason == "wrong_content_type" and _FORM in facts["expected"]:
        others = str(facts["expected"]).removesuffix(_FORM).removesuffix(" or ")
        fix = f"send the header `Content-Type: {others}`, or {_AS_FORM}" if others else _AS_FORM
        return "", str(facts["expected"]), str(facts["actual"]), fix
    if refusal.reason in _TOLD:
        expected, actual, fix = (fill_text(text, facts) for text in _TOLD[refusal.reason])
        return "", expected, actual, fix
    if refusal.reason == "missing_credential":
        header, scheme = str(facts.get("header")), str(facts.get("scheme") or "")
        expected = f"{header}: {scheme} KEY" if scheme else f"{header}: KEY"
        return (
            f"/{header}",
            expected,
            _sent_credential(contract.behaviour, request),
            f"send `{expected}`",
        )
    if refusal.reason == "unknown_route":
        near = facts.get("near")
        fix = f"did you mean {near[0]}?" if near else "see the provider's operations"
        return "", "a documented path", f"{request.method} {request.path[:_PATH_MAX]}", fix
    return "", "a request that the provider grants", _in_its_words(contract, refusal), _SEE_RULE


def _in_its_words(contract: Contract, refusal: Refusal) -> str:
    """What the provider says to a refusal of its own kind."""
    rule = contract.behaviour.refusals.get(refusal.reason)
    said = fill_text(rule.message, refusal.facts) if rule is not None else refusal.reason
    return f"a refusal: {said[:_WORDS_MAX]}"


def _sent_credential(behaviour: Behaviour, request: Request) -> str:
    """The header that carries a credential, without it."""
    value = request.headers.get("authorization")
    if value:
        scheme, _, key = value.partition(" ")
        # A key that came without a scheme word is not shown.
        return f"Authorization: {scheme[:20]} …" if key else "Authorization: …"
    sent = (it for it in request.headers if it != "cookie" and is_secret_header(it, behaviour))
    header = next(sent, None)
    return f"{header_name(header)}: …" if header is not None else "no credential"


def provenance(contract: Contract, operation: str, answer: Reply | EventStream) -> str:
    """`documented`, `inferred` or `assumed`: what *answer* rests on, by the marks of the contract.

    An answer that the contract does not have, or that somebody ordered, is assumed.
    """
    found = contract.operations.get(operation)
    shape = found.replies.get(str(answer.status)) if found is not None else None
    if found is None or shape is None:
        return "assumed"
    if isinstance(answer, Reply) and (answer.departure or (answer.reason or "").startswith(_MADE)):
        return "assumed"
    return "inferred" if found.is_inferred or shape.is_inferred else "documented"

"""What a client did wrong: a stable code, what was expected, what came, and how to fix it.

A finding is made for every refused request, for unknown routes, and for calls that the provider
answers but advises against. Codes: SC1xx the request, SC2xx its cadence, SC3xx webhooks, SC4xx keys
and ownership, SC5xx the mock itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.behaviour.behaviour import Behaviour
from screentest.specs.behaviour.reasons import reason_called
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name, is_secret_header
from screentest.specs.expressions.templates import fill_text
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation, shown

from ..engine.provider import EventStream, Refusal, Reply, Request
from ..kernel.bodies import BodyError, read_json
from ..kernel.finding import Finding
from .citations import source_of_refusal, source_of_violation
from .fixes import Around, fix_of, unknown_field_fix, value_at

#: Reasons of replies that no provider gave: an injected fault, or a mistake of ours or the user.
_MADE = ("fault:", "ours:", "contract:")

_FORM = "multipart/form-data"
_PREFLIGHT = "access-control-request-method"
# The header alone would lack the boundary, which only the client knows.
_AS_FORM = "send the fields as a form, and let the HTTP client set Content-Type with its boundary"
# A finding is a line in a terminal.
_PATH_MAX = 120
_WORDS_MAX = 200

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
    """The findings behind *refusal*; none for injected failures."""
    if refusal.reason.startswith(_MADE) or refusal.reason == "failed":
        return []
    if refusal.violations:
        around = _fields_around(contract, operation, request)
        return [
            _of_violation(it, around, request, source_of_violation(contract, operation, it))
            for it in _slips(refusal.violations)
        ]
    source = source_of_refusal(contract, operation, refusal)
    if refusal.reason == "wrong_method" and _is_preflight(request):
        return [_from_a_page(request, source)]
    code = reason_called(refusal.reason).code
    return [Finding(code, *_explained(contract, request, refusal), source)]


def _is_preflight(request: Request) -> bool:
    """Whether a browser asks whether a page of another origin may send a request."""
    names = request.headers
    return request.method == "OPTIONS" and "origin" in names and _PREFLIGHT in names


def _from_a_page(request: Request, source: str) -> Finding:
    return Finding(
        "SC115",
        "/Origin",
        "a call from a server: the provider documents no CORS, and a key in a page is public",
        f"a preflight from a page of {request.headers['origin'][:_PATH_MAX]}",
        "call the provider in your server, or through the proxy of your development server; "
        "for a prototype, `screentest serve --cors ORIGIN` allows it",
        source,
    )


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
    """The value at *pointer* of the body."""
    if request.form is not None:
        return value_at(request.form, pointer)
    try:
        return value_at(read_json(request.body), pointer)
    except BodyError:
        return None


def _explained(contract: Contract, request: Request, refusal: Refusal) -> tuple[str, str, str, str]:
    """(pointer, expected, actual, fix) of a refusal without violations."""
    reason = reason_called(refusal.reason)
    facts = {**refusal.facts, "method": request.method, "path": request.path[:_PATH_MAX]}
    expected, actual, fix = (
        fill_text(text, facts) for text in (reason.expected, reason.actual, reason.fix)
    )
    pointer = ""
    match refusal.reason:
        case "wrong_content_type" if _FORM in expected:
            others = expected.removesuffix(_FORM).removesuffix(" or ")
            fix = f"send the header `Content-Type: {others}`, or {_AS_FORM}" if others else _AS_FORM
        case "missing_credential":
            pointer = f"/{facts['header']}"
            if facts.get("scheme"):
                expected = f"{facts['header']}: {facts['scheme']} KEY"
            fix, actual = f"send `{expected}`", _sent_credential(contract.behaviour, request)
        case "not_found" if facts.get("dropped"):
            actual = facts["dropped"]
            fix = "ask for it earlier, or serve with a larger --keep"
        case "unknown_route" if facts.get("near"):
            fix = f"did you mean {facts['near'][0]}?"
        case _ if not expected:
            expected = "a request that the provider grants"
            actual = _in_its_words(contract, refusal)
        case _:
            pass
    return pointer, expected, actual, fix


def _in_its_words(contract: Contract, refusal: Refusal) -> str:
    """The provider's message for a reason of its own."""
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

    An answer that the contract does not have, or that was injected, is assumed.
    """
    found = contract.operations.get(operation)
    shape = found.reply(answer.status) if found is not None else None
    if found is None or shape is None:
        return "assumed"
    if isinstance(answer, Reply) and (answer.departure or (answer.reason or "").startswith(_MADE)):
        return "assumed"
    return "inferred" if found.is_inferred or shape.is_inferred else "documented"

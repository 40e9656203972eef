"""Findings about a receiver of webhooks, from its answers to deliveries."""

from __future__ import annotations

from screentest.specs.behaviour.behaviour import Behaviour

from .finding import Finding
from .webhooks import Outcome

#: The error of the transport when a receiver does not answer in time.
TIMED_OUT = "timed out"
#: Statuses that mean that the receiver did not accept the signature.
_DISTRUST = frozenset({401, 403})
_ERROR_MAX = 120


def receiver_findings(behaviour: Behaviour, outcome: Outcome, *, is_forged: bool) -> list[Finding]:
    """The findings about a receiver. *is_forged*: the delivery had a wrong signature."""
    # A wrong signature must be refused: an accepted one is the finding, any refusal is right.
    if is_forged:
        return [_unchecked(behaviour, outcome)] if outcome.is_success else []
    if outcome.is_success:
        return []
    status, answer = outcome.status, f"{outcome.status}"
    if status is None:
        return [_without_answer(behaviour, outcome.error or "no answer")]
    if 300 <= status < 400:
        return [
            _made(
                behaviour,
                "SC302",
                answer,
                "answer at the registered URL itself, or register the target of the redirect; "
                "check http or https, and the slash at the end",
            )
        ]
    if status in _DISTRUST:
        return [
            _made(
                behaviour,
                "SC305",
                f"{answer} to a correctly signed request",
                "compute the signature over the raw body, before any parsing, with the current"
                " secret",
                reason="receiver_signature",
            )
        ]
    return [
        _made(
            behaviour,
            "SC301",
            answer,
            "answer 2xx as soon as the event is stored, and process it afterwards; `reply` shows"
            " the answer",
        )
    ]


def _without_answer(behaviour: Behaviour, error: str) -> Finding:
    if error == TIMED_OUT:
        return _made(
            behaviour,
            "SC303",
            "no answer in time",
            "answer first, and process the event afterwards in a queue or a background task",
        )
    return _made(
        behaviour,
        "SC304",
        error[:_ERROR_MAX],
        "start the receiver before the job ends, register the address that it listens on, and "
        "read its log",
    )


def _unchecked(behaviour: Behaviour, outcome: Outcome) -> Finding:
    return _made(
        behaviour,
        "SC306",
        f"{outcome.status} to a request with a wrong signature",
        "compare the signature, in constant time, before using anything in the body",
        expected="401 or 403",
        reason="receiver_signature",
    )


def _made(
    behaviour: Behaviour,
    code: str,
    actual: str,
    fix: str,
    *,
    expected: str = "a status from 200 to 299",
    reason: str = "receiver_failed",
) -> Finding:
    cited = behaviour.cites.of_reason("", reason)
    # A contract of the user's has no clauses, but its webhooks may have a source.
    if cited is None:
        cited = (behaviour.webhooks.source,) if behaviour.webhooks is not None else ()
    source = f"{behaviour.document_url} {', '.join(cited)}".strip()
    return Finding(code, "", expected, actual, fix, source)

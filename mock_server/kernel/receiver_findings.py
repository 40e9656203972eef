"""What a receiver of webhooks does wrong, as far as its answers show it from outside."""

from __future__ import annotations

from screentest.specs.behaviour.behaviour import Behaviour

from .finding import Finding
from .webhooks import Outcome

#: Of the transport: it gives a receiver no longer.
TIMED_OUT = "timed out"
#: By these a receiver says that it does not believe the sender.
_DISTRUST = frozenset({401, 403})
_TOLD_MAX = 120


def receiver_findings(behaviour: Behaviour, outcome: Outcome, *, is_forged: bool) -> list[Finding]:
    """The findings about a receiver. *is_forged* says that the delivery had a wrong signature."""
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
                "answer at the registered URL itself, or register the one that it redirects to; "
                "mind http, https and the slash at the end",
            )
        ]
    if status in _DISTRUST:
        return [
            _made(
                behaviour,
                "SC305",
                f"{answer} to a letter that is signed well",
                "sign the body's bytes as they came in, before any parsing, with the secret in"
                " force",
                reason="receiver_signature",
            )
        ]
    return [
        _made(
            behaviour,
            "SC301",
            answer,
            "answer 2xx as soon as the event is kept, and work on it afterwards; look at `reply`"
            " here",
        )
    ]


def _without_answer(behaviour: Behaviour, error: str) -> Finding:
    if error == TIMED_OUT:
        return _made(
            behaviour,
            "SC303",
            "no answer in time",
            "answer first and do the work afterwards, in a queue or a background task",
        )
    return _made(
        behaviour,
        "SC304",
        error[:_TOLD_MAX],
        "start the receiver before the job ends, register the address that it listens on, and "
        "look at what it says itself",
    )


def _unchecked(behaviour: Behaviour, outcome: Outcome) -> Finding:
    return _made(
        behaviour,
        "SC306",
        f"{outcome.status} to a letter with a wrong signature",
        "compare the signature, in constant time, before anything in the body is believed",
        expected="401 or 403",
        reason="receiver_signature",
    )


def _made(
    behaviour: Behaviour,
    code: str,
    actual: str,
    fix: str,
    *,
    expected: str = "an answer in the two hundreds",
    reason: str = "receiver_failed",
) -> Finding:
    cited = behaviour.cites.of_reason("", reason)
    if cited is None:
        cited = (behaviour.webhooks.source,) if behaviour.webhooks is not None else ()
    source = f"{behaviour.document_url} {', '.join(cited)}".strip()
    return Finding(code, "", expected, actual, fix, source)

"""Trials of a webhook receiver: what it accepts, refuses, repeats and reveals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour.behaviour import Behaviour

from ..kernel.receiver_findings import receiver_findings
from ..kernel.webhooks import Delivery, Outcome, WebhookRequest, event_body, signed_headers

#: Longer than any clock of a receiver is wrong.
_HOUR_MS = 60 * 60 * 1_000
_HUGE_BYTES = 8 * 1024 * 1024
#: What a receiver tells a stranger only by mistake.
_REVEALING = ("traceback (most recent", "\n    at ", "exception in", "stack trace")
_DETAIL_MAX = 200
_NO_ANSWER = "no answer"
#: Shorter values of headers are not signatures.
_SIGNATURE_MIN = 32


class Mark(Enum):
    """The verdict of a trial."""

    PASSED = "·"
    ADVICE = "~"
    FAILED = "x"
    SKIPPED = "-"


class TrialResult(Struct, frozen=True):
    """One trial: what was sent, and what the receiver did."""

    name: str
    summary: str
    mark: Mark
    detail: str


class Receiver(Struct, frozen=True):
    """The receiver on trial. *send* makes one request to it.

    *half_sent* is a context in which another delivery has begun and does not go on.
    *check* gives the state that it keeps, as a text: best the number of events that it has handled.
    None leaves open what only the state shows. It has to answer within *within_ms*.
    """

    url: str
    secret: str
    send: Callable[[WebhookRequest], Outcome]
    now_ms: Callable[[], int]
    check: Callable[[], str] | None = None
    next_secret: str = ""
    within_ms: int = 5_000
    half_sent: Callable[[], AbstractContextManager[object]] | None = None

    def post(self, request: WebhookRequest) -> Outcome:
        """Send *request*, and measure how long the answer takes."""
        began_ms = self.now_ms()
        outcome = self.send(request)
        return replace(outcome, latency_ms=self.now_ms() - began_ms)

    def state(self) -> str | None:
        """The state that the receiver keeps; None without a check."""
        return self.check().strip() if self.check is not None else None


def run_gauntlet(behaviour: Behaviour, receiver: Receiver) -> list[TrialResult]:
    """All trials of a provider's webhooks; the first one alone if the receiver does not answer it.

    The details of failed trials name the codes of findings, as deliveries of the mock have them.
    """
    trials = _Trials(behaviour, receiver)
    order = (
        *(trials.good, trials.duplicate, trials.at_once, trials.out_of_order, trials.replayed),
        *(trials.stale, trials.forged, trials.swapped, trials.unsigned, trials.recoded),
        *(trials.unknown, trials.malformed, trials.huge, trials.slow, trials.rotated),
    )
    first, *rest = order
    result = first()
    if result.detail.startswith(_NO_ANSWER):
        return [result]
    return [result, *(trial() for trial in rest)]


def gauntlet_lines(results: Sequence[TrialResult]) -> Iterator[str]:
    """The results as text."""
    width = max(len(it.name) for it in results)
    for it in results:
        yield f"{it.mark.value}  {it.name:<{width}}  {it.summary}: {it.detail}"
    failed = sum(it.mark is Mark.FAILED for it in results)
    yield ""
    yield f"{len(results)} trials, {failed} failed"


class _Trials:
    def __init__(self, behaviour: Behaviour, receiver: Receiver) -> None:
        assert behaviour.webhooks is not None
        self._behaviour, self._rules = behaviour, behaviour.webhooks
        self._receiver = receiver
        self._events = list(self._rules.events.values())
        self._made = 0
        # The ids of two runs differ, or a receiver would take a second run for repetitions.
        self._run = f"{receiver.now_ms():x}"

    def good(self) -> TrialResult:
        before = self._receiver.state()
        outcome = self._receiver.post(self._request())
        name, summary = "good", "a delivery as documented"
        if (wrong := self._unwelcome(outcome)) is not None:
            return _failed(name, summary, wrong)
        if before is not None and self._receiver.state() == before:
            detail = (
                f"answered {outcome.status} before the event was kept: its state has not changed"
            )
            return _failed(name, summary, detail)
        return _passed(name, summary, outcome)

    def duplicate(self) -> TrialResult:
        request = self._request()
        self._receiver.post(request)
        before = self._receiver.state()
        return self._without_effect("duplicate", "the same event again", request, before)

    def at_once(self) -> TrialResult:
        name, summary = "at-once", "the same event twice at the same time"
        before, request = self._receiver.state(), self._request()
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(self._receiver.post, (request, request)))
        wrong = next((it for it in map(self._unwelcome, outcomes) if it is not None), None)
        if wrong is not None:
            return _failed(name, summary, wrong)
        after = self._receiver.state()
        if before is not None and after is not None and (before + after).isdecimal():
            changes = int(after) - int(before)
            if changes != 1:
                return _failed(name, summary, f"its state counts {changes} events, not 1")
        return _passed(name, summary, outcomes[0])

    def out_of_order(self) -> TrialResult:
        newer, older = self._request(), self._request(age_ms=60_000)
        first, second = self._receiver.post(newer), self._receiver.post(older)
        name, summary = "out-of-order", "an older event after a newer one"
        wrong = self._unwelcome(first) or self._unwelcome(second)
        return _failed(name, summary, wrong) if wrong else _passed(name, summary, second)

    def replayed(self) -> TrialResult:
        event = self._event()
        self._receiver.post(self._signed(event))
        before = self._receiver.state()
        old = self._signed(event, age_ms=_HOUR_MS)
        name, summary = "replayed", "a known event with the signature of an hour ago"
        outcome = self._receiver.post(old)
        if outcome.is_success and before is not None and self._receiver.state() != before:
            return _failed(name, summary, f"answered {outcome.status}, and handled it again")
        return _passed(name, summary, outcome)

    def stale(self) -> TrialResult:
        name, summary = "stale", "a new event with the signature of an hour ago"
        if "{timestamp" not in self._rules.signed:
            return TrialResult(name, summary, Mark.SKIPPED, "the signature has no time")
        outcome = self._receiver.post(self._signed(self._event(), age_ms=_HOUR_MS))
        if outcome.is_success:
            detail = f"answered {outcome.status}; refuse signatures older than some minutes"
            return TrialResult(name, summary, Mark.ADVICE, detail)
        return _passed(name, summary, outcome)

    def forged(self) -> TrialResult:
        event = self._event()
        headers = self._signed(event, secret=f"not {self._receiver.secret}").headers
        return self._refused("forged", "a signature by another secret", event, headers)

    def swapped(self) -> TrialResult:
        headers, event = self._request().headers, self._event()
        return self._refused("swapped", "a right signature of another body", event, headers)

    def unsigned(self) -> TrialResult:
        return self._refused("unsigned", "no signature", self._event(), {})

    def recoded(self) -> TrialResult:
        event = self._event()
        body = json.dumps(dict(reversed(json.loads(event.body).items())), indent=2)
        return self._accepted(
            "recoded", "the same JSON in another encoding", self._signed(event, body=body)
        )

    def unknown(self) -> TrialResult:
        event = self._event(type_="screentest.unknown")
        return self._accepted("unknown", "an event of an unknown type", self._signed(event))

    def malformed(self) -> TrialResult:
        name, summary = "malformed", "a signed body that is not JSON"
        outcome = self._receiver.post(self._signed(self._event(), body="{"))
        if outcome.status is None or outcome.status >= 500:
            return _failed(name, summary, _answered(outcome))
        return _passed(name, summary, outcome)

    def huge(self) -> TrialResult:
        name, summary = "huge", f"{_HUGE_BYTES // 1024**2} MB without a signature"
        outcome = self._receiver.post(WebhookRequest(self._receiver.url, {}, b"x" * _HUGE_BYTES))
        after = self._receiver.post(self._request())
        if outcome.is_success:
            return _failed(name, summary, f"answered {outcome.status}")
        if (wrong := self._unwelcome(after)) is not None:
            return _failed(name, summary, f"the delivery after it: {wrong}")
        return _passed(name, summary, outcome)

    def slow(self) -> TrialResult:
        name, summary = "slow", "a delivery while another one arrives slowly"
        if self._receiver.half_sent is None:
            return TrialResult(name, summary, Mark.SKIPPED, "it is called in this process")
        with self._receiver.half_sent():
            return self._accepted(name, summary, self._request())

    def rotated(self) -> TrialResult:
        name, summary = "rotated", "a delivery with the next secret"
        if not self._receiver.next_secret:
            return TrialResult(name, summary, Mark.SKIPPED, "no next secret was given")
        return self._accepted(
            name, summary, self._signed(self._event(), secret=self._receiver.next_secret)
        )

    # Requests

    def _event(self, *, type_: str = "", age_ms: int = 0) -> Delivery:
        self._made += 1
        event, now_ms = self._events[0], self._receiver.now_ms()
        id_ = f"evt_gauntlet_{self._run}_{self._made}"
        job = {"id": f"job_gauntlet_{self._run}_{self._made}"}
        body = event_body(self._rules, event, id_, now_ms - age_ms, job)
        if type_:
            body = body.replace(json.dumps(event.type), json.dumps(type_))
        return Delivery(
            id=id_,
            seq=self._made,
            provider="",
            endpoint="",
            event=id_,
            type=type_ or event.type,
            job=job["id"],
            operation=None,
            created_ms=now_ms - age_ms,
            body=body,
        )

    def _request(self, *, age_ms: int = 0) -> WebhookRequest:
        return self._signed(self._event(age_ms=age_ms))

    def _signed(
        self, event: Delivery, *, secret: str = "", age_ms: int = 0, body: str = ""
    ) -> WebhookRequest:
        event = replace(event, body=body or event.body)
        at_ms = self._receiver.now_ms() - age_ms
        headers = signed_headers(self._rules, secret or self._receiver.secret, event, 1, at_ms)
        return WebhookRequest(self._receiver.url, headers, event.body.encode())

    # Verdicts

    def _unwelcome(self, outcome: Outcome) -> str | None:
        """What is wrong with the answer to a delivery that has to be accepted."""
        if not outcome.is_success:
            (finding,) = receiver_findings(self._behaviour, outcome, is_forged=False)
            return f"{_answered(outcome)}, and not 2xx ({finding.code})"
        if outcome.latency_ms > self._receiver.within_ms:
            return f"answered after {outcome.latency_ms} ms (SC303)"
        return None

    def _accepted(self, name: str, summary: str, request: WebhookRequest) -> TrialResult:
        outcome = self._receiver.post(request)
        wrong = self._unwelcome(outcome)
        return _failed(name, summary, wrong) if wrong else _passed(name, summary, outcome)

    def _without_effect(
        self, name: str, summary: str, request: WebhookRequest, before: str | None
    ) -> TrialResult:
        outcome = self._receiver.post(request)
        if (wrong := self._unwelcome(outcome)) is not None:
            return _failed(name, summary, wrong)
        if before is not None and self._receiver.state() != before:
            return _failed(name, summary, "its state has changed: it was handled twice")
        return _passed(name, summary, outcome)

    def _refused(
        self, name: str, summary: str, event: Delivery, headers: Mapping[str, str]
    ) -> TrialResult:
        before, right = self._receiver.state(), self._signed(event)
        outcome = self._receiver.post(WebhookRequest(self._receiver.url, headers, right.body))
        if outcome.status is None or not 400 <= outcome.status < 500:
            found = receiver_findings(self._behaviour, outcome, is_forged=True)
            codes = "".join(f" ({it.code})" for it in found)
            return _failed(name, summary, f"{_answered(outcome)}; refuse it with 401{codes}")
        if before is not None and self._receiver.state() != before:
            return _failed(name, summary, f"refused with {outcome.status}, and handled it")
        if (revealed := self._reveals(right, outcome.reply)) is not None:
            return _failed(name, summary, f"its refusal contains {revealed}")
        return _passed(name, summary, outcome)

    def _reveals(self, right: WebhookRequest, reply: str) -> str | None:
        """What *reply* tells a stranger; *right* is the request with the right signature."""
        if self._receiver.secret in reply:
            return "the secret"
        if any(it in reply for it in right.headers.values() if len(it) >= _SIGNATURE_MIN):
            return "the right signature"
        if any(it in reply.lower() for it in _REVEALING):
            return "a stack trace"
        return None


def _passed(name: str, summary: str, outcome: Outcome) -> TrialResult:
    return TrialResult(name, summary, Mark.PASSED, _answered(outcome))


def _failed(name: str, summary: str, detail: str | None) -> TrialResult:
    return TrialResult(name, summary, Mark.FAILED, (detail or "")[:_DETAIL_MAX])


def _answered(outcome: Outcome) -> str:
    if outcome.status is None:
        return f"{_NO_ANSWER} ({outcome.error})"
    return f"answered {outcome.status}"

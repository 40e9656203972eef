"""Findings over several calls of a client. They never refuse anything.

Polls that come too fast, go on after the end or never stop, refused requests that are repeated
unchanged, and paid calls that are repeated without an idempotency key.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from screentest.specs.behaviour.call_limits import Idempotency
from screentest.specs.behaviour.lifecycles import Kind, Lifecycle
from screentest.specs.behaviour.reasons import reason_called
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name, is_secret_header

from ..engine.provider import Call, EventStream, Refusal, Reply
from ..kernel.clock import Mode
from ..kernel.finding import Finding
from ..kernel.polled_job import PolledJob
from ..kernel.rows import Resource
from .after_the_end import note_end
from .citations import source_of_refusal
from .equal_calls import digest_of
from .lost_answers import instead_of, is_misread

#: Further reads of a finished job may show it, or fetch a fresh URL.
_READS_AFTER_END_MAX = 2
#: The parent of a job is read for many reasons, so it takes more reads to show a loop.
_READS_FROM_ABOVE_MAX = 4
#: Reads of a finished job after which its client cannot know the state in which it has ended.
_READS_FOR_EVER = 20
#: A job that does not move for so long never will, and a client that still asks has no deadline.
_STUCK_MS_MAX = 2 * 60 * 60 * 1_000
#: Polls at one instant of a clock that a test moves, after which the test has forgotten it.
_FROZEN_POLLS_MAX = 50
#: So many polls without a growing pause, over so long a time, are a load without a use.
_STEADY_POLLS_MAX = 150
_STEADY_MS_MAX = 10 * 60 * 1_000
#: A later read is for a fresh URL, and not part of a loop.
_CLOSE_MS = 60_000


def findings_over_calls(call: Call, answer: Reply | EventStream) -> list[Finding]:
    """The findings about *call* in view of earlier calls; the world remembers this one."""
    if call.polled is not None:
        return _poll(call)
    if isinstance(answer, EventStream):
        return []
    if answer.refusal is not None:
        return list(_repeated_refusal(call, answer.refusal))
    if not call.is_routed or answer.status >= 300:
        return []
    if call.rules.effect == "read" and call.faults and is_misread(call, answer):
        # The client has to ask again, and does not know what it was not shown.
        return list(_unknown_state(call, answer))
    idempotency = call.ctx.behaviour.idempotency
    if call.rules.effect == "read" and call.found:
        read = [*call.found.values()][-1]
        return _poll(call) if read.script is not None else list(_poll_from_above(call, read))
    if idempotency is not None and call.operation.id in idempotency.operations:
        return list(_paid_repetition(idempotency, call))
    return []


def _repeated_refusal(call: Call, refusal: Refusal) -> Iterator[Finding]:
    contract, request, reason = call.ctx.contract, call.request, refusal.reason
    if not reason_called(reason).is_lasting:
        return
    # The credential is part of the refused request; only its digest is kept.
    sent = [
        f"{name}: {value}"
        for name, value in sorted(request.headers.items())
        if is_secret_header(name, contract.behaviour)
    ]
    marks, name = call.ctx.rows.marks, f"refused {digest_of(request, contract.provider, *sent)}"
    before = marks.value(name)
    marks.note(name, call.ctx.request, reason)
    if before == (reason,):
        yield _advice(
            "SC205",
            "",
            "a changed request after a refusal",
            "the same request again",
            "change what was refused; repeat only after 429 and 5xx",
            source_of_refusal(contract, call.operation.id, refusal),
        )


def _poll(call: Call) -> list[Finding]:
    """Findings about a poll: too soon, after the end of its job, or in a loop without an end."""
    polled = call.polled
    if polled is None:
        polled = call.polled = _polled_job(call)
    now_ms, rows = call.ctx.at_ms, call.ctx.rows
    rows.payments.note_read(polled.job.id, now_ms)
    if polled.has_ended:
        note_end(call.ctx, polled.job)
    before: Any = rows.marks.value(polled.name) or (-_CLOSE_MS, 0, 0, now_ms, 0)
    pause_ms = now_ms - before[0]
    reads = before[1] + 1 if polled.has_ended else 0
    at_once = before[2] + 1 if pause_ms == 0 else 0
    polls = before[4] + 1
    rows.marks.note(polled.name, call.ctx.request, now_ms, reads, at_once, before[3], polls)
    waited_ms = now_ms - before[3]
    is_long = polls == _STEADY_POLLS_MAX and waited_ms >= _STEADY_MS_MAX
    # The last pause is compared with the mean: it is longer where pauses grow.
    if is_long and not polled.has_ended and pause_ms * polls < 2 * waited_ms:
        return [_without_backoff(call, polled.job, polls, waited_ms)]
    if polled.may_wait and pause_ms >= polled.at_least_ms and at_once != _FROZEN_POLLS_MAX:
        return []
    return list(_about_poll(call, polled, pause_ms, reads, at_once))


def _without_backoff(call: Call, job: Resource, polls: int, waited_ms: int) -> Finding:
    """The finding about a loop that polls a long job as often at its end as at its beginning."""
    contract = call.ctx.contract
    rules = contract.behaviour.cadence
    return _advice(
        "SC216",
        "",
        "longer pauses between polls of a job that takes long",
        f"{polls} polls of {job.id} in {waited_ms / 60_000:.0f} minutes, all as close as the first",
        "let the pause grow, such as by half with each poll, up to a minute",
        _source(contract, rules.source) if rules is not None else "",
    )


def _about_poll(
    call: Call, polled: PolledJob, pause_ms: int, reads: int, at_once: int
) -> Iterator[Finding]:
    contract, mode, job = call.ctx.contract, call.ctx.world.clock.mode, polled.job
    if polled.has_ended:
        if polled.at_least_ms >= 0 and reads > _READS_AFTER_END_MAX:
            yield _after_end(contract, call, job, reads)
        if reads == _READS_FOR_EVER:
            yield _for_ever(call, job, f"{reads} polls since its end as {call.ctx.state(job)!r}")
        return
    stuck_ms = _stuck_since_ms(job)
    if stuck_ms is not None:
        stuck_for_ms = call.ctx.at_ms - stuck_ms
        if stuck_for_ms - pause_ms <= _STUCK_MS_MAX < stuck_for_ms:
            hours = f"{stuck_for_ms / 3_600_000:.1f} hours"
            yield _for_ever(call, job, f"polls of a job that has not moved for {hours}")
    if at_once == _FROZEN_POLLS_MAX and mode.is_frozen:
        yield _frozen(call, job)
    # A manual clock that was not moved does not show when the client polled.
    is_known = mode is not Mode.AUTO and not (mode.is_frozen and pause_ms == 0)
    cadence = contract.behaviour.cadence
    if cadence is not None and is_known and pause_ms < polled.at_least_ms:
        yield _too_soon(_source(contract, cadence.source), cadence.at_least_ms, pause_ms)


def _unknown_state(call: Call, answer: Reply) -> Iterator[Finding]:
    """The finding about a client that asks on and on after a state that no document names."""
    job = [*call.found.values()][-1] if call.found else None
    state = call.ctx.state(job) if job is not None and job.script is not None else None
    shown = instead_of(state, call, answer) if state is not None else None
    if job is None or shown is None or shown in _rules_of(call, job).states:
        return
    marks, name = call.ctx.rows.marks, f"{_mark_of(call, job)} as {shown}"
    before: Any = marks.value(name) or (0,)
    reads = before[0] + 1
    marks.note(name, call.ctx.request, reads)
    if reads == _READS_FOR_EVER:
        yield _for_ever(call, job, f"{reads} polls that showed {shown!r}, an unknown state")


def _polled_job(call: Call) -> PolledJob:
    """What findings note of polls such as *call*, which read a job."""
    contract, job = call.ctx.contract, [*call.found.values()][-1]
    cadence, has_ended = contract.behaviour.cadence, call.ctx.kind(job).is_final
    is_poll = cadence is not None and call.operation.id in cadence.operations
    return PolledJob(
        name=_mark_of(call, job),
        job=job,
        has_ended=has_ended,
        may_wait=not has_ended and _stuck_since_ms(job) is None,
        at_least_ms=cadence.at_least_ms if cadence is not None and is_poll else -1,
    )


def _mark_of(call: Call, resource: Resource) -> str:
    """The name of the mark of reads such as *call* of *resource*."""
    ctx = call.ctx
    return f"poll {ctx.provider} {call.operation.id} {call.account_id} {resource.id}"


def _stuck_since_ms(job: Resource) -> int | None:
    """When a held *job* stopped to move; None for one that is not held."""
    if job.script is None or job.script.held_ms is None:
        return None
    return job.created_ms + job.script.held_ms


def _poll_from_above(call: Call, above: Resource) -> Iterator[Finding]:
    """Findings about a client that polls the parent of its jobs after all of them have ended."""
    contract, now_ms = call.ctx.contract, call.ctx.at_ms
    rows = call.ctx.rows
    rows.payments.note_read(above.id, now_ms)
    kinds = [
        name
        for name, it in contract.behaviour.resources.items()
        if it.parent == above.kind and it.lifecycle is not None and it.lifecycle.simulated
    ]
    if not kinds:
        return
    name = _mark_of(call, above)
    before: Any = rows.marks.value(name)
    is_close = before is not None and now_ms - before[0] < _CLOSE_MS
    newest = [call.ctx.newest(kind, above.id) for kind in kinds] if is_close else []
    jobs = [job for job in newest if job is not None and job.script is not None]
    has_ended = bool(jobs) and all(call.ctx.kind(job).is_final for job in jobs)
    reads = (before[1] if before is not None else 0) + 1 if has_ended else 0
    rows.marks.note(name, call.ctx.request, now_ms, reads)
    if reads <= _READS_FROM_ABOVE_MAX:
        return
    job = max(jobs, key=call.ctx.entered_ms)
    yield _after_end(contract, call, job, reads)
    if reads == _READS_FOR_EVER:
        yield _for_ever(call, job, f"{reads} polls since the end of its jobs")


def _for_ever(call: Call, job: Resource, actual: str) -> Finding:
    """The finding about a loop that no answer can end."""
    lifecycle = _rules_of(call, job)
    ends = " and ".join(repr(it.name) for it in lifecycle.states.values() if it.kind.is_final)
    return Finding(
        "SC214",
        "",
        "a loop that ends, whatever the answers are",
        actual,
        f"end the loop at {ends}, at every state that the client does not know, and at a deadline",
        _source(call.ctx.contract, lifecycle.source),
    )


def _rules_of(call: Call, job: Resource) -> Lifecycle:
    lifecycle = call.ctx.behaviour.resources[job.kind].lifecycle
    assert lifecycle is not None, job.kind
    return lifecycle


def _frozen(call: Call, job: Resource) -> Finding:
    """The finding about a test that forgot to move the clock."""
    return _advice(
        "SC504",
        "",
        "a clock that moves while a client waits",
        f"{_FROZEN_POLLS_MAX} polls of {job.id} at one instant of world {call.ctx.world.id}",
        'use clock "auto", in which polls move the time, or advance the clock from the test',
        "",
    )


def _after_end(contract: Contract, call: Call, job: Resource, reads: int) -> Finding:
    """The finding about polls after the end; its fix names the states in which this *job* ends."""
    resources = contract.behaviour.resources
    mine = resources[job.kind]
    assert mine.lifecycle is not None, job.kind
    ends = _end_words(mine.lifecycle)
    others = {
        f"{it.called} in {_end_words(it.lifecycle)[0]!r}"
        for it in resources.values()
        if it.parent
        and it.lifecycle is not None
        and it.lifecycle.simulated
        and _end_words(it.lifecycle)[0] != ends[0]
    }
    known = f" ({', '.join(sorted(others))})" if others else ""
    loop = " and at ".join(repr(word) for word in ends)
    return _advice(
        "SC202",
        "",
        "no more polls once a job has ended",
        f"{reads} since it ended as {call.ctx.state(job)!r}",
        f"end the loop at {loop}: {mine.called} ends in {ends[0]!r}{known}",
        _source(contract, mine.lifecycle.source),
    )


def _end_words(lifecycle: Lifecycle) -> list[str]:
    """The names of the states for success and failure."""
    kinds = (Kind.SUCCEEDED, Kind.FAILED)
    return [it.name for kind in kinds for it in lifecycle.states.values() if it.kind is kind]


@lru_cache(maxsize=256)
def _too_soon(source: str, at_least_ms: int, pause_ms: int) -> Finding:
    """The finding about a poll that comes too soon, cached: it is made thousands of times."""
    rule = f"{_seconds(at_least_ms)} between polls"
    return _advice("SC201", "", rule, _seconds(pause_ms), f"wait {rule}", source)


def _paid_repetition(rules: Idempotency, call: Call) -> Iterator[Finding]:
    contract, now_ms = call.ctx.contract, call.ctx.now_ms
    if call.cost is None or not call.cost.amount or rules.header in call.request.headers:
        return
    marks = call.ctx.rows.marks
    name = f"paid {digest_of(call.request, contract.provider, call.account_id)}"
    before: Any = marks.value(name)
    marks.note(name, call.ctx.request, now_ms)
    if before is not None and now_ms - before[0] < rules.keeps_ms:
        header = header_name(rules.header)
        yield _advice(
            "SC207",
            f"/{header}",
            f"{header} on a paid call that may be repeated",
            f"the same call again after {_seconds(now_ms - before[0])}, without one",
            f"send one {header} per video that is wanted",
            _source(contract, rules.source),
        )


def _advice(code: str, pointer: str, expected: str, actual: str, fix: str, source: str) -> Finding:
    return Finding(code, pointer, expected, actual, fix, source, severity="warning")


def _source(contract: Contract, clauses: str) -> str:
    return f"{contract.behaviour.document_url} {clauses}".strip()


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1_000:g} s"

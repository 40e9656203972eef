"""Findings over several calls of a client. They never refuse anything.

Polls that come too fast or go on after the end, refused requests that are repeated unchanged, and
paid calls that are repeated without the key that would make them one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import lru_cache
from hashlib import sha256

from screentest.specs.behaviour.behaviour import Kind, Lifecycle
from screentest.specs.behaviour.call_limits import Cadence, Idempotency
from screentest.specs.behaviour.reasons import reason_called
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name, is_secret_header

from ..engine.provider import Call, EventStream, Refusal, Reply, Request, Upload
from ..kernel.clock import Mode
from ..kernel.finding import Finding
from ..kernel.rows import Resource
from .citations import source_of_refusal

#: Further reads of a finished job may show it, or fetch a fresh URL.
_READS_AFTER_END_MAX = 2
#: The parent of a job is read for many reasons, so it takes more reads to show a loop.
_READS_FROM_ABOVE_MAX = 4
#: A later read is for a fresh URL, and not part of a loop.
_CLOSE_MS = 60_000


def findings_over_calls(call: Call, answer: Reply | EventStream) -> list[Finding]:
    """The findings about *call* in view of earlier calls; the world remembers this one."""
    if call.habit is not None:
        assert call.ctx.behaviour.cadence is not None
        return _poll(call.ctx.behaviour.cadence, call)
    if isinstance(answer, EventStream):
        return []
    if answer.refusal is not None:
        return list(_repeated_refusal(call, answer.refusal))
    if not call.is_routed or answer.status >= 300:
        return []
    rules = call.ctx.behaviour
    cadence, idempotency = rules.cadence, rules.idempotency
    if cadence is not None and call.operation.id in cadence.operations:
        return _poll(cadence, call)
    if call.rules.effect == "read" and call.found:
        return list(_poll_from_above(call))
    if idempotency is not None and call.operation.id in idempotency.operations:
        return list(_paid_repetition(idempotency, call))
    return []


def _repeated_refusal(call: Call, refusal: Refusal) -> Iterator[Finding]:
    contract, request, reason = call.ctx.contract, call.request, refusal.reason
    if not reason_called(reason).is_lasting:
        return
    # The credential is part of the refused request; only its digest is kept.
    sent = "\n".join(
        f"{name}: {value}"
        for name, value in sorted(request.headers.items())
        if is_secret_header(name, contract.behaviour)
    )
    name = ("refused", contract.provider, sha256(sent.encode()).digest(), *_content(request))
    if call.ctx.world.marks.swap(name, reason) == reason:
        yield _advice(
            "SC205",
            "",
            "another request after a refusal",
            "the same one again",
            "change what was refused; repeat only after 429 and 5xx",
            source_of_refusal(contract, call.operation.id, refusal),
        )


def _poll(cadence: Cadence, call: Call) -> list[Finding]:
    """Findings about a poll that comes too soon, or after the end of its job."""
    habit = call.habit
    if habit is None:
        habit = call.habit = _habit(call)
    name, job = habit
    now_ms, marks = call.ctx.at_ms, call.ctx.world.marks
    before: tuple[int, int] | None = marks.get(name)
    reads = (before[1] if before is not None else 0) + 1 if job is not None else 0
    marks.swap(name, (now_ms, reads))
    if job is not None:
        too_many = reads > _READS_AFTER_END_MAX
        return [_after_end(call.ctx.contract, call, job, reads)] if too_many else []
    if before is None or now_ms - before[0] >= cadence.at_least_ms:
        return []
    contract, mode, pause_ms = call.ctx.contract, call.ctx.world.clock.mode, now_ms - before[0]
    # A manual clock that was not moved does not show when the client polled.
    if mode is Mode.AUTO or (mode is Mode.MANUAL and pause_ms == 0):
        return []
    return [_too_soon(_source(contract, cadence.source), cadence.at_least_ms, pause_ms)]


def _habit(call: Call) -> tuple[Hashable, Resource | None]:
    """The name under which polls such as *call* are noted, and their job if it has ended."""
    job = [*call.found.values()][-1] if call.found else None
    has_ended = job is not None and job.script is not None and call.ctx.kind(job).is_final
    provider = call.ctx.contract.provider
    name = ("poll", provider, call.operation.id, call.account_id, call.request.path)
    return name, job if has_ended else None


def _poll_from_above(call: Call) -> Iterator[Finding]:
    """A finding about a client that polls the parent of its jobs after all of them have ended."""
    contract, now_ms = call.ctx.contract, call.ctx.at_ms
    above = [*call.found.values()][-1]
    kinds = [
        name
        for name, it in contract.behaviour.resources.items()
        if it.parent == above.kind and it.lifecycle is not None and it.lifecycle.simulated
    ]
    if not kinds:
        return
    name = ("poll", contract.provider, call.operation.id, call.account_id, call.request.path)
    before: tuple[int, int] | None = call.ctx.world.marks.get(name)
    is_close = before is not None and now_ms - before[0] < _CLOSE_MS
    newest = [call.ctx.newest(kind, above.id) for kind in kinds] if is_close else []
    jobs = [job for job in newest if job is not None and job.script is not None]
    has_ended = bool(jobs) and all(call.ctx.kind(job).is_final for job in jobs)
    reads = (before[1] if before is not None else 0) + 1 if has_ended else 0
    call.ctx.world.marks.swap(name, (now_ms, reads))
    if reads > _READS_FROM_ABOVE_MAX:
        yield _after_end(contract, call, max(jobs, key=call.ctx.entered_ms), reads)


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
        f"{reads} since its end as {call.ctx.state(job)!r}",
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
    name = ("paid", contract.provider, call.account_id, *_content(call.request))
    before: int | None = call.ctx.world.marks.swap(name, now_ms)
    if before is not None and now_ms - before < rules.keeps_ms:
        header = header_name(rules.header)
        yield _advice(
            "SC207",
            f"/{header}",
            f"{header} on a paid call that may be repeated",
            f"the same call again after {_seconds(now_ms - before)}, without one",
            f"send one {header} per video that is wanted",
            _source(contract, rules.source),
        )


def _content(request: Request) -> tuple[Hashable, ...]:
    """What makes two requests the same, without their credential."""
    body = sha256(request.body)
    for name, value in (request.form or {}).items():
        body.update(f"{name}={value.sha256 if isinstance(value, Upload) else value}\n".encode())
    return request.method, request.path, request.query, request.content_type, body.digest()


def _advice(code: str, pointer: str, expected: str, actual: str, fix: str, source: str) -> Finding:
    return Finding(code, pointer, expected, actual, fix, source, severity="warning")


def _source(contract: Contract, clauses: str) -> str:
    return f"{contract.behaviour.document_url} {clauses}".strip()


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1_000:g} s"

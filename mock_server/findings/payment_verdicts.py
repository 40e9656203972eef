"""What the client of a world has paid for in vain: judged over its jobs as they are now.

A client uses a job when an answer, a webhook or a stream has shown it the end of the job.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from msgspec import Struct

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.contracts.contract import Contract

from ..engine.instant import Instant
from ..engine.outbox import deliveries
from ..engine.world import World
from ..engine.worlds import Worlds
from ..kernel.finding import Finding
from ..kernel.rows import Payment, Reads, Resource
from ..kernel.webhooks import Fate
from .payments import paid_twice, price, source_of_payment, thing

#: A client that is silent for longer than so many of its own pauses does not come back.
_SILENT_PAUSES = 3
#: The least pause that is assumed of a client.
_PAUSE_MS_MIN = 5_000
#: A client that asked so often waited for the end; one that asked less wanted to see a state.
_WAITED_READS = 5
#: A client that waited so long for a job that is stuck was right to give up.
_PATIENT_MS = 10 * 60 * 1_000
_FOREVER_MS = 2**62


class PaymentFinding(Struct, frozen=True):
    """A *finding* about what *payment* paid for, true since *at_ms*.

    *twin* is the number of the other call where two asked for the same.
    """

    finding: Finding
    at_ms: int
    payment: Payment
    twin: int | None = None


class _Paid(Struct, frozen=True):
    """A *payment* and its *job* as it is now; one that is held ends at `_FOREVER_MS`.

    A client that *is_silent* has not asked for the job for long, or not since its end.
    """

    ctx: Instant
    payment: Payment
    job: Resource
    reads: Reads
    ends_ms: int
    is_used: bool
    is_silent: bool

    @property
    def has_ended(self) -> bool:
        return self.ends_ms <= self.ctx.at_ms


def payment_findings(
    worlds: Worlds, world: World, *, is_final: bool = False
) -> Iterator[PaymentFinding]:
    """The findings about the paid jobs of *world*.

    *is_final* judges as if the client had ended, so that it asks for nothing any more. To be called
    inside a transaction.
    """
    by_content: dict[str, list[_Paid]] = {}
    for it in _all_paid(worlds, world):
        by_content.setdefault(it.payment.content, []).append(it)
    for same in by_content.values():
        for before, it, after in zip([None, *same], same, [*same[1:], None], strict=False):
            if it.is_used or it.payment.is_repeated:
                continue
            twin = next((twin for twin in (before, after) if _is_used_instead(twin, it)), None)
            if twin is not None and (is_final or it.is_silent):
                yield _of_pair(it, twin)
            elif not it.payment.is_lost:
                yield from _of_one(it, is_final=is_final)


def _all_paid(worlds: Worlds, world: World) -> list[_Paid]:
    """The payments of *world* whose jobs exist, and do not fail."""
    now_ms = worlds.clocks.settle(world)
    delivered = {it.job for it in deliveries(world.rows) if it.fate is Fate.DELIVERED}
    found: list[_Paid] = []
    for payment in world.rows.payments.all():
        ctx = worlds.clocks.instant(world, payment.provider, now_ms=now_ms)
        job = ctx.find(*payment.job) if payment.job is not None else None
        if job is None or job.script is None:
            continue
        if ctx.state_rules(job, job.script.steps[-1][1]).kind is not Kind.SUCCEEDED:
            continue
        length_ms, reads = job.script.ends_ms, world.rows.payments.reads(payment)
        ends_ms = job.created_ms + length_ms if length_ms is not None else _FOREVER_MS
        is_used = job.id in delivered or reads.last_ms >= ends_ms
        silent_ms = _silent_ms(ctx, payment, reads, ends_ms)
        found.append(_Paid(ctx, payment, job, reads, ends_ms, is_used, now_ms > silent_ms))
    return found


def _silent_ms(ctx: Instant, payment: Payment, reads: Reads, ends_ms: int) -> int:
    """The instant from which a client that does not ask again is silent."""
    cadence = ctx.behaviour.cadence
    documented_ms = cadence.at_least_ms if cadence is not None else 0
    pause_ms = max(reads.longest_ms, documented_ms, _PAUSE_MS_MIN)
    since_ms = reads.last_ms if reads.times else min(ends_ms, ctx.at_ms)
    return max(payment.at_ms, since_ms) + _SILENT_PAUSES * pause_ms


def _is_used_instead(other: _Paid | None, unused: _Paid) -> TypeGuard[_Paid]:
    """Whether *other*, which asks for the same, is used and was paid while both lived."""
    if other is None or not other.is_used:
        return False
    first, second = _in_order(other, unused)
    return first.ends_ms > second.payment.at_ms


def _in_order(one: _Paid, other: _Paid) -> tuple[_Paid, _Paid]:
    return (one, other) if one.payment.seq < other.payment.seq else (other, one)


def _of_pair(unused: _Paid, twin: _Paid) -> PaymentFinding:
    """The finding about two calls for the same, of which one result is used."""
    contract, payment = unused.ctx.contract, unused.payment
    first, second = (it.payment for it in _in_order(unused, twin))
    if first is payment and first.is_late:
        finding = paid_twice(contract, first, second.at_ms, "whose answer came late")
    else:
        finding = _advice(
            "SC211",
            contract,
            payment,
            f"one paid call for each {thing(contract, first)} that is wanted",
            f"req_{first.seq} and req_{second.seq} ask for the same, and only {twin.job.id} "
            f"is used: {price(payment)}paid for {unused.job.id}",
            "let a second click or a second worker find the first job; "
            "two takes need different prompts or seeds, and both results are used",
        )
    return PaymentFinding(finding, second.at_ms, payment, twin.payment.seq)


def _of_one(paid: _Paid, *, is_final: bool) -> Iterator[PaymentFinding]:
    """The finding about a job whose end the client has not seen, if it will not see it."""
    reads, payment = paid.reads, paid.payment
    contract, called = paid.ctx.contract, thing(paid.ctx.contract, payment)
    wanted = f"the end of the {called} for which req_{payment.seq} paid {price(payment)}".rstrip()
    if reads.times:
        has_waited = reads.times >= _WAITED_READS or paid.has_ended
        is_stuck = paid.ends_ms == _FOREVER_MS
        if is_stuck and reads.last_ms - payment.at_ms >= _PATIENT_MS:
            return
        if paid.is_silent or (is_final and has_waited):
            fix = (
                "wait longer than the provider takes at most; store the id, and ask for the job "
                "again after a restart; when the program gives up, say so and keep the id"
            )
            finding = _advice("SC213", contract, payment, wanted.rstrip(), _left(paid), fix)
            yield PaymentFinding(finding, reads.last_ms, payment)
    elif paid.has_ended and (is_final or paid.is_silent):
        actual = "no answer that showed it, and no webhook that was delivered"
        if payment.is_stream:
            actual = "a stream that ended before its last event, and no answer that showed it"
        fix = "store the id of each paid job, and ask for it until it has ended"
        finding = _advice("SC212", contract, payment, wanted.rstrip(), actual, fix)
        yield PaymentFinding(finding, paid.ends_ms, payment)


def _left(paid: _Paid) -> str:
    """When the client of a job stopped asking about it."""
    times = f"asked {paid.reads.times} time{'' if paid.reads.times == 1 else 's'}"
    if paid.has_ended:
        return f"{times}, the last time {_seconds(paid.ends_ms - paid.reads.last_ms)} before it"
    state = paid.ctx.state(paid.job)
    return f"{times}, the last time {_seconds(paid.ctx.at_ms - paid.reads.last_ms)} ago: {state}"


def _advice(
    code: str, contract: Contract, payment: Payment, expected: str, actual: str, fix: str
) -> Finding:
    source = source_of_payment(contract, payment)
    return Finding(code, "", expected, actual, fix, source, severity="warning")


def _seconds(length_ms: int) -> str:
    return f"{length_ms / 1_000:g} s"

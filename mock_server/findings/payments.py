"""Notes of paid calls as they come in, and the finding about one that pays for a lost answer again.

Whether a client uses what it has paid for shows later: see `payment_verdicts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name

from ..engine.provider import Call, EventStream, Reply
from ..kernel.finding import Finding
from ..kernel.rows import Payment
from .citations import source_of_operation
from .equal_calls import digest_of
from .lost_answers import DELAYS, is_lost, is_misread


def note_call(call: Call, answer: Reply | EventStream) -> Sequence[Finding]:
    """Remember what *call* paid for or listed; the finding if it pays for a lost answer again.

    To be called once the faults of the call are known.
    """
    if call.rules.effect == "read":
        if not call.found and answer.status < 300:
            _note_list(call, answer)
        return ()
    if not _was_carried_out(call, answer):
        return ()
    if call.cost is not None:
        return _pay(call, answer) if call.cost.amount else ()
    if call.started is not None:
        return _pay(call, answer)
    if call.rules.price is not None and not (call.faults and is_lost(call)):
        # The stored answer to the same idempotency key: now the client has it.
        payments = call.ctx.rows.payments
        before = payments.newest(content_of(call))
        if before is not None:
            payments.put(replace(before, is_lost=False))
    return ()


def _note_list(call: Call, answer: Reply | EventStream) -> None:
    """Note that *call* has shown a client all its jobs, if it is a list of them."""
    ctx, payments = call.ctx, call.ctx.rows.payments
    is_shown = not (call.faults and is_misread(call, answer))
    if is_shown and payments.has_any and call.operation.id in collections(ctx.contract):
        payments.note_list_read(ctx.provider, call.account_id, ctx.at_ms)


def _pay(call: Call, answer: Reply | EventStream) -> Sequence[Finding]:
    ctx, job, faults = call.ctx, call.started, call.faults
    payments, content = ctx.rows.payments, content_of(call)
    before = payments.newest(content)
    payment = Payment(
        ctx.request,
        ctx.at_ms,
        ctx.provider,
        call.operation.id,
        call.account_id,
        content,
        call.cost.amount if call.cost is not None else None,
        job=(job.kind, job.id) if job is not None else None,
        parent=job.parent if job is not None else None,
        is_lost=bool(faults) and is_lost(call),
        is_late=any(it.type in DELAYS for it in faults),
        is_stream=job is not None and isinstance(answer, EventStream),
    )
    payments.add(payment)
    if before is None or not before.is_lost or payments.reads(before).times:
        return ()
    if before.job is not None:
        lost = ctx.find(*before.job)
        if lost is None or ctx.kind(lost) is Kind.FAILED:
            return ()
    payments.put(replace(before, is_repeated=True))
    return [paid_twice(ctx.contract, before, ctx.at_ms, "whose answer was lost")]


def content_of(call: Call) -> str:
    """A text that is equal for two calls of one account that ask for the same."""
    return digest_of(call.request, call.ctx.provider, call.account_id)


def _was_carried_out(call: Call, answer: Reply | EventStream) -> bool:
    """Whether the operation did its work, although a fault may have replaced its answer."""
    if answer.status < 300:
        return call.is_routed
    return any(it.phase == "after_commit" for it in call.faults)


@lru_cache(maxsize=64)
def collections(contract: Contract) -> frozenset[str]:
    """The operations that list resources which another operation reads one at a time."""
    reads = [it for it in contract.operations.values() if it.method == "GET"]
    return frozenset(
        it.id for it in reads if any(other.path.startswith(f"{it.path}/{{") for other in reads)
    )


# What findings about payments have in common


def paid_twice(contract: Contract, first: Payment, now_ms: int, what: str) -> Finding:
    """The finding about a call that pays again for *first*; *what* says how that was answered."""
    pause = f"{(now_ms - first.at_ms) / 1_000:g} s"
    return Finding(
        "SC210",
        "",
        f"one paid call for each {thing(contract, first)} that is wanted",
        f"the same call again {pause} after req_{first.seq}, {what}: {price(first)}paid twice",
        _instead_of_repeating(contract, first),
        source_of_payment(contract, first),
    )


def _instead_of_repeating(contract: Contract, first: Payment) -> str:
    rules = contract.behaviour.idempotency
    if rules is not None and first.operation in rules.operations:
        header = header_name(rules.header)
        return f"send one {header} for each result that is wanted, and the same one in each retry"
    lists = [contract.operations[it].path for it in collections(contract)]
    mine = contract.operations[first.operation].path
    near = [it for it in lists if mine.startswith(it) or it.startswith(mine.rsplit("/", 1)[0])]
    if near:
        return (
            f"before a retry, look in GET {near[0]} for what the lost answer was about; "
            "repeat the call only if it is not there"
        )
    return "do not repeat a paid call without an answer by itself: report that it may be running"


def thing(contract: Contract, payment: Payment) -> str:
    """What *payment* was for, such as `video`."""
    if payment.job is None:
        return "answer"
    return contract.behaviour.resources[payment.job[0]].called.lower()


def price(payment: Payment) -> str:
    """What *payment* cost, such as `1 credit `; empty where the provider names no price."""
    if payment.cost is None:
        return ""
    return f"{payment.cost} credit{'' if payment.cost == 1 else 's'} "


def source_of_payment(contract: Contract, payment: Payment) -> str:
    """The document and the clauses behind the price of *payment*."""
    rules = contract.behaviour.operations[payment.operation]
    if rules.price is not None and rules.price.source:
        return f"{contract.behaviour.document_url} {rules.price.source}"
    return source_of_operation(contract, payment.operation)

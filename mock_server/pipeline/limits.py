"""Sliding rate windows, and caps on the number of calls and jobs in flight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from screentest.specs.behaviour.call_limits import Concurrency, RateWindow
from screentest.specs.behaviour.prices import Moment
from screentest.specs.behaviour.reasons import category_of
from screentest.specs.json_types import Json

from ..engine.provider import Call, Refusal
from .prices import price_of

#: Categories of refusal that still take room in windows that also count refused calls.
_CONTENT = frozenset({"validation", "content"})
_PERIODS = {60_000: "a minute", 3_600_000: "an hour", 86_400_000: "a day"}


def wait_s(window: RateWindow, hits_ms: Sequence[int], now_ms: int) -> int:
    """Whole seconds until one more call fits into *window*; 0 if it fits now.

    *hits_ms* are the times of accepted calls within the window, oldest first. Waiting that long is
    enough; one second less is not.
    """
    if len(hits_ms) < window.limit:
        return 0
    # The oldest call that must leave the window; more than *limit* count if refusals do.
    frees_ms = hits_ms[len(hits_ms) - window.limit] + window.per_ms
    return max(1, -(-(frees_ms - now_ms) // 1_000))


def respect_rate(call: Call) -> None:
    """Count *call* in every rate window it falls into, or in none.

    Raises:
        RefusedError: one of the windows is full.
    """
    ctx = call.ctx
    buckets = list(_buckets(call))
    # All windows are checked before any counts the call: a refused call takes no room.
    for window, bucket in buckets:
        hits_ms = ctx.rows.hits.since(bucket, ctx.now_ms - window.per_ms)
        wait = wait_s(window, hits_ms, ctx.now_ms)
        if wait:
            raise call.refuse("rate_limited", **window_facts(window), wait_s=wait)
    for window, bucket in buckets:
        _take_room(call, window, bucket)


def window_facts(window: RateWindow) -> dict[str, Json]:
    """The facts for the message about a full *window*."""
    period = _PERIODS.get(window.per_ms, f"in {window.per_ms // 1_000} seconds")
    return {"limit": window.limit, "action": window.name, "period": period}


def count_refused(call: Call, refusal: Refusal) -> None:
    """Count a call that was refused for its content, where the contract says so."""
    if category_of(refusal.reason) in _CONTENT:
        for window, bucket in _buckets(call):
            if window.counts_refused:
                _take_room(call, window, bucket)


def respect_cap(call: Call) -> None:
    """Check that the tier of the account has room for *call*.

    Raises:
        RefusedError: as many calls and jobs are in flight as the tier allows.
    """
    ctx, cap = call.ctx, call.ctx.behaviour.concurrency
    if cap is None:
        return
    is_paid_answer = cap.counts_paid_calls and _pays_for_answer(call) and price_of(call) > 0
    if not is_paid_answer and not _starts_counted_job(call):
        return
    account = call.account
    limit = cap.limits.get(account.tier, next(iter(cap.limits.values())))
    # Those that have ended by now no longer count, even where their last effect is still due.
    running = ctx.rows.resources.running(account.id, ctx.now_ms)
    if cap.scope == "key" and call.key is not None:
        running = [job for job in running if job.doc.get("caller") == call.key.id]
    if len(running) + _answers_in_flight(call, cap) >= limit:
        raise call.refuse("too_many_running", limit=limit, wait_s=cap.retry_after_s)


def note_in_flight(call: Call) -> None:
    """Count *call* as in flight, if it paid for its answer and the contract says how long."""
    ctx, cap = call.ctx, call.ctx.behaviour.concurrency
    if cap is not None and cap.answers_take_ms is not None and call.cost and call.cost.amount:
        forget_ms = ctx.now_ms - cap.answers_take_ms
        ctx.rows.hits.add(_in_flight(call), ctx.now_ms, forget_ms)


def payer_of(call: Call) -> str:
    """The id of the key that pays for the answer to *call*; "" if no key does."""
    if call.key is None or call.cost is None or not call.cost.amount:
        return ""
    return call.key.id if _pays_for_answer(call) else ""


def _pays_for_answer(call: Call) -> bool:
    """Whether *call* has a price that is taken with its answer."""
    price = call.rules.price
    return price is not None and price.moment is Moment.ANSWER


def _starts_counted_job(call: Call) -> bool:
    # In a list, `starts` names the kind that is listed.
    starts = call.rules.starts if call.rules.effect != "read" else None
    return starts is not None and call.ctx.behaviour.resources[starts].counts_as_running


def _answers_in_flight(call: Call, cap: Concurrency) -> int:
    """How many paid calls without a job are in flight with the same key."""
    if not cap.counts_paid_calls or call.key is None:
        return 0
    if cap.answers_take_ms is None:
        return sum(1 for payer in call.ctx.world.unanswered.values() if payer == call.key.id)
    ctx = call.ctx
    return len(ctx.rows.hits.since(_in_flight(call), ctx.now_ms - cap.answers_take_ms))


def _in_flight(call: Call) -> str:
    """The name of the counter of a key's paid calls."""
    return f"{call.ctx.provider}/in flight/{call.key.digest if call.key else ''}"


def _buckets(call: Call) -> Iterator[tuple[RateWindow, str]]:
    """The windows that *call* falls into, each with the name of its counter."""
    ctx = call.ctx
    for window in ctx.behaviour.rate_windows:
        if call.operation.id not in window.operations:
            continue
        if window.reading is not None and ctx.reading(window.reading[0]) != window.reading[1]:
            continue
        who = {"key": call.key.digest if call.key else "", "account": call.account_id}
        yield window, f"{ctx.provider}/{window.name}/{who.get(window.scope, call.request.peer)}"


def _take_room(call: Call, window: RateWindow, bucket: str) -> None:
    ctx = call.ctx
    ctx.rows.hits.add(bucket, ctx.now_ms, ctx.now_ms - window.per_ms)

"""How often and how much at once: sliding rate windows and caps on running jobs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from screentest.specs.behaviour import RateWindow

from ..engine.provider import Call, Refusal
from ..engine.refusals import CATEGORIES

#: Reasons of refusal for which a call still takes room in windows that count the refused too.
_CONTENT = frozenset({"validation", "content"})


def wait_s(window: RateWindow, hits_ms: Sequence[int], now_ms: int) -> int:
    """Whole seconds until one more call fits into *window*; 0 when it fits now.

    *hits_ms* are the accepted calls younger than the window, oldest first. Waiting exactly that
    long is enough, one second less is not.
    """
    if len(hits_ms) < window.limit:
        return 0
    frees_ms = hits_ms[len(hits_ms) - window.limit] + window.per_ms
    return max(1, -(-(frees_ms - now_ms) // 1_000))


def respect_rate(call: Call) -> None:
    """Take room for *call* in every window it falls into, or in none of them.

    Raises:
        RefusedError: one of them is full.
    """
    ctx = call.ctx
    buckets = list(_buckets(call))
    for window, bucket in buckets:
        hits_ms = ctx.rows.hits(ctx.world, bucket, ctx.now_ms - window.per_ms)
        wait = wait_s(window, hits_ms, ctx.now_ms)
        if wait:
            raise call.refuse("rate_limited", limit=window.limit, action=window.name, wait_s=wait)
    for window, bucket in buckets:
        _take_room(call, window, bucket)


def count_refused(call: Call, refusal: Refusal) -> None:
    """Take room for a call that was refused for its content, where the contract says so."""
    if CATEGORIES.get(refusal.reason) in _CONTENT:
        for window, bucket in _buckets(call):
            if window.counts_refused:
                _take_room(call, window, bucket)


def respect_cap(call: Call) -> None:
    """Let *call* start a job only while there is a place for one more.

    Raises:
        RefusedError: as many run as the tier allows.
    """
    ctx = call.ctx
    # A list names the kind that it lists where a creation names the kind that it starts.
    starts = call.rules.starts if call.rules.effect != "read" else None
    cap = ctx.behaviour.concurrency
    if cap is None or starts is None or not ctx.behaviour.resources[starts].counts_as_running:
        return
    account = call.account
    limit = cap.limits.get(account.tier, next(iter(cap.limits.values())))
    running = ctx.rows.running_jobs(ctx.world, account.id, ctx.now_ms)
    if cap.scope == "key" and call.key is not None:
        running = [job for job in running if job.doc.get("by_key") == call.key.id]
    if len(running) >= limit:
        raise call.refuse("too_many_running", limit=limit, wait_s=cap.retry_after_s)


def _buckets(call: Call) -> Iterator[tuple[RateWindow, str]]:
    """The windows that *call* falls into, each with the name under which its calls are counted."""
    ctx = call.ctx
    for window in ctx.behaviour.rate_windows:
        if call.operation.id not in window.operations:
            continue
        if window.reading is not None and ctx.choice(window.reading[0]) != window.reading[1]:
            continue
        who = {"key": call.key.digest if call.key else "", "account": call.account_id}
        yield window, f"{ctx.provider}/{window.name}/{who.get(window.scope, call.request.peer)}"


def _take_room(call: Call, window: RateWindow, bucket: str) -> None:
    ctx = call.ctx
    ctx.rows.add_hit(ctx.world, bucket, ctx.now_ms, ctx.number, ctx.now_ms - window.per_ms)

"""Accepting a job: its faults, its whole script, its money, and its first due step."""

from __future__ import annotations

from collections.abc import Mapping
from sys import intern

from msgspec import Struct

from screentest.specs.behaviour.lifecycles import Lifecycle
from screentest.specs.behaviour.prices import Moment
from screentest.specs.json_types import Json

from ..kernel.lifecycle import Script, delayed, draw_script, kept_waiting
from ..kernel.rows import Effect, Resource
from .instant import Instant, step_label


class Cost(Struct, frozen=True, gc=False):
    """What a job costs in credits, and when they are taken."""

    amount: int
    moment: Moment


class NewJob(Struct, frozen=True):
    """A job to accept.

    *doc* also holds the facts that stretch durations. *fails* is the reason of a failure that is
    already certain (empty for the lifecycle's usual reason); None means success. The job leaves its
    first state *waits_ms* later than drawn, ends *slower_ms* later, or *stalls* while it runs. The
    caller has checked that the account can pay *cost*.
    """

    kind: str
    account_id: str
    doc: Mapping[str, Json]
    operation: str = ""
    parent: str | None = None
    cost: Cost | None = None
    fails: str | None = None
    waits_ms: int = 0
    slower_ms: int = 0
    stalls: bool = False


class _Failure(Struct, frozen=True):
    """How a job fails. *reason* None: it does not. *at* is a fraction of its running time.

    A stream sends *events_before* events and then its error; None means as many as fit.
    """

    reason: str | None
    at: float = 1.0
    events_before: int | None = None


def accept_job(ctx: Instant, new: NewJob) -> Resource:
    """The accepted job, with its script drawn, its cost taken or held, and its first step due."""
    lifecycle = ctx.behaviour.resources[new.kind].lifecycle
    assert lifecycle is not None, new.kind
    failure = _failure(ctx, new, lifecycle)
    script = _script(ctx, new, lifecycle, failure)
    job = ctx.add(
        new.kind, new.account_id, _kept(ctx, new, failure), parent=new.parent, script=script
    )
    if new.cost is not None and new.cost.amount:
        _take(ctx, job, new.cost)
    # Step 0 is the state at acceptance, in which the job already is.
    schedule_step(ctx, job, 1)
    return job


def _failure(ctx: Instant, new: NewJob, lifecycle: Lifecycle) -> _Failure:
    """How the job fails: by an injected fault, else as its request says."""
    facts = {"operation": new.operation, "account": new.account_id}
    fault, events_before = ctx.apply_fault("job_failure", facts), None
    # Looked up even if the job fails anyway, because each fault counts the jobs that it meets.
    if new.operation in ctx.behaviour.streams:
        broken = ctx.apply_fault("stream_error", facts)
        if broken is not None:
            fault, events_before = broken, int(broken.attributes["after_events"])
    if fault is None:
        return _Failure(None if new.fails is None else new.fails or lifecycle.failure)
    reason = fault.attributes.get("reason") or lifecycle.failure
    return _Failure(reason, float(fault.attributes.get("at", 1.0)), events_before)


def _script(ctx: Instant, new: NewJob, lifecycle: Lifecycle, failure: _Failure) -> Script:
    # The counter makes every draw its own stream, so a new kind of draw does not shift this one.
    number = ctx.rows.count("script")
    script = draw_script(
        lifecycle,
        ctx.rng("script", number),
        new.doc,
        pace=ctx.world.settings.pace,
        fails=failure.reason,
        fails_at=failure.at,
    )
    # After the draw, so that a wait does not change what is drawn.
    if new.waits_ms:
        script = kept_waiting(script, new.waits_ms)
    facts = {"operation": new.operation, "account": new.account_id}
    stalls = ctx.apply_fault("job_stall", facts) is not None or new.stalls
    if new.slower_ms or stalls:
        script = delayed(script, new.slower_ms, stalls=stalls)
    return script


def _kept(ctx: Instant, new: NewJob, failure: _Failure) -> dict[str, Json]:
    """The fields of the job's row: the caller's, and those that the engine reads later."""
    # Effects run without a request, and still hand out URLs that must reach this server.
    kept = {**new.doc, "operation": new.operation, "base_url": intern(ctx.base_url)}
    streams = ctx.behaviour.streams
    if failure.at < 1.0:
        kept["fails_at"] = failure.at
    if failure.events_before is not None:
        kept["events_before_error"] = failure.events_before
    elif failure.reason is not None and failure.at == 1.0 and new.operation in streams:
        kept["fails_after"] = streams[new.operation].fails_after
    if new.cost is not None:
        kept["cost"] = new.cost.amount
    return kept


def _take(ctx: Instant, job: Resource, cost: Cost) -> None:
    if cost.moment is Moment.ACCEPTANCE:
        paid = ctx.ledger.charge(job.account, cost.amount, ctx.now_ms, job.id, ctx.number)
    elif holds_cost(ctx):
        paid = ctx.ledger.hold(job.account, cost.amount, ctx.now_ms, job.id, ctx.number)
    else:
        paid = True
    assert paid, "the credits gate has checked the balance"


def holds_cost(ctx: Instant) -> bool:
    """Whether the cost of a running job is held; if not, the balance is only checked at start."""
    known = ctx.behaviour.interpretations
    return "credit_hold" not in known or ctx.reading("credit_hold") == "reserve"


def schedule_step(ctx: Instant, job: Resource, step: int) -> None:
    """Make the *step*-th step of a job's script due. Does nothing without such a step."""
    assert job.script is not None
    if job.script.held_ms is not None or step >= len(job.script.steps):
        return
    offset_ms, state = job.script.steps[step]
    ctx.rows.effects.put(
        Effect(
            seq=ctx.rows.count("effect"),
            # Never in the past, which has already been settled.
            due_ms=max(job.created_ms + offset_ms, ctx.now_ms),
            kind="step",
            subject=f"{job.provider}/{job.kind}/{job.id}",
            step=step,
            label=f"job.{step_label(ctx.state_rules(job, state).kind)}",
        ),
    )

"""How a test changes a running job: its outcome, a hold, or an end at once."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.contracts.contract import Contract

from ..kernel.errors import MockError, unknown
from ..kernel.lifecycle import Script, end_differently, hasten, hold, release
from ..kernel.rows import Resource
from ..store.working_set import WorkingSet
from .instant import Instant
from .jobs import schedule_step


def job_called(rows: WorkingSet, contracts: Mapping[str, Contract], job_id: str) -> Resource:
    """The job called *job_id*, or the newest job below the resource of that id.

    Slashes in the id may be written as underscores.

    Raises:
        MockError: the world has no such job.
    """
    found = rows.resources.jobs_called(job_id)
    if not found:
        # Clients know the id of what a job makes, and not always the job's own.
        children = (
            rows.resources.newest_child(name, kind, job_id)
            for name, contract in contracts.items()
            for kind, rules in contract.behaviour.resources.items()
            if rules.lifecycle is not None and rules.lifecycle.simulated and rules.parent
        )
        found = [it for it in children if it is not None and it.script is not None]
    if not found:
        known = [it.id for it in rows.resources.jobs(before_seq=None, limit=20)]
        raise unknown("job", job_id, known)
    return found[0]


def set_outcome(ctx: Instant, job: Resource, end: Kind, reason: str) -> Resource:
    """Change how a running job ends. The time of its end stays the same.

    Raises:
        MockError: the job has ended.
    """
    _check_running(ctx, job)
    lifecycle = ctx.kind_rules(job).lifecycle
    assert lifecycle is not None
    assert job.script is not None
    # A failure without a reason would give an answer that the provider never sends.
    reason = reason or lifecycle.failure
    script = end_differently(job.script, lifecycle, end, reason, job.offset_ms(ctx.now_ms))
    return _reschedule(ctx, job, script, _first_after(script, job.offset_ms(ctx.now_ms)))


def set_held(ctx: Instant, job: Resource, *, held: bool) -> Resource:
    """Hold a running job in its current state, or release it.

    Raises:
        MockError: the job has ended.
    """
    _check_running(ctx, job)
    assert job.script is not None
    act = hold if held else release
    offset_ms = job.offset_ms(ctx.now_ms)
    script = act(job.script, offset_ms)
    return _reschedule(ctx, job, script, _first_after(script, offset_ms))


def finish_now(ctx: Instant, job: Resource) -> Resource:
    """End a running job now: it enters all its remaining states, held or not.

    Raises:
        MockError: the job has ended.
    """
    _check_running(ctx, job)
    assert job.script is not None
    offset_ms = job.offset_ms(ctx.now_ms)
    script = release(job.script, offset_ms)
    # Searched for in the script before it is hastened: afterwards no step is later than now.
    return _reschedule(ctx, job, hasten(script, offset_ms), _first_after(script, offset_ms))


def _check_running(ctx: Instant, job: Resource) -> None:
    if ctx.kind(job).is_final:
        raise MockError(
            f"job {job.id} is {ctx.state(job)}, and a finished job does not change",
            code="job_finished",
            status=409,
        )


def _first_after(script: Script, offset_ms: int) -> int | None:
    """The number of the first step that is still to come."""
    return next((i for i, (at, _) in enumerate(script.steps) if at > offset_ms), None)


def _reschedule(ctx: Instant, job: Resource, script: Script, step: int | None) -> Resource:
    job = ctx.save(job, script=script)
    # Removed even if no step follows: a held job must not move.
    ctx.rows.effects.remove(f"{job.provider}/{job.kind}/{job.id}")
    if step is not None:
        schedule_step(ctx, job, step)
    return job

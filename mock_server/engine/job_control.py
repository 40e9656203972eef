"""What somebody decides about a running job: its end, a halt, or that it ends at once."""

from __future__ import annotations

from screentest.specs.behaviour import Kind

from ..kernel.errors import MockError
from ..kernel.lifecycle import end_differently, hasten, hold, release
from ..kernel.rows import Resource
from .instant import Instant


def set_outcome(ctx: Instant, job: Resource, end: Kind, reason: str) -> None:
    """Choose how a running job ends, at the instant it would have ended anyway.

    Raises:
        MockError: it has ended already.
    """
    _check_running(ctx, job)
    lifecycle = ctx.kind_rules(job).lifecycle
    assert lifecycle is not None
    assert job.script is not None
    reason = reason or lifecycle.failure
    job.script = end_differently(job.script, lifecycle, end, reason, job.offset_ms(ctx.now_ms))
    _reschedule(ctx, job, _first_after(ctx, job))


def set_held(ctx: Instant, job: Resource, *, held: bool) -> None:
    """Hold a running job where it is, or let it go on.

    Raises:
        MockError: it has ended already.
    """
    _check_running(ctx, job)
    assert job.script is not None
    act = hold if held else release
    job.script = act(job.script, job.offset_ms(ctx.now_ms))
    _reschedule(ctx, job, _first_after(ctx, job))


def finish_now(ctx: Instant, job: Resource) -> None:
    """Let a running job enter all its remaining states at this instant; held or not.

    Raises:
        MockError: it has ended already.
    """
    _check_running(ctx, job)
    assert job.script is not None
    offset_ms = job.offset_ms(ctx.now_ms)
    job.script = release(job.script, offset_ms)
    step = _first_after(ctx, job)
    job.script = hasten(job.script, offset_ms)
    _reschedule(ctx, job, step)


def _check_running(ctx: Instant, job: Resource) -> None:
    if ctx.kind(job).is_final:
        raise MockError(
            f"job {job.id} is {ctx.state(job)}, and a finished job does not change",
            code="job_finished",
            status=409,
        )


def _first_after(ctx: Instant, job: Resource) -> int | None:
    """The number of the first step that lies ahead."""
    assert job.script is not None
    offset_ms = job.offset_ms(ctx.now_ms)
    return next((i for i, (at, _) in enumerate(job.script.steps) if at > offset_ms), None)


def _reschedule(ctx: Instant, job: Resource, step: int | None) -> None:
    ctx.save(job)
    ctx.rows.cancel_effects(ctx.world, f"{job.provider}/{job.kind}/{job.id}")
    if step is not None:
        ctx.schedule_step(job, step)

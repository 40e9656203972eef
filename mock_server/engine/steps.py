"""A due step of a job: its event, its money, the provider's reaction, its webhooks."""

from __future__ import annotations

from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.prices import Moment

from ..kernel.lifecycle import cut_short
from ..kernel.rows import Effect, Resource
from . import outbox
from .facts import Facts, resource_facts
from .instant import Instant, step_label
from .jobs import holds_cost, schedule_step
from .provider import Provider


def take_step(provider: Provider, ctx: Instant, kind: str, id_: str, effect: Effect) -> None:
    """Let the job *id_* enter the state that *effect* names. *ctx* is the instant it was due."""
    job = ctx.find(kind, id_)
    if job is None or job.script is None:
        return
    state = job.script.steps[effect.step][1]
    ctx.record(effect.label, id_, provider=ctx.provider, kind=kind, state=state)
    schedule_step(ctx, job, effect.step + 1)
    if not ctx.state_rules(job, state).kind.is_final and ctx.behaviour.webhooks is None:
        return
    # URLs in an event begin with the address at which the client created the job.
    enter(provider, replace(ctx, base_url=job.doc.get("base_url", "")), job, state)


def enter(provider: Provider, ctx: Instant, job: Resource, state: str) -> None:
    """What follows from a job's entering *state*: money, the provider's reaction, webhooks."""
    entered = ctx.state_rules(job, state)
    if entered.kind.is_final:
        # Before the reaction, which sees the balance after the end of the job.
        _settle_cost(ctx, job, entered.kind)
        reaction = provider.reactions.get((job.kind, entered.kind))
        if reaction is not None:
            reaction(ctx, job)
            # It may have replaced the job's row, or removed it.
            job = ctx.find(job.kind, job.id) or job
    supply = provider.event_facts.get(job.kind)

    # A function, because the facts are only needed if an endpoint subscribes to the event.
    def job_facts() -> Facts:
        facts = resource_facts(ctx, job)
        facts.update(supply(ctx, job) if supply is not None else {})
        return facts

    outbox.announce(ctx, job, entered, job_facts)


def cancel(provider: Provider, ctx: Instant, job: Resource) -> Resource:
    """*job*, ended now in the closed state of its lifecycle; one that has ended stays as it is."""
    if job.script is None or ctx.kind(job).is_final:
        return job
    lifecycle = ctx.kind_rules(job).lifecycle
    assert lifecycle is not None, job.kind
    closed = lifecycle.end(Kind.CLOSED)
    job = ctx.save(job, script=cut_short(job.script, job.offset_ms(ctx.now_ms), closed.name))
    ctx.rows.effects.remove(f"{job.provider}/{job.kind}/{job.id}")
    label = f"job.{step_label(closed.kind)}"
    ctx.record(label, job.id, provider=ctx.provider, kind=job.kind, state=closed.name)
    enter(provider, ctx, job, closed.name)
    return job


def _settle_cost(ctx: Instant, job: Resource, end: Kind) -> None:
    cost = job.doc.get("cost", 0)
    if not cost:
        return
    rules = ctx.behaviour.operations.get(job.doc.get("operation", ""))
    price = rules.price if rules is not None else None
    if price is None or price.moment is not Moment.COMPLETION or holds_cost(ctx):
        ctx.ledger.settle(job.account, job.id, ctx.now_ms, succeeded=end is Kind.SUCCEEDED)
    elif end is Kind.SUCCEEDED:
        # Nothing was held, so the account may have less by now. It never falls below 0.
        ctx.ledger.charge_what_is_there(job.account, cost, ctx.now_ms, job.id)

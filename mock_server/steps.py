"""What happens when a step of a job falls due: the event, the money, what follows, the webhook."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from screentest.specs.behaviour import Kind, Moment

from . import outbox
from .generic import view_facts
from .instant import Instant
from .provider import Provider
from .rows import Effect, Resource

Json = Any


def take_step(provider: Provider, here: Instant, kind: str, id_: str, effect: Effect) -> None:
    """Let the job *id_* enter the state that *effect* names; *here* is the instant it was due."""
    job = here.find(kind, id_)
    if job is None or job.script is None:
        return
    state = job.script.steps[effect.step][1]
    here.record(effect.label, id_, provider=here.provider, kind=kind, state=state)
    here.schedule_step(job, effect.step + 1)
    end = here.state_rules(job, state).kind
    if end.is_final:
        _end(provider, replace(here, base_url=job.doc.get("base_url", "")), job, end)


def _end(provider: Provider, here: Instant, job: Resource, end: Kind) -> None:
    _settle_cost(here, job, end)
    reaction = provider.reactions.get((job.kind, end))
    if reaction is not None:
        reaction(here, job)
    supply = provider.event_facts.get(job.kind)
    more = partial(supply, here, job) if supply is not None else dict[str, Json]
    outbox.announce(here, job, end, lambda: {**view_facts(here, job), **more()})


def _settle_cost(here: Instant, job: Resource, end: Kind) -> None:
    cost = job.doc.get("cost", 0)
    if not cost:
        return
    rules = here.behaviour.operations.get(job.doc.get("operation", ""))
    price = rules.price if rules is not None else None
    if price is None or price.moment is not Moment.COMPLETION or here.reserves:
        here.ledger.settle(job.account, job.id, here.now_ms, succeeded=end is Kind.SUCCEEDED)
    elif end is Kind.SUCCEEDED:
        here.ledger.charge_what_is_there(job.account, cost, here.now_ms, job.id)

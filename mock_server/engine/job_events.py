"""The events that a streaming job sends, with what its provider's module makes of them."""

from __future__ import annotations

from screentest.specs.json_types import Json

from ..kernel.rows import Resource
from .instant import Instant
from .provider import Provider
from .streams import stream_events


def job_events(provider: Provider, ctx: Instant, job: Resource) -> list[tuple[int, Json]]:
    """(offset in ms since acceptance, payload) of every event of a streaming job, in order."""
    operation = job.doc["operation"]
    supply = provider.stream_facts.get(operation)
    facts = dict(supply(ctx, job)) if supply is not None else dict(job.doc)
    return stream_events(ctx, ctx.behaviour.streams[operation], job, facts)

"""The events of a streaming job, as a function of its script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.outputs import StreamRules
from screentest.specs.expressions.templates import OpenFacts, Template
from screentest.specs.json_types import Json

from ..kernel.rows import Resource
from .instant import Instant
from .provider import Provider


def job_events(provider: Provider, ctx: Instant, job: Resource) -> list[tuple[int, Json]]:
    """(offset in ms since acceptance, payload) of every event of a streaming job, in order.

    Events are spread evenly over the job's time. The last comes with the job's end, so
    its reader finds the job finished.
    """
    operation = job.doc["operation"]
    rules, supply = ctx.behaviour.streams[operation], provider.stream_facts.get(operation)
    facts = dict(supply(ctx, job)) if supply is not None else dict(job.doc)
    lifecycle = ctx.kind_rules(job).lifecycle
    assert lifecycle is not None
    assert job.script is not None
    ends_ms, end = job.script.steps[-1]
    # All events are planned before any is dropped, so a failure shifts none of them.
    planned = list(_expanded(rules, facts))
    if lifecycle.states[end].kind is Kind.SUCCEEDED:
        return _spread(planned, ends_ms)
    error = Template(rules.on_error).fill(OpenFacts(facts, reason=job.script.reason))
    # A fault has chosen after how many events the stream fails.
    spoken = job.doc.get("events_before_error")
    if spoken is not None:
        return _spread([*planned[: min(spoken, len(planned) - 1)], error], ends_ms)
    names = [event.get(rules.name_field) for event in planned]
    if job.doc.get("fails_after") in names:
        return _spread([*planned[: names.index(job.doc["fails_after"]) + 1], error], ends_ms)
    # The events of a job that fails early are those it would have had by then.
    whole_ms = int(ends_ms / job.doc.get("fails_at", 1.0))
    before = [event for event in _spread(planned, whole_ms)[:-1] if event[0] < ends_ms]
    return [*(before or [(0, planned[0])]), (ends_ms, error)]


def _spread(payloads: list[Json], ends_ms: int) -> list[tuple[int, Json]]:
    """The first at once, the last at *ends_ms*, the others evenly between."""
    # A stream of one event sends it at once.
    count = max(1, len(payloads) - 1)
    return [(ends_ms * index // count, payload) for index, payload in enumerate(payloads)]


def _expanded(rules: StreamRules, facts: Mapping[str, Json]) -> Iterator[Json]:
    """The payloads. A rule may make one payload for each item of a list."""
    for event in rules.events:
        template, items = Template(event), event.get("for_each")
        if items is None:
            yield template.fill(OpenFacts(facts))
            continue
        count = len(facts[items])
        for n in range(1, count + 1):
            payload = template.fill(OpenFacts(facts, n=n, count=count))
            del payload["for_each"]
            low, high = payload[rules.rising_field]
            payload[rules.rising_field] = low + (high - low) * (n - 1) // max(1, count - 1)
            yield payload

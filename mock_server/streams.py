"""The events of a streaming job, as a function of its script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from screentest.specs.behaviour import Kind, StreamRules

from .instant import Instant
from .rows import Resource
from .templates import fill

Json = Any


def stream_events(
    here: Instant, rules: StreamRules, job: Resource, facts: Mapping[str, Json]
) -> list[tuple[int, Json]]:
    """(offset in ms since acceptance, payload) of every event, in order.

    Events are spread evenly over the job's time. The last comes with the job's end, so whoever
    reads it finds the job finished.
    """
    lifecycle = here.kind_rules(job).lifecycle
    assert lifecycle is not None
    assert job.script is not None
    ends_ms, end = job.script.steps[-1]
    planned = list(_expanded(rules, facts))
    count = max(1, len(planned) - 1)
    events = [(ends_ms * index // count, payload) for index, payload in enumerate(planned)]
    if lifecycle.states[end].kind is Kind.SUCCEEDED:
        return events
    error = fill(rules.on_error, {**facts, "reason": job.script.reason})
    before = [event for event in events[:-1] if event[0] < ends_ms] or events[:1]
    return [*before, (ends_ms, error)]


def _expanded(rules: StreamRules, facts: Mapping[str, Json]) -> Iterator[Json]:
    """The payloads; one line for each of a list where the rule says so."""
    for template in rules.events:
        fields = {name: value for name, value in template.items() if name != "for_each"}
        if "for_each" not in template:
            yield fill(fields, facts)
            continue
        count = len(facts[template["for_each"]])
        low, high = fields[rules.rising_field]
        for n in range(1, count + 1):
            rising = low + (high - low) * (n - 1) // max(1, count - 1)
            yield fill({**fields, rules.rising_field: rising}, {**facts, "n": n, "count": count})

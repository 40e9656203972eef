"""The rules about resources: their lifecycles, streams, URLs, files and lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.checks.views import View

from . import rule_ids
from .judge import Rule
from .known import Clauses, Known, named, plain, views_of

#: The parts of a view by which each aspect of a resource is judged, and its rule.
_ASPECTS: Mapping[rule_ids.LifeAspect, tuple[tuple[str, ...], str]] = {
    "constant": (("constant", "settles"), "the constant fields of {named} do not change"),
    "progress": (("progress",), "the progress of {named} never falls"),
    "shown": (("shown",), "{named} shows results and errors exactly when it has them"),
    "times": (("ascending",), "the times of {named} are in order"),
    "moves": (("moves",), "the time of the last change of {named} changes with its state"),
    "echoes": (("echoes",), "{named} repeats what was asked for"),
    "same": (("asked",), "the answer shows the {plain} that was asked for"),
}


def resource_rules(known: Known) -> Iterator[Rule]:
    """The rules about what operations make, show and end."""
    for derive in (_states, _lifecycles, _streams, _urls, _media, _lists):
        yield from derive(known)


def _states(known: Known) -> Iterator[Rule]:
    for operation, rules in known.operations:
        name = operation.id
        if rules.effect == "destructive" and not rules.is_unbehaved:
            detail = f"what {name} removed is gone, or shows that it has ended"
            yield Rule(rule_ids.gone(name), "LIF", detail, known.source(name))
        for target in rules.targets:
            if target.states:
                states = " or ".join(sorted(target.states))
                detail = f"{name} works only while the {target.kind} is {states}"
                clauses = (*known.refusal("wrong_state", name), *known.exceptions(name))
                yield Rule(rule_ids.state(name), "LIF", detail, clauses)


def _lifecycles(known: Known) -> Iterator[Rule]:
    for kind, resource in known.behaviour.resources.items():
        views = views_of(known.checks, kind)
        if not views:
            continue
        lifecycle = resource.lifecycle
        clauses = (lifecycle.source,) if lifecycle is not None else views[0].source
        aspects: dict[rule_ids.LifeAspect, str] = {}
        if lifecycle is not None and any(view.state for view in views):
            aspects["edges"] = f"{named(kind)} moves along its edges only"
            if any(state.kind.is_final for state in lifecycle.states.values()):
                aspects["final"] = f"{named(kind)} that has ended keeps its state"
            if lifecycle.simulated:
                aspects["ends"] = f"{named(kind)} ends in time"
                makers = {it.by for it in known.checks.makes.values() if it.kind == kind}
                if any(view.state and view.operation in makers for view in views):
                    aspects["lasts"] = f"a new {plain(kind)} has not ended yet"
                aspects["fails"] = f"{named(kind)} that fails shows it"
        aspects |= _aspects(kind, views)
        for aspect, detail in aspects.items():
            yield Rule(rule_ids.life(kind, aspect), "LIF", detail, clauses)


def _aspects(kind: str, views: list[View]) -> dict[rule_ids.LifeAspect, str]:
    """The aspects of a resource that can be judged beside its state."""
    return {
        aspect: detail.format(named=named(kind), plain=plain(kind))
        for aspect, (parts, detail) in _ASPECTS.items()
        if any(getattr(view, part) for view in views for part in parts)
    }


def _streams(known: Known) -> Iterator[Rule]:
    aspects: dict[rule_ids.StreamAspect, str] = {
        "order": "the events come in order",
        "last": "the last event ends the stream, and nothing follows",
        "rising": "the figure of progress never falls",
        "live": "events come when they happen, not all at the end",
        "error": "a failure is the last event",
        "refused": "a refusal comes before the stream, not inside it",
        "state": "the stream and the resource agree on how it ended",
    }
    for name, stream in known.behaviour.streams.items():
        for aspect, detail in aspects.items():
            clauses: Clauses = (stream.source,)
            if aspect == "order":
                clauses += (known.behaviour.lifecycles[stream.lifecycle].source,)
            yield Rule(rule_ids.stream(name, aspect), "SSE", f"{name}: {detail}", clauses)


def _urls(known: Known) -> Iterator[Rule]:
    shown = {name for views in known.checks.views.values() for view in views for name in view.urls}
    for name, url in known.behaviour.urls.items():
        if name not in shown:
            continue
        clauses = (url.source,)
        yield Rule(rule_ids.url(name, "works"), "URL", f"the {name} URL answers a file", clauses)
        if url.lives_ms is None:
            detail = f"the {name} URL does not expire"
            yield Rule(rule_ids.url(name, "stays"), "URL", detail, clauses)
            continue
        detail = f"the {name} URL works for {url.lives_ms // 1_000} s and no longer"
        yield Rule(rule_ids.url(name, "lives"), "URL", detail, clauses)
        detail = f"each read gives a fresh {name} URL"
        yield Rule(rule_ids.url(name, "fresh"), "URL", detail, clauses)
        if url.names:
            detail = f"a changed {name} URL does not work"
            yield Rule(rule_ids.url(name, "sealed"), "URL", detail, clauses)


def _media(known: Known) -> Iterator[Rule]:
    for views in known.checks.views.values():
        for view in views:
            if view.media is not None:
                yield from _media_of(
                    view.resource,
                    view.media.source,
                    is_sized=bool(view.media.sizes or view.media.seconds),
                )
    for kind, make in known.checks.makes.items():
        if make.content is not None:
            detail = f"an unfinished {plain(kind)} has no file"
            clauses = (*make.content.source, *known.exceptions(make.content.operation))
            yield Rule(rule_ids.content_early(kind), "MED", detail, clauses)
            if not any(view.media for view in views_of(known.checks, kind)):
                yield from _media_of(kind, make.content.source, is_sized=False)


def _media_of(kind: str, clauses: Clauses, *, is_sized: bool) -> Iterator[Rule]:
    detail = f"the file of {named(kind)} is a whole MP4"
    yield Rule(rule_ids.media(kind, "container"), "MED", detail, clauses)
    detail = f"the file of {named(kind)} does not change"
    yield Rule(rule_ids.media(kind, "stable"), "MED", detail, clauses)
    if is_sized:
        detail = f"the file of {named(kind)} has the size and length that were asked for"
        yield Rule(rule_ids.media(kind, "size"), "MED", detail, clauses)


def _lists(known: Known) -> Iterator[Rule]:
    for name, rules in known.checks.lists.items():
        clauses = rules.source
        detail = f"{name} lists everything that was made"
        yield Rule(rule_ids.listing(name, "complete"), "PAG", detail, clauses)
        if rules.newest_first:
            detail = f"{name} lists the newest first"
            yield Rule(rule_ids.listing(name, "order"), "PAG", detail, clauses)
        if rules.limit:
            detail = f"{name} keeps to its limit"
            yield Rule(rule_ids.listing(name, "limit"), "PAG", detail, clauses)
        if rules.after:
            detail = f"the pages of {name} hold everything once"
            yield Rule(rule_ids.listing(name, "pages"), "PAG", detail, clauses)

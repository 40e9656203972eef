"""What a resource looks like in answers by the view of the behaviour file, and its video."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.behaviour import Kind
from screentest.specs.json_types import Json

from ..kernel.clock import notations
from ..kernel.rows import Resource
from ..kernel.templates import fill
from ..media.asset import Asset
from ..media.clips import choose_clip, video_bytes
from .instant import Instant


def view(ctx: Instant, resource: Resource) -> Json:
    """The reply body of a resource, by its `view`.

    A view is a template; `when: {state: {fields}}` inside it adds fields in some states.
    """
    shown: Json = ctx.kind_rules(resource).view or {"id": "$id", "state": "$state"}
    template: dict[str, Json] = dict(shown)
    by_state: Mapping[str, Json] = template.pop("when", {})
    facts = view_facts(ctx, resource)
    return fill({**template, **by_state.get(facts["state"], {})}, facts)


def view_facts(ctx: Instant, resource: Resource) -> dict[str, Json]:
    """The facts that a view may name."""
    facts: dict[str, Json] = {
        "id": resource.id,
        "input": resource.doc.get("input", {}),
        "doc": resource.doc,
        "parent": resource.parent,
        "created": notations(resource.created_ms),
        "state": None,
        "ended": notations(None),
    }
    if resource.script is not None:
        facts["state"] = ctx.state(resource)
        facts["progress"] = ctx.progress(resource)
        facts["reason"] = resource.script.reason
        is_over = ctx.kind(resource).is_final
        facts["ended"] = notations(ctx.entered_ms(resource) if is_over else None)
    facts["url"] = {
        name: ctx.url(name, id=resource.id)
        for name, rules in ctx.behaviour.urls.items()
        if rules.path.count("{") == rules.path.count("{id}")
    }
    return facts


def default_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    """The video behind a URL that no function serves: that of the job named by its `{id}`.

    It has the `size`, `fps` and `duration_s` that the contract's `media` names. None unless that
    job exists and has succeeded.
    """
    media = ctx.behaviour.media
    if "size" not in media or "id" not in parts:
        return None
    for kind, rules in ctx.behaviour.resources.items():
        job = ctx.find(kind, parts["id"]) if rules.lifecycle is not None else None
        if job is not None and job.script is not None and ctx.kind(job) is Kind.SUCCEEDED:
            lasts_ms = media.get("duration_s", 1) * 1_000
            clip = choose_clip(*media["size"], fps=media.get("fps"), duration_ms=lasts_ms)
            return Asset(
                video_bytes(clip, stamp={"job": job.id, "world": ctx.world.id}), "video/mp4"
            )
    return None

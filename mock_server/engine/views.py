"""What a resource looks like in answers by the view of the behaviour file, and its video."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.behaviour import Kind
from screentest.specs.json_types import Json

from ..kernel.rows import Resource
from ..media.asset import Asset
from ..media.clips import choose_clip, video_bytes
from .facts import resource_facts
from .instant import Instant


def view(ctx: Instant, resource: Resource) -> Json:
    """The reply body of a resource, by its `view`."""
    return resource_facts(ctx, resource)["view"]


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

"""What a resource looks like in answers by the view of the behaviour file, and its video."""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.outputs import FileRules, UrlRules
from screentest.specs.json_types import Json

from ..kernel.rows import Resource
from ..media.asset import Asset
from ..media.clips import STILL_TYPES, StillKind, choose_clip, still, video_bytes
from .facts import Facts, clip_of, resource_facts
from .instant import Instant


def view(ctx: Instant, resource: Resource) -> Json:
    """The reply body of a resource, by its `view`."""
    return resource_facts(ctx, resource)["view"]


def served_file(ctx: Instant, url: UrlRules, parts: Mapping[str, str]) -> Asset | None:
    """The file behind a URL that no function serves; None unless its resource has succeeded."""
    rules = url.file
    if rules is None:
        return default_video(ctx, parts)
    found = ctx.find(rules.kind, parts["id"])
    if found is None or (found.script is not None and ctx.kind(found) is not Kind.SUCCEEDED):
        return None
    return file_of(rules, resource_facts(ctx, found), found.id)


def file_of(rules: FileRules, facts: Facts, id_: str) -> Asset:
    """The file that *rules* give the resource *id_*, which has these *facts*."""
    picture = rules.still.fill(facts) if rules.still is not None else None
    if picture is not None:
        kind = StillKind(picture)
        return Asset(still(kind, *rules.size.fill(facts)), STILL_TYPES[kind])
    further = rules.stamp.fill(facts) if rules.stamp is not None else {}
    stamp = {"job": id_, **further, "world": facts["world"]}
    return Asset(video_bytes(clip_of(rules, facts), stamp=stamp), "video/mp4")


def default_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    """The video behind a URL that no function serves: that of the job named by its `{id}`.

    It has the `size`, `fps` and `duration_s` that the contract's `media` names. None unless that
    job exists and has succeeded.
    """
    media = ctx.behaviour.media
    if "size" not in media or "id" not in parts:
        return None
    # The URL names an id and no kind; ids of different kinds have different forms.
    for kind, rules in ctx.behaviour.resources.items():
        job = ctx.find(kind, parts["id"]) if rules.lifecycle is not None else None
        if job is not None and job.script is not None and ctx.kind(job) is Kind.SUCCEEDED:
            lasts_ms = media.get("duration_s", 1) * 1_000
            clip = choose_clip(*media["size"], fps=media.get("fps"), duration_ms=lasts_ms)
            return Asset(
                video_bytes(clip, stamp={"job": job.id, "world": ctx.world.id}), "video/mp4"
            )
    return None

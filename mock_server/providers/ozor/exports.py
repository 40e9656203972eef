"""Ozor's exports: renders of a video, cached by content, and their files.

Functions, because an export may be an earlier one, or a copy of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.instant import Instant
from ...engine.jobs import NewJob, accept_job
from ...engine.provider import Call, Provider, Reply
from ...engine.views import served_file, view
from ...kernel.ids import digest
from ...kernel.rows import Resource
from ...media.asset import Asset

provider = Provider("ozor")


@provider.operation("exportVideo")
def export_video(call: Call) -> Reply:
    ctx, video = call.ctx, call.found["video"]
    if not video.doc.get("revision") and ctx.reading("export_before_agent") == "refuse_500":
        problem = (
            "The export could not be triggered: the video has no scenes yet. Try again shortly."
        )
        raise call.refuse("failed", problem=problem)
    body = call.body or {}
    quality, is_public = body.get("quality") or "1080p", body.get("isPublic") or False
    export = _identical(ctx, video, quality, is_public=is_public)
    if export is None:
        export = start_export(ctx, video, quality, is_public=is_public)
    else:
        if ctx.kind(export) is Kind.SUCCEEDED and ctx.reading("cached_export_id") == "new_id":
            export = _copied(ctx, export)
        ctx.save(video, {"latest_export": export.id})
    fields = {"videoId": video.id, "exportId": export.id, "exportStatus": ctx.state(export)}
    if ctx.kind(export) is Kind.SUCCEEDED:
        fields |= view(ctx, export)
        del fields["exportError"]
    elif is_public:
        fields["shareCode"] = export.doc["share_code"]
    return Reply(200, fields if is_public else _without_nulls(fields))


def _without_nulls(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _content(video: Resource) -> str:
    return digest(video.id, video.doc.get("revision", 0)).hex()[:16]


def _identical(ctx: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource | None:
    """A finished export of the same content, quality and visibility (OZ-117).

    A running one counts too if that reading is chosen (A42).
    """
    running: Resource | None = None
    wanted = (_content(video), quality, is_public)
    for export in ctx.rows.resources.children(ctx.provider, "export", video.id):
        if (export.doc["content"], export.doc["quality"], export.doc["is_public"]) != wanted:
            continue
        kind = ctx.kind(export)
        if kind is Kind.SUCCEEDED:
            return export
        if not kind.is_final:
            running = running or export
    return running if ctx.reading("unfinished_export") == "same_export" else None


def _copied(ctx: Instant, export: Resource) -> Resource:
    """A further export with the result of *export*, complete from its first moment."""
    assert export.script is not None
    done = replace(export.script, steps=((0, ctx.state(export)),))
    return ctx.add("export", export.account, export.doc, parent=export.parent, script=done)


def start_export(ctx: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource:
    """Begin a render, with its share code when it is public."""
    doc = {
        "quality": quality,
        "is_public": is_public,
        "content": _content(video),
        "aspect": video.doc.get("aspect", "16:9"),
    }
    export = accept_job(
        ctx, NewJob("export", video.account, doc, operation="exportVideo", parent=video.id)
    )
    if is_public:
        share = ctx.add("share", video.account, {}, parent=export.id)
        export = ctx.save(export, {"share_code": share.id})
    ctx.save(video, {"latest_export": export.id})
    return export


@provider.asset("share")
def serve_share(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    share = ctx.find("share", parts["code"])
    if share is None:
        return None
    return served_file(ctx, ctx.behaviour.urls["download"], {"id": share.parent or ""})

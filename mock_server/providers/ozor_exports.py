"""Ozor's exports: renders of a video, cached by content, and the files they hand out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from screentest.specs.behaviour import Kind

from ..ids import digest
from ..instant import Instant
from ..media import StillKind, choose_clip, still, video_bytes
from ..provider import Asset, Call, Provider, Reply
from ..rows import Resource

Json = Any

provider = Provider("ozor")


@provider.operation("exportVideo")
def export_video(call: Call) -> Reply:
    here, video = call.here, call.found["video"]
    if not video.doc.get("revision") and here.choice("export_before_agent") == "refuse_500":
        problem = (
            "The export could not be triggered: the video has no scenes yet. Try again shortly."
        )
        raise call.refuse("failed", problem=problem)
    body = call.body or {}
    quality, is_public = body.get("quality", "1080p"), body.get("isPublic", False)
    export = _cached(here, video, quality, is_public=is_public)
    if export is None:
        export = start_export(here, video, quality, is_public=is_public)
    else:
        if here.choice("cached_export_id") == "new_id":
            export = _copied(here, export)
        video.doc["latest_export"] = export.id
        here.save(video)
    fields = {"videoId": video.id, "exportId": export.id, "exportStatus": here.state(export)}
    if here.kind(export) is Kind.SUCCEEDED:
        fields |= export_fields(here, export)
        del fields["exportError"]
    elif is_public:
        fields["shareCode"] = export.doc["share_code"]
    return Reply(200, fields if is_public else _without_nulls(fields))


def _without_nulls(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def exports_of(here: Instant, video: Resource) -> list[Resource]:
    """Newest first."""
    return here.rows.resources(here.world, here.provider, "export", parent=video.id)


def latest_export(here: Instant, video: Resource) -> Resource | None:
    """The one that was asked for last."""
    latest = video.doc.get("latest_export")
    return here.find("export", latest) if latest else None


def _content(video: Resource) -> str:
    return digest(video.id, video.doc.get("revision", 0)).hex()[:16]


def _cached(here: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource | None:
    """A finished export of the same content, quality and visibility (OZ-117)."""
    wanted = (_content(video), quality, is_public)
    for export in exports_of(here, video):
        key = (export.doc["content"], export.doc["quality"], export.doc["is_public"])
        if key == wanted and here.kind(export) is Kind.SUCCEEDED:
            return export
    return None


def _copied(here: Instant, export: Resource) -> Resource:
    """A further export with the result of *export*, complete from its first moment."""
    assert export.script is not None
    done = replace(export.script, steps=((0, here.state(export)),))
    return here.add("export", export.account, export.doc, parent=export.parent, script=done)


def start_export(here: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource:
    """Begin a render, with its share code when it is public."""
    doc = {
        "quality": quality,
        "is_public": is_public,
        "content": _content(video),
        "aspect": video.doc.get("aspect", "16:9"),
    }
    export = here.start("export", video.account, doc, parent=video.id, operation="exportVideo")
    if is_public:
        export.doc["share_code"] = here.add("share", video.account, {}, parent=export.id).id
        here.save(export)
    video.doc["latest_export"] = export.id
    here.save(video)
    return export


def export_fields(here: Instant, export: Resource) -> dict[str, Json]:
    """What a video shows of an export."""
    kind = here.kind(export)
    is_done, code = kind is Kind.SUCCEEDED, export.doc.get("share_code")
    return {
        "exportId": export.id,
        "exportStatus": here.state(export),
        "downloadUrl": here.url("download", id=export.id) if is_done else None,
        "shareUrl": here.url("share", code=code) if is_done and code else None,
        "shareCode": code,
        "thumbnailUrl": here.url("thumbnail", id=export.id) if is_done else None,
        "exportError": failure_reason(export) if kind is Kind.FAILED else None,
    }


@provider.asset("download")
def serve_download(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    return _footage(here, here.find("export", parts["id"]))


@provider.asset("share")
def serve_share(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    share = here.find("share", parts["code"])
    return _footage(here, here.find("export", share.parent or "")) if share is not None else None


@provider.asset("thumbnail")
def serve_thumbnail(here: Instant, parts: Mapping[str, str]) -> Asset | None:
    export = here.find("export", parts["id"])
    if export is None or here.kind(export) is not Kind.SUCCEEDED:
        return None
    return Asset(still(StillKind.POSTER, *_size(here, export)), "image/jpeg")


def _footage(here: Instant, export: Resource | None) -> Asset | None:
    if export is None or here.kind(export) is not Kind.SUCCEEDED:
        return None
    clip = choose_clip(*_size(here, export), fps=here.behaviour.media["fps"])
    stamp = {"job": export.id, "content": export.doc["content"], "world": here.world}
    return Asset(video_bytes(clip, stamp=stamp), "video/mp4")


def _size(here: Instant, export: Resource) -> tuple[int, int]:
    width, height = here.behaviour.media["sizes"][export.doc["aspect"]][export.doc["quality"]]
    return width, height


def failure_reason(job: Resource) -> str:
    """Why a job failed; empty when it did not."""
    return job.script.reason if job.script is not None else ""

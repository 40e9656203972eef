"""Ozor's videos: agent jobs that edit them, and exports that render them.

Source: https://www.ozor.ai/docs/api, read 2026-11-21. Clause ids are explained in
`specs/ozor/clauses.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from screentest.specs.behaviour import Kind

from ..clock import rfc3339
from ..ids import digest
from ..instant import Instant
from ..media import StillKind, choose_clip, still, video_bytes
from ..provider import Asset, Call, Provider, Reply
from ..rows import Resource

Json = Any

provider = Provider("ozor")

# Videos and agent jobs


@provider.operation("generateVideo")
def generate_video(call: Call) -> Reply:
    body = call.body
    video = add_video(call.here, call.account_id, _title(call), body.get("aspect", "16:9"))
    export = None
    if body.get("export", False):
        quality = body.get("exportQuality", "720p")
        export = {"quality": quality, "is_public": body.get("exportIsPublic", False)}
    job = call.start({"prompt": body["prompt"], "export": export, "first": True}, parent=video.id)
    return Reply(200, {"videoId": video.id, "jobId": job.id, "status": "pending"})


@provider.operation("messageVideo")
def message_video(call: Call) -> Reply:
    here, video = call.here, call.found["video"]
    before = here.newest("agent_job", video.id)
    doc = {"prompt": call.body["message"], "export": None}
    # Edits of one video run one after the other (A32).
    job = call.start(doc, parent=video.id, waits_ms=here.remaining_ms(before) if before else 0)
    return Reply(200, {"videoId": video.id, "jobId": job.id, "status": "queued"})


@provider.when("agent_job", Kind.SUCCEEDED)
def finish_edit(here: Instant, job: Resource) -> None:
    """The edit changes the content, and the render that was asked for begins."""
    video = _video_of(here, job)
    video.doc["revision"] += 1
    here.save(video)
    if job.doc["export"]:
        _export(here, video, **job.doc["export"])


@provider.operation("getJob")
def get_job(call: Call) -> Reply:
    here, job = call.here, call.found["agent_job"]
    body = {
        "videoId": job.parent,
        "jobId": job.id,
        "status": here.state(job),
        "createdAt": rfc3339(job.created_ms // 1_000 * 1_000),
    }
    match here.kind(job):
        case Kind.SUCCEEDED:
            body["response"] = _answer_text(job)
        case Kind.FAILED:
            body["error"] = f"Agent encountered an error: {_reason(job)}"
        case _:
            pass
    return Reply(200, body)


@provider.operation("listVideos")
def list_videos(call: Call) -> Reply:
    here = call.here
    shows_documents = here.choice("list_document_projects") == "yes"
    shown: list[Json] = []
    for video in here.rows.resources(here.world, here.provider, "video", account=call.account_id):
        made_by = video.doc.get("createdVia", "api")
        if made_by == "api" or (made_by == "document" and shows_documents):
            shown.append(_summary(here, video))
        if len(shown) == call.query["limit"]:
            break
    return Reply(200, {"videos": shown})


@provider.operation("getVideo")
def get_video(call: Call) -> Reply:
    here, video = call.here, call.found["video"]
    body = _summary(here, video)
    export = _latest_export(here, video)
    if export is None:
        return Reply(200, body)
    body |= _export_fields(here, export)
    if export.doc["is_public"] or here.choice("private_share_fields") != "absent":
        return Reply(200, body)
    del body["shareUrl"], body["shareCode"]
    return Reply(200, body, departure="private_share_fields")


@provider.operation("getToolTrace")
def get_tool_trace(call: Call) -> Reply:
    here, video = call.here, call.found["video"]
    jobs = here.rows.resources(
        here.world, here.provider, "agent_job", parent=video.id, newest_first=False
    )
    turns = sorted(
        (here.entered_ms(job), job.seq, job) for job in jobs if here.kind(job) is Kind.SUCCEEDED
    )
    messages = [
        {
            "messageId": f"msg_{number}",
            "createdAt": rfc3339(at_ms // 1_000 * 1_000),
            "textPreview": _answer_text(job)[:80],
            "toolCalls": _tool_calls(job),
        }
        for number, (at_ms, _, job) in enumerate(turns, start=1)
    ]
    return Reply(
        200,
        {
            "videoId": video.id,
            "conversationId": call.found["conversation"].id,
            "totalAssistantTurns": len(messages),
            "totalToolCalls": sum(len(message["toolCalls"]) for message in messages),
            "messages": messages,
        },
    )


@provider.detail("agent_job")
def show_details(here: Instant, job: Resource) -> Mapping[str, Json]:
    conversation = here.newest("conversation", job.parent or "")
    return {"conversation_id": conversation.id if conversation is not None else None}


def _title(call: Call) -> str:
    prompt, length = call.body["prompt"].strip(), call.here.behaviour.facts["prompt_title_length"]
    return prompt[:length] + "..." if len(prompt) > length else prompt or "Untitled"


def add_video(here: Instant, account: str, title: str, aspect: str, **doc: Json) -> Resource:
    """A new project, with the conversation that its agent jobs belong to."""
    made = {"title": title, "aspect": aspect, "revision": 0, "createdVia": "api", **doc}
    video = here.add("video", account, made)
    here.add("conversation", account, {}, parent=video.id)
    return video


def _video_of(here: Instant, child: Resource) -> Resource:
    video = here.find("video", child.parent or "")
    assert video is not None, child.id
    return video


def _answer_text(job: Resource) -> str:
    if job.doc.get("first"):
        return f"I've created your video: {job.doc['prompt'][:120]}"
    return f"I've made the change: {job.doc['prompt'][:120]}"


def _tool_calls(job: Resource) -> list[Json]:
    if job.doc.get("first"):
        scene = {"order": 1, "title": "Intro"}
        return [
            {"name": "create_scene", "args": scene},
            {"name": "set_style", "args": {"tone": "clean"}},
        ]
    return [{"name": "update_scene", "args": {"order": 1, "instruction": job.doc["prompt"][:80]}}]


def _reason(job: Resource) -> str:
    return job.script.reason if job.script is not None else ""


def _summary(here: Instant, video: Resource) -> dict[str, Json]:
    return {
        "videoId": video.id,
        "title": video.doc.get("title", "Untitled"),
        "status": project_status(here, video),
        "editorUrl": f"{here.behaviour.base_url}/editor?projectId={video.id}",
        "createdAt": rfc3339(video.created_ms // 1_000 * 1_000),
    }


@provider.state("video")
def project_status(here: Instant, video: Resource) -> str:
    """Rendering while any export runs, completed once one has finished (OZ-094 to OZ-096)."""
    kinds = {here.kind(export) for export in _exports(here, video)}
    if kinds & {Kind.WAITING, Kind.RUNNING}:
        return "rendering"
    has_finished = Kind.SUCCEEDED in kinds and here.choice("status_after_export") == "table"
    return "completed" if has_finished else "draft"


# Exports


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
        export = _export(here, video, quality, is_public=is_public)
    else:
        video.doc["latest_export"] = export.id
        here.save(video)
    fields = {"videoId": video.id, "exportId": export.id, "exportStatus": here.state(export)}
    if here.kind(export) is Kind.SUCCEEDED:
        fields |= _export_fields(here, export)
        del fields["exportError"]
    elif is_public:
        fields["shareCode"] = export.doc["share_code"]
    return Reply(200, fields if is_public else _without_nulls(fields))


def _without_nulls(fields: dict[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in fields.items() if value is not None}


def _exports(here: Instant, video: Resource) -> list[Resource]:
    return here.rows.resources(here.world, here.provider, "export", parent=video.id)


def _latest_export(here: Instant, video: Resource) -> Resource | None:
    latest = video.doc.get("latest_export")
    return here.find("export", latest) if latest else None


def _content(video: Resource) -> str:
    return digest(video.id, video.doc.get("revision", 0)).hex()[:16]


def _cached(here: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource | None:
    """A finished export of the same content, quality and visibility (OZ-117)."""
    wanted = (_content(video), quality, is_public)
    for export in _exports(here, video):
        key = (export.doc["content"], export.doc["quality"], export.doc["is_public"])
        if key == wanted and here.kind(export) is Kind.SUCCEEDED:
            return export
    return None


def _export(here: Instant, video: Resource, quality: str, *, is_public: bool) -> Resource:
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


def _export_fields(here: Instant, export: Resource) -> dict[str, Json]:
    kind = here.kind(export)
    is_done, code = kind is Kind.SUCCEEDED, export.doc.get("share_code")
    return {
        "exportId": export.id,
        "exportStatus": here.state(export),
        "downloadUrl": here.url("download", id=export.id) if is_done else None,
        "shareUrl": here.url("share", code=code) if is_done and code else None,
        "shareCode": code,
        "thumbnailUrl": here.url("thumbnail", id=export.id) if is_done else None,
        "exportError": _reason(export) if kind is Kind.FAILED else None,
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

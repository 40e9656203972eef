"""Ozor's videos: agent jobs that edit them, and exports that render them.

Source: https://www.ozor.ai/docs/api, read 2026-11-21. Clause ids are explained in
`specs/ozor/clauses.yaml`.
"""

from __future__ import annotations

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Reply
from ...kernel.clock import rfc3339
from ...kernel.rows import Resource
from .exports import export_fields, exports_of, failure_reason, latest_export, start_export

provider = Provider("ozor")

# Videos and agent jobs


@provider.operation("generateVideo")
def generate_video(call: Call) -> Reply:
    body = call.body
    video = add_video(call.ctx, call.account_id, _title(call), body.get("aspect") or "16:9")
    export = None
    if body.get("export"):
        quality = body.get("exportQuality") or "720p"
        export = {"quality": quality, "is_public": body.get("exportIsPublic") or False}
    job = call.start({"prompt": body["prompt"], "export": export, "first": True}, parent=video.id)
    return Reply(200, {"videoId": video.id, "jobId": job.id, "status": "pending"})


@provider.operation("messageVideo")
def message_video(call: Call) -> Reply:
    ctx, video = call.ctx, call.found["video"]
    before = ctx.newest("agent_job", video.id)
    doc = {"prompt": call.body["message"], "export": None}
    is_busy = before is not None and not ctx.kind(before).is_final
    if is_busy and ctx.reading("parallel_messages") == "refuse_400":
        raise call.refuse("invalid", problem=f"The agent is still working on video {video.id}.")
    # Edits of one video run one after the other (A32).
    job = call.start(doc, parent=video.id, waits_ms=ctx.remaining_ms(before) if before else 0)
    return Reply(200, {"videoId": video.id, "jobId": job.id, "status": "queued"})


@provider.when("agent_job", Kind.SUCCEEDED)
def finish_edit(ctx: Instant, job: Resource) -> None:
    """Change the content, and begin the render that was requested with the edit."""
    video = _video_of(ctx, job)
    video = ctx.save(video, {"revision": video.doc["revision"] + 1})
    if job.doc["export"]:
        start_export(ctx, video, **job.doc["export"])


@provider.operation("getJob")
def get_job(call: Call) -> Reply:
    ctx, job = call.ctx, call.found["agent_job"]
    body = {
        "videoId": job.parent,
        "jobId": job.id,
        "status": ctx.state(job),
        "createdAt": rfc3339(job.created_ms // 1_000 * 1_000),
    }
    match ctx.kind(job):
        case Kind.SUCCEEDED:
            body["response"] = _answer_text(job)
        case Kind.FAILED:
            body["error"] = f"Agent encountered an error: {failure_reason(job)}"
        case Kind.WAITING if (
            job.doc.get("first") and ctx.reading("pending_status") != "generate_only"
        ):
            body["status"] = "pending"
        case _:
            pass
    return Reply(200, body)


@provider.operation("listVideos")
def list_videos(call: Call) -> Reply:
    ctx = call.ctx
    shows_documents = ctx.reading("list_document_projects") == "yes"
    shown: list[Json] = []
    for video in ctx.rows.resources.of_account(ctx.provider, "video", call.account_id):
        made_by = video.doc.get("createdVia", "api")
        if made_by == "api" or (made_by == "document" and shows_documents):
            shown.append(_summary(ctx, video))
        if len(shown) == call.query["limit"]:
            break
    return Reply(200, {"videos": shown})


@provider.operation("getVideo")
def get_video(call: Call) -> Reply:
    ctx, video = call.ctx, call.found["video"]
    body = _summary(ctx, video)
    export = latest_export(ctx, video)
    if export is None:
        return Reply(200, body)
    body |= export_fields(ctx, export)
    if not export.doc["is_public"] and ctx.reading("private_share_fields") == "absent":
        del body["shareUrl"], body["shareCode"]
    return Reply(200, body)


@provider.operation("getToolTrace")
def get_tool_trace(call: Call) -> Reply:
    ctx, video = call.ctx, call.found["video"]
    jobs = ctx.rows.resources.children(ctx.provider, "agent_job", video.id)
    turns = sorted(
        (ctx.entered_ms(job), job.seq, job) for job in jobs if ctx.kind(job) is Kind.SUCCEEDED
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


def _title(call: Call) -> str:
    prompt, length = call.body["prompt"].strip(), call.ctx.behaviour.facts["prompt_title_length"]
    return prompt[:length] + "..." if len(prompt) > length else prompt or "Untitled"


def add_video(ctx: Instant, account: str, title: str, aspect: str, **doc: Json) -> Resource:
    """A new project, with the conversation that its agent jobs belong to."""
    made = {"title": title, "aspect": aspect, "revision": 0, "createdVia": "api", **doc}
    video = ctx.add("video", account, made)
    ctx.add("conversation", account, {}, parent=video.id)
    return video


def _video_of(ctx: Instant, child: Resource) -> Resource:
    video = ctx.find("video", child.parent or "")
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


def _summary(ctx: Instant, video: Resource) -> dict[str, Json]:
    return {
        "videoId": video.id,
        "title": video.doc.get("title", "Untitled"),
        "status": project_status(ctx, video),
        "editorUrl": f"{ctx.behaviour.base_url}/editor?projectId={video.id}",
        "createdAt": rfc3339(video.created_ms // 1_000 * 1_000),
    }


@provider.state("video")
def project_status(ctx: Instant, video: Resource) -> str:
    """Rendering while any export runs, completed once one has finished (OZ-094 to OZ-096)."""
    kinds = {ctx.kind(export) for export in exports_of(ctx, video)}
    if kinds & {Kind.WAITING, Kind.RUNNING}:
        return "rendering"
    has_finished = Kind.SUCCEEDED in kinds and ctx.reading("status_after_export") == "table"
    return "completed" if has_finished else "draft"

"""Ozor's videos: agent jobs that edit them, and exports that render them.

Functions, because one call makes several resources, and edits wait for each other.

Source: https://www.ozor.ai/docs/api, read 2026-11-21. Clause ids are explained in
`specs/ozor/clauses.yaml`.
"""

from __future__ import annotations

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Reply
from ...kernel.rows import Resource
from .exports import start_export

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

"""ZnapAI's video jobs: OpenAI's shapes, and those of a proxy where readings choose them.

Source: https://docs.znapai.com, read 2026-11-21. Clause ids are explained in
`specs/znapai/clauses.yaml`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.json_types import Json

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Reply
from ...kernel.ids import digest
from ...kernel.rows import Resource
from ...media.clips import StillKind, choose_clip, still, video_bytes
from ...media.ranges import part_of
from .requests import read_metadata

provider = Provider("znapai")

# What the measured proxy puts around the id of its upstream.
_WRAPPED_ID = "litellm:custom_llm_provider:azure;model_id:{model};video_id:{id}"


@provider.operation("createVideo")
def create_video(call: Call) -> Reply:
    body, facts = call.body, call.ctx.behaviour.facts
    model: str = body.get("model", "sora-2")
    doc = {
        "model": model,
        "prompt": body["prompt"],
        "seconds": body.get("seconds", facts["seconds"]),
        "size": body.get("size", facts["size"]),
        "metadata": read_metadata(body),
        "source": None,
    }
    return _accepted(call, call.start(doc), model)


@provider.operation("remixVideo")
def remix_video(call: Call) -> Reply:
    """Create a job that differs from its source only in the prompt (Z26)."""
    source = call.found["video"]
    kept = {name: source.doc[name] for name in ("model", "seconds", "size", "metadata")}
    return _accepted(call, call.start({**kept, "prompt": call.body["prompt"], "source": source.id}))


@provider.operation("getVideo")
def get_video(call: Call) -> Reply:
    ctx, job = call.ctx, call.found["video"]
    return Reply(200, _shown(ctx, job), _poll_after(ctx, job))


@provider.operation("listVideos")
def list_videos(call: Call) -> Reply:
    ctx = call.ctx
    if ctx.reading("extensions") == "strict_proxy":
        raise call.refuse("no_list_provider")
    limit, is_rising = call.query["limit"], call.query["order"] == "asc"
    cursor = _cursor(call)
    found = ctx.rows.resources.of_account(
        ctx.provider,
        "video",
        call.account_id,
        before_seq=None if is_rising else cursor,
        after_seq=cursor if is_rising else None,
        newest_first=not is_rising,
        limit=limit + 1,
    )
    data = [_shown(ctx, job) for job in found[:limit]]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {}
    none = {"first_id": None, "last_id": None}
    has_more = len(found) > limit
    body = {"object": "list", "data": data, **none, **ends, "has_more": has_more}
    return Reply(200, body)


@provider.operation("deleteVideo")
def delete_video(call: Call) -> Reply:
    ctx = call.ctx
    if ctx.reading("extensions") == "strict_proxy":
        raise call.refuse("no_delete_route")
    job = call.found["video"]
    ctx.rows.resources.remove(ctx.rows.resources.key_of(job))
    return Reply(200, {"id": _shown_id(ctx, job.id), "object": "video.deleted", "deleted": True})


@provider.operation("downloadVideo")
def download_video(call: Call) -> Reply:
    ctx, job, variant = call.ctx, call.found["video"], call.query["variant"]
    if ctx.now_ms >= _expires_ms(ctx, job):
        raise call.refuse("expired", id=call.path["video_id"])
    if ctx.reading("content_variant") == "proxy_ignores":
        variant = "video"
    content, content_type = _file(ctx, job, variant)
    part = part_of(content, call.request.headers)
    headers = dict(part.headers)
    if variant == "video":
        headers["Content-Disposition"] = f"attachment; filename=video_{call.path['video_id']}.mp4"
    return Reply(part.status, part.content or None, headers, content_type)


@provider.reads_id("video")
def read_id(ctx: Instant, id_: str) -> str:
    """The upstream's id inside the proxy's, if the reading has such ids (Z20)."""
    if ctx.reading("video_ids") == "plain" or not id_.startswith("video_"):
        return id_
    try:
        inside = b64decode(id_.removeprefix("video_"), validate=True).decode()
    except ValueError:
        return id_
    match = re.fullmatch(_WRAPPED_ID.format(model="[^;]*", id="(.*)"), inside)
    return match[1] if match is not None else id_


def _accepted(call: Call, job: Resource, model: str = "") -> Reply:
    ctx = call.ctx
    shown = _shown(ctx, job, model)
    if "usage" in shown:
        shown["usage"] = {"duration_seconds": float(job.doc["seconds"])}
    return Reply(200, shown, _poll_after(ctx, job))


def _shown(ctx: Instant, job: Resource, model: str = "") -> dict[str, Json]:
    doc, kind = job.doc, ctx.kind(job)
    is_done, source = kind is Kind.SUCCEEDED, doc["source"]
    shown: dict[str, Json] = {
        "id": _shown_id(ctx, job.id, model),
        "completed_at": ctx.entered_ms(job) // 1_000 if is_done else None,
        "created_at": job.created_ms // 1_000,
        "error": _error(ctx, job) if kind is Kind.FAILED else None,
        "expires_at": _expires_ms(ctx, job) // 1_000 if is_done else None,
        "model": doc["model"],
        "object": "video",
        "progress": ctx.progress(job),
        "prompt": doc["prompt"],
        "remixed_from_video_id": _shown_id(ctx, source) if source is not None else None,
        "seconds": doc["seconds"],
        "size": doc["size"],
        "status": ctx.state(job),
    }
    if ctx.reading("metadata_echo") == "shown":
        shown["metadata"] = doc["metadata"]
    if ctx.reading("answer_shape") == "proxy":
        del shown["prompt"]
        shown["usage"] = None
    return shown


def _shown_id(ctx: Instant, id_: str, model: str = "") -> str:
    """The id as a client sees it. The proxy includes the model only in the answer to create."""
    if ctx.reading("video_ids") == "plain":
        return id_
    return "video_" + b64encode(_WRAPPED_ID.format(model=model, id=id_).encode()).decode()


def _error(ctx: Instant, job: Resource) -> Json:
    """The error of a failed job: its reason is a known code, or a text."""
    assert job.script is not None
    known, reason = ctx.behaviour.facts["failures"], job.script.reason
    if reason in known:
        return {"code": reason, "message": known[reason]}
    return {"code": "internal_error", "message": reason}


def _expires_ms(ctx: Instant, job: Resource) -> int:
    lives_ms: int = ctx.behaviour.facts["expires_after_ms"][ctx.reading("expires_after")]
    return ctx.entered_ms(job) + lives_ms


def _poll_after(ctx: Instant, job: Resource) -> dict[str, str]:
    """The header with the wait before the next poll (Z22); none for a job that has ended."""
    choice, bounds = ctx.reading("poll_after"), ctx.behaviour.facts["poll_after_ms"]
    if choice == "absent" or ctx.kind(job).is_final:
        return {}
    wait_ms = ctx.wall_wait_ms(job)
    if wait_ms is None:  # the job is held
        wait_ms = bounds["longest"]
    if choice == "ten_ms":
        wait_ms = 10
    return {"openai-poll-after-ms": str(max(bounds["shortest"], min(wait_ms, bounds["longest"])))}


def _cursor(call: Call) -> int | None:
    after = call.query.get("after")
    if after is None:
        return None
    job = call.ctx.find("video", read_id(call.ctx, after))
    if job is None or job.account != call.account_id:
        if call.ctx.reading("list_cursor") == "ignored":
            return None
        raise call.refuse("unknown_cursor", id=after)
    return job.seq


def _file(ctx: Instant, job: Resource, variant: str) -> tuple[bytes, str]:
    width, height = (int(side) for side in job.doc["size"].split("x"))
    if variant == "thumbnail":
        return still(StillKind.PREVIEW, width, height), "image/webp"
    if variant == "spritesheet":
        return still(StillKind.SPRITESHEET, width, height), "image/jpeg"
    length_ms = int(job.doc["seconds"]) * 1_000
    clip = choose_clip(width, height, fps=ctx.behaviour.media["fps"], duration_ms=length_ms)
    prompt = digest(job.doc["prompt"]).hex()[:16]
    stamp = {"job": job.id, "prompt": prompt, "world": ctx.world.id}
    return video_bytes(clip, stamp=stamp), "video/mp4"

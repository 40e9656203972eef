"""UlazAI's Sora 2 videos: submitting them, and reading their status.

Source: https://ulazai.com/docs/sora, read 2026-11-21. Clause ids are explained in
`specs/ulazai/clauses.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.behaviour.behaviour import Kind
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ...answers.refusals import from_contract
from ...engine.instant import Instant
from ...engine.job_control import finish_now, set_outcome
from ...engine.provider import Call, Provider, Refusal, Reply
from ...kernel.clock import rfc3339, rfc3339_microseconds
from ...kernel.rows import Resource
from ...kernel.templates import fill_text
from ...media.asset import Asset
from ...media.clips import Clip, StillKind, choose_clip, still, video_bytes

provider = Provider("ulazai")

_MINUTE_MS = 60_000
_MEGABYTE = 1024 * 1024
_OPT_IN = "prompt_directory_optin"
#: Values that the web framework reads as booleans, beside JSON's own.
_FRAMEWORK_BOOLEANS: Mapping[str | int, bool] = {"true": True, "false": False, 1: True, 0: False}

#: The web framework's own messages; `{name}` is a fact of the refusal.
_FRAMEWORK_WORDS = {
    "missing_credential": "Authentication credentials were not provided.",
    "unknown_credential": "Invalid token.",
    "revoked_credential": "Invalid token.",
    "malformed_body": "JSON parse error - {problem}",
    "not_found": "Not found.",
    "too_many_running": "Request was throttled. Expected available in {wait_s} seconds.",
}

# Submitting


@provider.facts("generateTextToVideo")
def price_of_text(call: Call) -> Mapping[str, Json]:
    return _price_facts(call)


@provider.facts("generateImageToVideo")
def price_of_image(call: Call) -> Mapping[str, Json]:
    return _price_facts(call)


def _price_facts(call: Call) -> Mapping[str, Json]:
    """Whether the video is listed in the Prompt Directory; a reading gives the default."""
    default = call.ctx.reading("optin_default") == "true"
    chosen = call.body.get(_OPT_IN, default)
    return {_OPT_IN: _FRAMEWORK_BOOLEANS.get(chosen, chosen)}


@provider.operation("generateTextToVideo")
def generate_from_text(call: Call) -> Reply:
    return Reply(201, _started(call))


@provider.operation("generateImageToVideo")
def generate_from_image(call: Call) -> Reply:
    return Reply(int(call.ctx.reading("image_to_video_status")), _started(call))


def _started(call: Call) -> Json:
    ctx, body = call.ctx, call.body
    doc = {
        "aspect_ratio": body.get("aspect_ratio", "landscape"),
        "quality": body.get("quality", "standard"),
        "request": ctx.number,
    }
    task = call.start(doc)
    data = {
        "task_id": task.id,
        "status": "processing",
        "estimated_completion": ctx.behaviour.facts["first_estimate"],
        "credits_charged": task.doc["cost"],
        "credits_remaining": call.account.available,
        "webhook_url": f"{ctx.base_url}/api/v1/sora/status/{task.id}/",
        "message": ctx.behaviour.facts["started_message"],
    }
    return {"success": True, "data": data}


# Asking


@provider.operation("getTaskStatus")
def get_status(call: Call) -> Reply:
    ctx, task = call.ctx, call.found["task"]
    match ctx.kind(task):
        case Kind.SUCCEEDED:
            return Reply(200, {"success": True, "data": _video(ctx, task)})
        case Kind.FAILED:
            return Reply(int(ctx.reading("failed_status_code")), _failure(ctx, task))
        case _:
            return Reply(200, {"success": True, "data": _progress(ctx, task)})


def _progress(ctx: Instant, task: Resource) -> Json:
    return {
        "task_id": task.id,
        "status": ctx.state(task),
        "progress": ctx.progress(task),
        "estimated_completion": _estimate(ctx, task),
    }


def _estimate(ctx: Instant, task: Resource) -> str:
    """The remaining time, between two whole minutes. That of a held task does not change."""
    script = task.script
    assert script is not None
    offset_ms = task.offset_ms(ctx.now_ms)
    if script.held_ms is not None:
        offset_ms = min(offset_ms, script.held_ms)
    minutes = (script.steps[-1][0] - offset_ms) // _MINUTE_MS
    return f"{minutes}-{minutes + 1} minutes" if minutes > 0 else "less than a minute"


def _video(ctx: Instant, task: Resource) -> Json:
    width, height = _size(ctx, task)
    # The smallest size that the documented form can express is a tenth.
    megabytes = max(0.1, _clip(ctx, task).size_bytes / _MEGABYTE)
    return {
        "task_id": task.id,
        "status": ctx.state(task),
        "video_url": ctx.url("video", id=task.id),
        "thumbnail_url": ctx.url("thumbnail", id=task.id),
        "duration": ctx.behaviour.media["duration_s"],
        "resolution": f"{width}x{height}",
        "file_size": f"{megabytes:.1f} MB",
        "created_at": _created_at(ctx, task),
    }


def _created_at(ctx: Instant, task: Resource) -> str:
    if ctx.reading("created_at") == "microseconds":
        return rfc3339_microseconds(task.created_ms)
    return rfc3339(task.created_ms // 1_000 * 1_000)


def _failure(ctx: Instant, task: Resource) -> Json:
    """A failed task's status: without `data`, as documented, although samples read it (UL-078)."""
    assert task.script is not None
    body: dict[str, Json] = {
        "success": False,
        "error": ctx.behaviour.facts["failed_error"],
        "error_details": task.script.reason,
        "credits_refunded": ctx.ledger.refunded(task.account, task.id),
    }
    if ctx.reading("failed_body") == "failed_with_data":
        body["data"] = {"task_id": task.id, "status": ctx.state(task)}
    return body


# Files


@provider.asset("video")
def serve_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    task = _finished(ctx, parts["id"])
    if task is None:
        return None
    stamp = {"job": task.id, "world": ctx.world.id}
    return Asset(video_bytes(_clip(ctx, task), stamp=stamp), "video/mp4")


@provider.asset("thumbnail")
def serve_thumbnail(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    task = _finished(ctx, parts["id"])
    if task is None:
        return None
    return Asset(still(StillKind.POSTER, *_size(ctx, task)), "image/jpeg")


def _finished(ctx: Instant, task_id: str) -> Resource | None:
    task = ctx.find("task", task_id)
    return task if task is not None and ctx.kind(task) is Kind.SUCCEEDED else None


def _clip(ctx: Instant, task: Resource) -> Clip:
    media = ctx.behaviour.media
    duration_ms = media["duration_s"] * 1_000
    return choose_clip(*_size(ctx, task), fps=media["fps"], duration_ms=duration_ms)


def _size(ctx: Instant, task: Resource) -> tuple[int, int]:
    width, height = ctx.behaviour.media["sizes"][task.doc["aspect_ratio"]]
    return width, height


# Refusals


@provider.refusal
def shape(call: Call, refusal: Refusal) -> Reply | None:
    """An injected 500 names the refund; the framework's own form if that reading is chosen."""
    if refusal.reason.startswith("fault:"):
        is_plain = refusal.facts.get("status") == 500 and refusal.facts.get("body") is None
        if not is_plain:
            return None
        return from_contract(call, Refusal("server_error", {"refunded": _given_back(call)}))
    if call.ctx.reading("error_form") != "drf_detail":
        return None
    reply = from_contract(call, refusal)
    reply.body = _framework_body(refusal, reply)
    return reply


def _given_back(call: Call) -> int:
    """The price of the task that this call has started, which ends here with the error."""
    ctx = call.ctx
    tasks = ctx.rows.resources.of_account(ctx.provider, "task", call.account_id, limit=1)
    if not tasks or tasks[0].doc["request"] != ctx.number:
        return 0
    (task,) = tasks
    ctx.ledger.settle(task.account, task.id, ctx.now_ms, succeeded=False)
    if not ctx.kind(task).is_final:
        message = ctx.behaviour.refusals["server_error"].message
        finish_now(ctx, set_outcome(ctx, task, Kind.FAILED, message))
    return ctx.ledger.refunded(task.account, task.id)


def _framework_body(refusal: Refusal, detail: Reply) -> Json:
    """The body that the web framework would give the refusal *detail*."""
    if refusal.reason == "invalid":
        errors: dict[str, list[str]] = {}
        for violation in refusal.violations:
            name = violation.field.partition(".")[0] or "non_field_errors"
            errors.setdefault(name, [_framework_error(violation)])
        return errors
    words = _FRAMEWORK_WORDS.get(refusal.reason)
    if refusal.reason == "too_many_running" and refusal.facts["wait_s"] is None:
        return {"detail": "Request was throttled."}
    if words is not None:
        return {"detail": fill_text(words, refusal.facts)}
    return {"detail": detail.body.get("detail") or detail.body["error"]}


def _framework_error(violation: Violation) -> str:
    """One broken rule in the words of Django REST framework's serializers."""
    match violation.keyword:
        case "required":
            return "This field is required."
        case "maxLength":
            return f"Ensure this field has no more than {violation.limit} characters."
        case "enum":
            given = violation.actual.strip("'")
            return f'"{given}" is not a valid choice.'
        case "pattern" if violation.field == "image_url":
            return "Enter a valid URL."
        case "minLength" | "pattern":
            return "This field may not be blank."
        case _:
            return f"Expected {violation.expected}, got {violation.actual or 'null'}."

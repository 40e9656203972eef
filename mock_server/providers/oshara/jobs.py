"""Oshara's video jobs: creating them from forms, reading and counting them, and their files.

Source: https://blog.oshara.ai/docs/video-rendering/jobs, read 2026-11-21. Clause ids are explained
in `specs/oshara/clauses.yaml`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from screentest.specs.behaviour.behaviour import Kind
from screentest.specs.json_types import Json

from ...engine.instant import Instant
from ...engine.provider import Call, Provider, Reply, Upload
from ...kernel.bodies import read_json
from ...kernel.clock import rfc3339, rfc3339_microseconds
from ...kernel.ids import digest, mint
from ...kernel.rows import Resource
from ...media.asset import Asset
from ...media.clips import choose_clip, video_bytes

provider = Provider("oshara")

_CREATED_FIELDS = (
    "id",
    "title",
    "status",
    "text_content",
    "processed_video_url",
    "error_message",
    "created_at",
)

# Creating


@provider.operation("createVideoJob")
def create_video_job(call: Call) -> Reply:
    form = call.body
    made = {
        "title": _text(call, "title"),
        "text_content": _text(call, "text_content"),
        "voice": _voice(form),
        "processing_params": read_json(form.get("processing_params", "null").encode()),
        "avatar_sha256": form["avatar"].sha256,
    }
    return _created(call, call.start(made))


@provider.operation("createVideoOnlyJob")
def create_video_only_job(call: Call) -> Reply:
    form = call.body
    made = {
        "title": _text(call, "title"),
        "text_content": "" if call.ctx.reading("video_only_text") == "empty" else None,
        "voice": f"audio {form['audio'].sha256}",
        "processing_params": None,
        "avatar_sha256": form["avatar"].sha256,
    }
    return _created(call, call.start(made))


def _text(call: Call, name: str) -> str:
    """The text of a field as it is stored (S32)."""
    sent: str = call.body[name]
    return sent.strip() if call.ctx.reading("surrounding_space") == "trimmed" else sent


def _voice(form: Mapping[str, str | Upload]) -> str:
    """The uploaded sample, else the saved voice, else a standard one (S8, S9)."""
    sample = form.get("reference_audio")
    if isinstance(sample, Upload):
        return f"reference_audio {sample.sha256}"
    saved = form.get("reference_voice")
    return f"reference_voice {saved}" if saved else "standard"


def _created(call: Call, job: Resource) -> Reply:
    """The seven fields of a new job (S6). Its status is PENDING even if jobs take no time."""
    shown = {
        "id": int(job.id),
        "title": job.doc["title"],
        "status": "PENDING",
        "text_content": job.doc["text_content"],
        "processed_video_url": None,
        "error_message": None,
        "created_at": _timestamp(call.ctx, job.created_ms),
    }
    return Reply(int(call.ctx.reading("create_status")), shown)


# Reading


@provider.operation("getVideoJob")
@provider.operation("getVideoOnlyJob")
def get_video_job(call: Call) -> Reply:
    return Reply(200, _shown(call.ctx, call.found["video_job"]))


@provider.operation("listVideoJobs")
def list_video_jobs(call: Call) -> Reply:
    ctx = call.ctx
    jobs: list[Json] = [_shown(ctx, job) for job in _jobs(call)]
    if ctx.reading("listed_fields") == "as_created":
        jobs = [{name: job[name] for name in _CREATED_FIELDS} for job in jobs]
    if ctx.reading("list_form") == "array":
        return Reply(200, jobs)
    return Reply(200, {"count": len(jobs), "next": None, "previous": None, "results": jobs})


@provider.operation("getVideoJobStats")
def get_video_job_stats(call: Call) -> Reply:
    kinds = Counter(call.ctx.kind(job) for job in _jobs(call))
    pending = kinds[Kind.WAITING]
    if call.ctx.reading("pending_in_stats") == "waiting_and_processing":
        pending += kinds[Kind.RUNNING]
    return Reply(
        200,
        {
            "total": kinds.total(),
            "completed": kinds[Kind.SUCCEEDED],
            "failed": kinds[Kind.FAILED],
            "pending": pending,
        },
    )


@provider.detail("video_job")
def show_details(ctx: Instant, job: Resource) -> Mapping[str, Json]:
    return {
        name: job.doc[name] for name in ("title", "voice", "processing_params", "avatar_sha256")
    }


def _jobs(call: Call) -> list[Resource]:
    ctx = call.ctx
    return ctx.rows.resources.of_account(ctx.provider, "video_job", call.account_id)


def _shown(ctx: Instant, job: Resource) -> dict[str, Json]:
    assert job.script is not None
    kind = ctx.kind(job)
    is_taken = kind is not Kind.WAITING or ctx.reading("external_job_id") == "from_creation_on"
    shown: dict[str, Json] = {
        "id": int(job.id),
        "title": job.doc["title"],
        "status": ctx.state(job),
        "text_content": job.doc["text_content"],
        "processed_video_url": ctx.url("video", id=job.id) if kind is Kind.SUCCEEDED else None,
        "error_message": job.script.reason if kind is Kind.FAILED else None,
        "external_job_id": _external_id(ctx, job) if is_taken else None,
        "created_at": _timestamp(ctx, job.created_ms),
        "updated_at": _timestamp(ctx, ctx.entered_ms(job)),
    }
    if ctx.reading("processing_params_echo") == "shown":
        shown["processing_params"] = job.doc["processing_params"]
    return shown


def _external_id(ctx: Instant, job: Resource) -> str:
    return mint(ctx.behaviour.facts["external_id"], int(job.id), ctx.world.seed, ctx.provider)


def _timestamp(ctx: Instant, at_ms: int) -> str:
    if ctx.reading("timestamps") == "microseconds":
        return rfc3339_microseconds(at_ms)
    return rfc3339(at_ms // 1_000 * 1_000)


# Files


@provider.asset("video")
def serve_video(ctx: Instant, parts: Mapping[str, str]) -> Asset | None:
    job = ctx.find("video_job", parts["id"])
    if job is None or ctx.kind(job) is not Kind.SUCCEEDED:
        return None
    media = ctx.behaviour.media
    clip = choose_clip(*media["size"], fps=media["fps"])
    content = digest(job.doc["title"], job.doc["text_content"], job.doc["voice"]).hex()[:16]
    stamp = {"job": job.id, "content": content, "world": ctx.world.id}
    return Asset(video_bytes(clip, stamp=stamp), "video/mp4")

"""Ozor's API as a developer would fake it with FastAPI, from the provider's page alone.

A program of its own: `python ozor_fastapi.py PORT SPEED MEDIA [DEFECT]`.
"""

import json
import secrets
import sys
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import uvicorn
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel, Field, model_validator

PORT, SPEED, MEDIA = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
DEFECT = sys.argv[4] if len(sys.argv) > 4 else ""
BEGAN_S, BEGAN_MONOTONIC_S = time.time(), time.monotonic()
ACCOUNTS = {"key-one": "one", "key-two": "two", "key-empty": "empty"}
BEARERS = {"bearer-one": "one", "bearer-two": "two"}
CREDITS = {"one": 1_000_000, "two": 1_000_000, "empty": 0}
SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
VOICES = """aria female Clear, precise|nova female Warm, natural|felix male Playful, upbeat
marcus male Neutral, professional|thor male Deep, authoritative|luna female Soft, calm
owen male Steady, trustworthy|sky neutral Light, friendly""".replace("\n", "|")
VOICE = ("id", "label", "gender", "character")
OFFICE = "application/vnd.openxmlformats-officedocument."
FILE_TYPES = {
    "application/pdf": "pdf",
    f"{OFFICE}presentationml.presentation": "pptx",
    f"{OFFICE}wordprocessingml.document": "docx",
}
STYLE = {"colors": ["#0F172A"], "fonts": ["Inter"], "tone": "professional", "layout": "slide"}
QUEUED_S, AGENT_S, RENDER_S, SCENE_S, DAY_S = 5, 45, 40, 3, 86_400

LOCK = threading.RLock()
KEYS: dict[str, dict[str, Any]] = {}
VIDEOS: dict[str, dict[str, Any]] = {}
PLANS: dict[str, dict[str, Any]] = {}
# When credits were taken, or will be, from whom, and how many.
CHARGES: list[tuple[float, str, int]] = []

app = FastAPI()
Aspect = Literal["16:9", "9:16"]
Quality = Literal["720p", "1080p", "4k"]


def now() -> float:
    return BEGAN_S + (time.monotonic() - BEGAN_MONOTONIC_S) * SPEED


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(6)


class Medium(BaseModel):
    url: str | None = None
    base64: str | None = None

    @model_validator(mode="after")
    def has_content(self) -> Self:
        if self.url is None and self.base64 is None:
            raise ValueError("url or base64 is needed")
        b64decode(self.base64 or "", validate=True)
        return self


class Image(Medium):
    mimeType: Literal["image/jpeg", "image/png", "image/webp"] | None = None


class Clip(Medium):
    mimeType: Literal["video/mp4", "video/webm"] | None = None
    durationSec: float | None = None
    thumbnailUrl: str | None = None


class Generate(BaseModel):
    prompt: str = Field(min_length=1, max_length=9000 if DEFECT == "accepts_long_prompt" else 2000)
    aspect: Aspect = "16:9"
    export: bool = False
    exportQuality: Quality = "720p"
    exportIsPublic: bool = False
    images: list[Image] = []
    videos: list[Clip] = []


class Message(BaseModel):
    message: str = Field(min_length=1, max_length=2000)
    images: list[Image] = []
    videos: list[Clip] = []


class Export(BaseModel):
    quality: Quality = "1080p"
    isPublic: bool = False


class Named(BaseModel):
    name: str = Field(min_length=1, max_length=64)


class ImageRef(BaseModel):
    storagePath: str


class Scene(BaseModel):
    order: int
    sceneTitle: str
    scenePrompt: str
    voiceoverText: str
    imageRefs: list[ImageRef] = []
    keyPoints: list[str] = []


class Voice(BaseModel):
    voiceId: str | None = None
    speakingStyle: str | None = None
    speakingRate: float = Field(1.0, ge=0.5, le=2.0)


class PlanEdit(BaseModel):
    scenes: list[Scene] | None = None
    voiceSettings: Voice | None = None


@app.exception_handler(RequestValidationError)
def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
    first = problem.errors()[0]
    where = ".".join(str(it) for it in first["loc"][1:])
    return JSONResponse({"detail": f"{where}: {first['msg']}"}, 400)


def key_owner(x_api_key: Annotated[str | None, Header()] = None) -> str:
    if x_api_key in ACCOUNTS:
        return ACCOUNTS[x_api_key]
    for key in KEYS.values():
        is_active = key["status"] == "active" or DEFECT == "revoked_key_works"
        if key["rawKey"] == x_api_key and is_active:
            key["lastUsedAt"] = int(now() * 1000)
            return key["who"]
    raise HTTPException(401, "Invalid or missing API key")


def signed_in(authorization: Annotated[str | None, Header()] = None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme != "Bearer" or token not in BEARERS:
        raise HTTPException(401, "Firebase token missing or invalid")
    return BEARERS[token]


Who = Annotated[str, Depends(key_owner)]
SignedIn = Annotated[str, Depends(signed_in)]


def must_have(who: str, cost: int) -> None:
    spent = sum(it[2] for it in CHARGES if it[1] == who and it[0] <= now())
    if CREDITS[who] - spent < cost and DEFECT != "empty_account_works":
        raise HTTPException(402, f"You are out of credits: this costs {cost}.")


def owned(found: dict[str, Any] | None, who: str, what: str) -> dict[str, Any]:
    if found is None:
        raise HTTPException(404, f"{what} not found")
    if found["who"] != who and DEFECT != "other_account_reads":
        raise HTTPException(403, f"{what} belongs to another account")
    return found


@app.post("/api/api-keys")
def create_key(body: Named, who: SignedIn) -> dict[str, Any]:
    with LOCK:
        if sum(it["who"] == who and it["status"] == "active" for it in KEYS.values()) >= 5:
            raise HTTPException(400, "An account has at most 5 active keys")
        raw = f"sk_live_{secrets.token_hex(16)}"
        key = {"keyId": new_id(""), "name": body.name, "prefix": raw[:12], "rawKey": raw}
        key |= {"createdAt": int(now() * 1000)}
        KEYS[key["keyId"]] = {**key, "who": who, "status": "active", "lastUsedAt": None}
    return key


@app.get("/api/api-keys")
def list_keys(who: SignedIn) -> list[dict[str, Any]]:
    hidden = {"who"} if DEFECT == "raw_key_is_listed" else {"who", "rawKey"}
    mine = [it for it in KEYS.values() if it["who"] == who]
    return [{name: key[name] for name in key if name not in hidden} for key in mine]


@app.delete("/api/api-keys/{key_id}")
def revoke_key(key_id: str, who: SignedIn) -> dict[str, str]:
    key = KEYS.get(key_id)
    if key is None or key["who"] != who:
        raise HTTPException(404, "API key not found")
    key["status"] = "revoked"
    return {"message": f"API key {key_id} revoked"}


def start_job(video: dict[str, Any], asked: str) -> dict[str, Any]:
    job = {"jobId": new_id("job_"), "created": now(), "ends": now() + AGENT_S, "asked": asked}
    video["jobs"].append(job)
    CHARGES.append((job["ends"], video["who"], 1))
    return job


def start_export(
    video: dict[str, Any], quality: str, *, is_public: bool, at: float
) -> dict[str, Any]:
    scenes = sum(it["ends"] <= at for it in video["jobs"])
    found = {"id": new_id("exp_"), "same": (scenes, quality, is_public), "created": at}
    found["code"] = secrets.token_hex(4)[:7] if is_public else None
    video["exports"].append(found)
    return found


def add_video(who: str, title: str, aspect: str) -> dict[str, Any]:
    video = {"id": new_id(""), "who": who, "aspect": aspect, "created": now()}
    video |= {"title": title if len(title) < 31 else f"{title[:28]}...", "jobs": [], "exports": []}
    VIDEOS[video["id"]] = video
    return video


def export_status(export: dict[str, Any]) -> str:
    passed_s = now() - export["created"]
    if passed_s >= RENDER_S:
        return "completed" if DEFECT == "complete_is_completed" else "complete"
    return "processing" if passed_s >= QUEUED_S else "queued"


def export_shown(export: dict[str, Any], request: Request) -> dict[str, Any]:
    status, url = export_status(export), f"{request.base_url}files/{export['id']}"
    is_done, is_public = status.startswith("complete"), export["code"] is not None
    return {
        "exportId": export["id"],
        "exportStatus": status,
        "downloadUrl": f"{url}/video.mp4?Expires={int(now()) + DAY_S}" if is_done else None,
        "shareUrl": f"{url}/video.mp4" if is_done and is_public else None,
        "shareCode": export["code"],
        "thumbnailUrl": f"{url}/thumb.jpg" if is_done else None,
        "exportError": None,
    }


def begun(video: dict[str, Any]) -> list[dict[str, Any]]:
    return sorted(
        (it for it in video["exports"] if it["created"] <= now()), key=itemgetter("created")
    )


def summary(video: dict[str, Any], request: Request) -> dict[str, Any]:
    statuses = [export_status(it) for it in begun(video)]
    is_rendering = "queued" in statuses or "processing" in statuses
    return {
        "videoId": video["id"],
        "title": video["title"],
        "status": "rendering" if is_rendering else "completed" if statuses else "draft",
        "editorUrl": f"{request.base_url}editor?projectId={video['id']}",
        "createdAt": iso(video["created"]),
    }


@app.post("/api/v1/videos/generate")
def generate(body: Generate, who: Who) -> dict[str, str]:
    with LOCK:
        must_have(who, 1)
        video = add_video(who, body.prompt, body.aspect)
        job = start_job(video, body.prompt)
        if body.export:
            start_export(video, body.exportQuality, is_public=body.exportIsPublic, at=job["ends"])
    return {"videoId": video["id"], "jobId": job["jobId"], "status": "pending"}


@app.get("/api/v1/videos")
def list_videos(
    request: Request, who: Who, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> dict[str, Any]:
    mine = [it for it in list(VIDEOS.values()) if it["who"] == who]
    mine = mine if DEFECT == "oldest_first" else mine[::-1]
    shown = mine if DEFECT == "limit_is_ignored" else mine[:limit]
    return {"videos": [summary(it, request) for it in shown]}


@app.get("/api/v1/videos/{video_id}")
def get_video(video_id: str, request: Request, who: Who) -> dict[str, Any]:
    video = owned(VIDEOS.get(video_id), who, "Video")
    exports = begun(video)
    return summary(video, request) | (export_shown(exports[-1], request) if exports else {})


@app.post("/api/v1/videos/{video_id}/export")
def export_video(video_id: str, body: Export, request: Request, who: Who) -> dict[str, Any]:
    video = owned(VIDEOS.get(video_id), who, "Video")
    with LOCK:
        export = start_export(video, body.quality, is_public=body.isPublic, at=now())
        earlier = [it for it in begun(video) if it["same"] == export["same"]]
        is_cached = export_status(earlier[0]).startswith("complete")
        if is_cached and DEFECT != "identical_export_renders_again":
            video["exports"].remove(export)
            video["exports"].remove(earlier[0])
            video["exports"].append(earlier[0])
            return {"videoId": video_id, **export_shown(earlier[0], request)}
    shown = {"videoId": video_id, "exportId": export["id"], "exportStatus": "queued"}
    return {**shown, "shareCode": export["code"]}


@app.post("/api/v1/videos/{video_id}/message")
def message(video_id: str, body: Message, who: Who) -> dict[str, str]:
    video = owned(VIDEOS.get(video_id), who, "Video")
    with LOCK:
        must_have(who, 1)
        job = start_job(video, body.message)
    return {"videoId": video_id, "jobId": job["jobId"], "status": "queued"}


@app.get("/api/v1/videos/{video_id}/jobs/{job_id}")
def get_job(video_id: str, job_id: str, who: Who) -> dict[str, str]:
    video = owned(VIDEOS.get(video_id), who, "Video")
    job = next((it for it in video["jobs"] if it["jobId"] == job_id), None)
    if job is None:
        raise HTTPException(404, "Job not found")
    status = "processing" if now() >= job["created"] + QUEUED_S else "queued"
    shown = {"videoId": video_id, "jobId": job_id, "status": status}
    if now() >= job["ends"]:
        shown |= {"status": "completed", "response": f"Done: {job['asked'][:60]}"}
    return {**shown, "createdAt": iso(job["created"])}


@app.get("/api/v1/videos/{video_id}/conversations/{conversation_id}/tool-trace")
def tool_trace(video_id: str, conversation_id: str, who: Who) -> dict[str, Any]:
    video = owned(VIDEOS.get(video_id), who, "Video")
    if conversation_id != f"conv_{video_id}":
        raise HTTPException(404, "Conversation not found")
    turns = [it for it in video["jobs"] if now() >= it["ends"]]
    call = {"name": "create_scene", "args": {"order": 1, "title": "Intro"}}
    messages = [
        {"messageId": f"msg_{number}", "createdAt": iso(it["ends"]), "toolCalls": [call]}
        | {"textPreview": f"Done: {it['asked'][:60]}"}
        for number, it in enumerate(turns, 1)
    ]
    counts = {"totalAssistantTurns": len(turns), "totalToolCalls": len(turns)}
    named = {"videoId": video_id, "conversationId": conversation_id}
    return {**named, **counts, "messages": messages}


@app.get("/files/{export_id}/{name}", response_model=None)
def file(export_id: str, name: str, Expires: int | None = None) -> FileResponse:
    known = [
        (v["aspect"], e) for v in VIDEOS.values() for e in v["exports"] if e["id"] == export_id
    ]
    if not known:
        raise HTTPException(404, "No such file")
    if Expires is not None and now() > Expires:
        raise HTTPException(403, "The URL has expired")
    aspect, export = known[0]
    wide, high = SIZES[export["same"][1]]
    if aspect == "9:16":
        wide, high = high, wide
    if name == "thumb.jpg":
        return FileResponse(MEDIA / f"poster-{'640x360' if wide > high else '360x640'}.jpg")
    return FileResponse(MEDIA / f"{wide}x{high}-30fps-4s.mp4", media_type="video/mp4")


def cost_of(plan: dict[str, Any]) -> int:
    spoken = sum(bool(it["voiceoverText"].strip()) for it in plan["scenes"])
    return (spoken + 1) // 2 if DEFECT == "plan_cost_rounds_up" else spoken // 2


def plan_shown(plan: dict[str, Any], request: Request) -> dict[str, Any]:
    url = f"{request.base_url}pages/page.png?Expires={int(now()) + 900}"
    scenes = [
        {**it, "imageRefs": [{**ref, "url": url} for ref in it["imageRefs"]]}
        for it in plan["scenes"]
    ]
    rest = {name: plan[name] for name in plan if name != "who"}
    return {"plan": {**rest, "scenes": scenes, "creditsCost": cost_of(plan)}}


@app.get("/pages/page.png")
def page() -> FileResponse:
    return FileResponse(MEDIA / "page-960x540.png")


@app.get("/api/v1/documents/voices")
def voices(who: Who) -> dict[str, Any]:
    rows = [it.split(" ", 2) for it in VOICES.split("|")]
    return {"voices": [dict(zip(VOICE, (r[0], r[0].title(), *r[1:]), strict=True)) for r in rows]}


@app.post("/api/v1/documents/analyze")
def analyze(
    request: Request,
    who: Who,
    file: Annotated[UploadFile | None, File()] = None,
    url: Annotated[str | None, Form()] = None,
    target_duration_sec: Annotated[int, Form(ge=1)] = 30,
    prompt: Annotated[str | None, Form()] = None,
    aspect_ratio: Annotated[Aspect, Form()] = "16:9",
) -> dict[str, Any]:
    if (file is None) == (url is None):
        raise HTTPException(400, "Provide exactly one of file or url")
    if file is not None and file.content_type not in FILE_TYPES:
        raise HTTPException(400, "Unsupported file type")
    if file is not None and (file.size or 0) > 50 * 1024 * 1024:
        raise HTTPException(400, "The file is over 50 MB")
    if url is not None and not url.startswith(("http://", "https://")):
        raise HTTPException(400, "url must be an http(s):// URL")
    with LOCK:
        must_have(who, 1)
        CHARGES.append((now(), who, 1))
        plan_id = new_id("plan_")
        image = {"storagePath": f"users/{who}/plans/{plan_id}/page_0_img_0.png"}
        scene = {"scenePrompt": "A title card", "imageRefs": [image], "keyPoints": ["intro"]}
        many = max(1, target_duration_sec // 5)
        plan = {"who": who, "planId": plan_id, "status": "draft", "language": "en", "style": STYLE}
        plan |= {"fileName": file.filename if file else None, "sourceUrl": url}
        plan |= {"fileType": FILE_TYPES[file.content_type or ""] if file else "url"}
        plan |= {"aspectRatio": aspect_ratio, "createdVia": "api", "projectId": None, "error": None}
        plan |= {"createdAt": int(now()), "updatedAt": int(now())}
        plan["scenes"] = [
            {**scene, "order": it, "sceneTitle": f"Scene {it}", "voiceoverText": f"Scene {it}."}
            for it in range(1, many + 1)
        ]
        PLANS[plan_id] = plan
    return plan_shown(plan, request)


def editable(plan_id: str, who: str) -> dict[str, Any]:
    plan = owned(PLANS.get(plan_id), who, "Plan")
    if plan["status"] not in ("draft", "failed"):
        raise HTTPException(400, f"The plan is {plan['status']}")
    return plan


@app.get("/api/v1/documents/plans/{plan_id}")
def get_plan(plan_id: str, request: Request, who: Who) -> dict[str, Any]:
    return plan_shown(owned(PLANS.get(plan_id), who, "Plan"), request)


@app.patch("/api/v1/documents/plans/{plan_id}")
def edit_plan(plan_id: str, body: PlanEdit, request: Request, who: Who) -> dict[str, Any]:
    is_open = DEFECT == "generated_plan_can_be_edited"
    plan = owned(PLANS.get(plan_id), who, "Plan") if is_open else editable(plan_id, who)
    known = [it.split(" ")[0] for it in VOICES.split("|")]
    if body.voiceSettings is not None and body.voiceSettings.voiceId not in (None, *known):
        raise HTTPException(400, "Unknown voiceId")
    if body.scenes is not None:
        plan["scenes"] = [it.model_dump() for it in body.scenes]
    plan["updatedAt"] = int(now())
    return plan_shown(plan, request)


@app.post("/api/v1/documents/plans/{plan_id}/generate", response_model=None)
def render_plan(plan_id: str, who: Who) -> StreamingResponse:
    with LOCK:
        plan = editable(plan_id, who)
        must_have(who, cost_of(plan))
        plan["status"] = "generating"
    return StreamingResponse(progress(plan), media_type="text/event-stream")


def progress(plan: dict[str, Any]) -> Iterator[str]:
    many = len(plan["scenes"])
    try:
        yield _event("init", "Starting generation", 0)
        for number in range(1, many + 1):
            time.sleep(SCENE_S / SPEED)
            yield _event("tts", f"Generating voiceover {number}/{many}", 5 + 40 * number // many)
        for number in range(1, many + 1):
            time.sleep(SCENE_S / SPEED)
            yield _event("scenes", f"Rendering scene {number}/{many}", 45 + 40 * number // many)
        yield _event("assembly", "Assembling project", 90)
        with LOCK:
            video = add_video(plan["who"], plan["fileName"] or "Document", plan["aspectRatio"])
            CHARGES.append((now(), plan["who"], cost_of(plan)))
            plan |= {"status": "generated", "projectId": video["id"], "updatedAt": int(now())}
        more = {} if DEFECT == "done_without_project" else {"projectId": video["id"]}
        yield _event("done", "Video project ready!", 100, **more)
    finally:
        if plan["status"] == "generating":
            plan["status"] = "failed"


def _event(step: str, detail: str, pct: int, **more: str) -> str:
    return f"data: {json.dumps({'step': step, 'detail': detail, 'pct': pct, **more})}\n\n"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")

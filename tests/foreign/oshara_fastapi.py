"""Oshara's video jobs as a developer would fake them with FastAPI, from the provider's page alone.

A program of its own: `python oshara_fastapi.py PORT SPEED MEDIA [DEFECT]`. Other readings than
those of the fake on Django: a new job has only the fields of the first example, jobs of other
accounts are 403, errors are texts, `pending` counts jobs that wait, and times have microseconds.
"""

import json
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Form, Header, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse

PORT, SPEED, MEDIA = int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])
DEFECT = sys.argv[4] if len(sys.argv) > 4 else ""
BEGAN, BEGAN_S = datetime.now(UTC), time.monotonic()
WAITS_S, LASTS_S = 10, 90
JOBS: list[dict[str, Any]] = []
LOCK = threading.Lock()

app = FastAPI()


def now() -> datetime:
    return BEGAN + timedelta(seconds=(time.monotonic() - BEGAN_S) * SPEED)


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def account(authorization: Annotated[str | None, Header()] = None) -> str:
    if authorization is None and DEFECT == "no_token_needed":
        return "key-one"
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or token not in ("key-one", "key-two"):
        raise HTTPException(401, "Invalid token")
    return token


Who = Annotated[str, Depends(account)]


@app.exception_handler(RequestValidationError)
def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
    first = problem.errors()[0]
    return JSONResponse({"error": f"{first['loc'][-1]}: {first['msg']}"}, 400)


@app.exception_handler(HTTPException)
def refused(request: Request, problem: HTTPException) -> JSONResponse:
    return JSONResponse({"error": problem.detail}, problem.status_code)


def state_of(job: dict[str, Any]) -> tuple[str, datetime]:
    passed_s = (now() - job["created"]).total_seconds()
    if passed_s >= LASTS_S:
        done = "DONE" if DEFECT == "completed_is_called_done" else "COMPLETED"
        return done, job["created"] + timedelta(seconds=LASTS_S)
    if passed_s >= WAITS_S:
        return "PROCESSING", job["created"] + timedelta(seconds=WAITS_S)
    return "PENDING", job["created"]


def new(job: dict[str, Any], request: Request, status: str = "PENDING") -> dict[str, Any]:
    url = None
    if status == "COMPLETED" or (DEFECT == "url_is_early" and status == "PROCESSING"):
        url = f"{request.base_url}videos/{job['id']}/output.mp4?X-Amz-Expires=3600"
        url += f"&X-Amz-Date={now():%Y%m%dT%H%M%SZ}"
    return {
        "id": job["id"],
        "title": job["text"] if DEFECT == "title_is_the_text" else job["title"],
        "status": status,
        "text_content": job["text"],
        "processed_video_url": url,
        "error_message": "" if DEFECT == "error_is_empty_text" else None,
        "created_at": iso(now() if DEFECT == "created_at_moves" else job["created"]),
    }


def shown(job: dict[str, Any], request: Request) -> dict[str, Any]:
    # Both from one look at the clock.
    status, updated = state_of(job)
    more = {"external_job_id": f"imtk-{job['id']:06x}", "updated_at": iso(updated)}
    return {**new(job, request, status), **more}


def add(who: str, title: str, text: str, avatar: UploadFile) -> dict[str, Any]:
    name = (avatar.filename or "").lower()
    if not name.endswith((".jpg", ".jpeg", ".png")) and DEFECT != "any_avatar":
        raise HTTPException(400, "avatar must be a JPG or PNG image")
    with LOCK:
        JOBS.append({"id": 1001 + len(JOBS), "who": who, "title": title, "text": text})
        JOBS[-1]["created"] = now()
        return JOBS[-1]


def check_sound(sound: UploadFile | None) -> None:
    name = (sound.filename or "").lower() if sound else ".wav"
    if not name.endswith((".wav", ".mp3")) and DEFECT != "any_sound":
        raise HTTPException(400, "the audio must be WAV or MP3")


@app.post("/api/video-jobs/", status_code=200 if DEFECT == "created_is_200" else 201)
def create(
    request: Request,
    who: Who,
    title: Annotated[str, Form(min_length=1)],
    text_content: Annotated[str, Form(min_length=1)],
    avatar: UploadFile,
    reference_audio: UploadFile | None = None,
    reference_voice: Annotated[str | None, Form()] = None,
    processing_params: Annotated[str | None, Form()] = None,
) -> dict[str, Any]:
    check_sound(reference_audio)
    if not (reference_voice or "0").isdigit() and DEFECT != "any_voice":
        raise HTTPException(400, "reference_voice must be an integer")
    try:
        json.loads(processing_params or "{}")
    except ValueError:
        raise HTTPException(400, "processing_params must be JSON") from None
    return new(add(who, title, text_content, avatar), request)


@app.post("/api/video-only/", status_code=201)
def create_video_only(
    request: Request,
    who: Who,
    title: Annotated[str, Form(min_length=1)],
    avatar: UploadFile,
    audio: UploadFile,
) -> dict[str, Any]:
    check_sound(audio)
    return new(add(who, title, "", avatar), request)


@app.get("/api/video-jobs/")
def list_jobs(request: Request, who: Who) -> list[dict[str, Any]]:
    mine = [it for it in JOBS if it["who"] == who]
    mine = mine[:3] if DEFECT == "list_shows_three" else mine[::-1]
    return [shown(it, request) for it in mine]


@app.get("/api/video-jobs/stats/")
def stats(who: Who) -> dict[str, int]:
    mine = JOBS if DEFECT == "stats_of_all_accounts" else [it for it in JOBS if it["who"] == who]
    states = [state_of(it)[0] for it in mine]
    done, waiting = states.count("COMPLETED"), states.count("PENDING")
    return {"total": len(states), "completed": done, "failed": 0, "pending": waiting}


@app.get("/api/video-jobs/{number}/")
def get_job(number: int, request: Request, who: Who) -> dict[str, Any]:
    job = next((it for it in JOBS if it["id"] == number), None)
    if job is None:
        raise HTTPException(404, "No such job")
    if job["who"] != who:
        raise HTTPException(403, "The job belongs to another account")
    return shown(job, request)


@app.get("/videos/{number}/output.mp4")
def video(request: Request, number: int) -> FileResponse:
    made = datetime.strptime(request.query_params["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
    if (now() - made).total_seconds() > 3600:
        raise HTTPException(403, "The URL has expired")
    return FileResponse(MEDIA / "1080x1080-24fps-10s.mp4", media_type="video/mp4")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="error")

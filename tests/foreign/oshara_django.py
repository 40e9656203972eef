"""Oshara's video jobs as a developer would fake them with Django, from the provider's page alone.

A program of its own: `python oshara_django.py PORT SPEED MEDIA [DEFECT]`.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")
_LASTS_S, _WAITS_S = 200, 20


class Oshara:
    """The jobs of both accounts, and what each request answers."""

    def __init__(self, speed: float, media: Path, defect: str) -> None:
        self.speed, self.defect = speed, defect
        self.video = (media / "1920x1080-24fps-10s.mp4").read_bytes()
        self.jobs: dict[int, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.began, self.began_s = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=(time.monotonic() - self.began_s) * self.speed)

    def account(self, request: HttpRequest) -> str | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        if self.defect == "any_token_works" and token:
            return token
        return token if token in ("key-one", "key-two") else None

    def state_of(self, job: dict[str, Any]) -> tuple[str, datetime]:
        """The status, and when it began."""
        passed_s = (self.now() - job["created"]).total_seconds()
        if passed_s >= _LASTS_S:
            return "COMPLETED", job["created"] + timedelta(seconds=_LASTS_S)
        is_back = self.defect == "status_goes_back" and passed_s > _LASTS_S / 2
        if passed_s >= _WAITS_S and not is_back:
            return "PROCESSING", job["created"] + timedelta(seconds=_WAITS_S)
        return "PENDING", job["created"]

    def shown(self, job: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        status, since = self.state_of(job)
        url = None
        if status == "COMPLETED":
            url = f"http://{request.get_host()}/videos/{job['id']}.mp4?X-Amz-Expires=3600"
            url += f"&X-Amz-Date={self.now():%Y%m%dT%H%M%SZ}"
            if self.defect == "url_without_expiry":
                url = url.partition("?")[0]
        stays = self.defect == "updated_at_stays"
        return {
            "id": str(job["id"]) if self.defect == "id_is_text" else job["id"],
            "title": job["title"],
            "status": status,
            "text_content": job["text"][:20] if self.defect == "text_is_cut" else job["text"],
            "processed_video_url": url,
            "error_message": None,
            "external_job_id": job["external"],
            "created_at": f"{job['created']:%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{job['created'] if stays else since:%Y-%m-%dT%H:%M:%SZ}",
        }

    def errors(self, request: HttpRequest, texts: list[str], files: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in texts:
            if not request.POST.get(name) and not self.is_forgiven(name):
                found[name] = ["This field is required."]
        for name in files:
            if name not in request.FILES:
                found[name] = ["No file was submitted."]
        avatar = request.FILES.get("avatar")
        is_checked = avatar is not None and self.defect != "any_file_is_an_avatar"
        if is_checked and not avatar.read(8).startswith(_PICTURES):
            found["avatar"] = ["Upload a valid image."]
        sound = request.FILES.get("reference_audio") or request.FILES.get("audio")
        if sound is not None and not sound.read(4).startswith((b"RIFF", b"ID3", b"\xff")):
            found["audio"] = ["Upload a WAV or MP3 file."]
        voice = request.POST.get("reference_voice")
        if voice is not None and not voice.isdigit():
            found["reference_voice"] = ["A valid integer is required."]
        try:
            json.loads(request.POST.get("processing_params", "{}"))
        except ValueError:
            found["processing_params"] = ["Value must be valid JSON."]
        return found

    def is_forgiven(self, name: str) -> bool:
        return name == "title" and self.defect == "title_is_optional"

    def create(self, request: HttpRequest, who: str, *files: str) -> HttpResponse:
        texts = ["title"] if "audio" in files else ["title", "text_content"]
        errors = self.errors(request, texts, ["avatar", *files])
        if errors:
            return JsonResponse(errors, status=400)
        with self.lock:
            number = len(self.jobs) + 1
            self.jobs[number] = job = {
                "id": number,
                "who": who,
                "created": self.now(),
                "title": request.POST.get("title", ""),
                "text": request.POST.get("text_content", ""),
                "external": f"imtk-{secrets.token_hex(3)}",
            }
        return JsonResponse(self.shown(job, request), status=201)

    def jobs_of(self, who: str) -> list[dict[str, Any]]:
        with self.lock:
            found = list(self.jobs.values())
        if self.defect != "list_shows_all_accounts":
            found = [it for it in found if it["who"] == who]
        return found if self.defect == "oldest_first" else found[::-1]

    def collection(self, request: HttpRequest) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        if request.method == "POST":
            return self.create(request, who)
        if request.method != "GET":
            return _not_allowed("GET, POST")
        return JsonResponse([self.shown(it, request) for it in self.jobs_of(who)], safe=False)

    def one(self, request: HttpRequest, number: int) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        if request.method != "GET":
            return _not_allowed("GET")
        job = self.jobs.get(number)
        if job is None or (job["who"] != who and self.defect != "other_account_reads"):
            return JsonResponse({"detail": "Not found."}, status=404)
        return JsonResponse(self.shown(job, request))

    def stats(self, request: HttpRequest) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        if request.method != "GET":
            return _not_allowed("GET")
        states = [self.state_of(it)[0] for it in self.jobs_of(who)]
        done = states.count("COMPLETED")
        is_short = self.defect == "total_leaves_pending_out"
        return JsonResponse(
            {
                "total": done if is_short else len(states),
                "completed": done,
                "failed": 0,
                "pending": len(states) - done,
            }
        )

    def video_only(self, request: HttpRequest) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        return (
            self.create(request, who, "audio") if request.method == "POST" else _not_allowed("POST")
        )

    def file(self, request: HttpRequest, number: int) -> HttpResponse:
        asked = request.GET.get("X-Amz-Date")
        if asked is not None:
            made = datetime.strptime(asked, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if (self.now() - made).total_seconds() > 3600:
                return HttpResponse(status=403)
        return HttpResponse(self.video, content_type="video/mp4")


def _refused() -> HttpResponse:
    return JsonResponse(
        {"detail": "Authentication credentials were not provided."},
        status=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


def _not_allowed(methods: str) -> HttpResponse:
    return JsonResponse({"detail": "Method not allowed."}, status=405, headers={"Allow": methods})


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def main(port: str, speed: str, media: str, defect: str = "") -> None:
    fake = Oshara(float(speed), Path(media), defect)
    # Django looks for its routes in a module.
    urls = [
        path("api/video-jobs/", fake.collection),
        path("api/video-jobs/stats/", fake.stats),
        path("api/video-jobs/<int:number>/", fake.one),
        path("api/video-only/", fake.video_only),
        path("videos/<int:number>.mp4", fake.file),
    ]
    settings.configure(
        ROOT_URLCONF=tuple(urls), ALLOWED_HOSTS=["*"], DEFAULT_CHARSET="utf-8", LOGGING_CONFIG=None
    )
    application = get_wsgi_application()
    make_server("127.0.0.1", int(port), application, _Server, _Quiet).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

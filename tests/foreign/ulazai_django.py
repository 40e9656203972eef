"""UlazAI's Sora API as a developer would fake it with Django, from the provider's page alone.

A program of its own: `python ulazai_django.py PORT SPEED MEDIA [DEFECT]`. Other readings than those
of the fake on Flask: errors in the form of Django REST framework, no discount unless asked for,
the limit of ten before the body, and the balance last.
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

_SIZES = {"landscape": "1920x1080", "portrait": "1080x1920", "square": "1080x1080"}
_LASTS_S = 150
_AT_ONCE = 10


class UlazAI:
    """The accounts and tasks, and what each request answers."""

    def __init__(self, speed: float, media: Path, defect: str) -> None:
        self.speed, self.media, self.defect = speed, media, defect
        self.credits = {"key-one": 500_000, "key-two": 500_000, "key-empty": 0}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.began, self.began_s = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=(time.monotonic() - self.began_s) * self.speed)

    def account(self, request: HttpRequest) -> str | None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        is_known = scheme == "Token" or self.defect == "any_scheme_works"
        return key if is_known and key in self.credits else None

    def is_done(self, task: dict[str, Any]) -> bool:
        return (self.now() - task["created"]).total_seconds() >= _LASTS_S

    def price(self, body: dict[str, Any]) -> int:
        price = 70 if body.get("prompt_directory_optin", False) else 80
        if self.defect == "image_costs_more" and "image_url" in body:
            price += 20
        if self.defect == "quality_costs" and body.get("quality") == "high":
            price *= 2
        return price

    def errors(self, body: dict[str, Any], names: tuple[str, ...]) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in names:
            if not isinstance(body.get(name), str) or not body[name].strip():
                found[name] = ["This field is required."]
        if "prompt" not in found and len(body["prompt"]) > 5000:
            found["prompt"] = ["Ensure this field has no more than 5000 characters."]
        choices = {"aspect_ratio": [*_SIZES], "quality": ["standard", "high"]}
        if self.defect == "no_square":
            choices["aspect_ratio"].remove("square")
        if self.defect == "any_ratio":
            del choices["aspect_ratio"]
        for name, known in choices.items():
            if body.get(name, known[0]) not in known:
                found[name] = ["Not a valid choice."]
        if not isinstance(body.get("prompt_directory_optin", False), bool):
            found["prompt_directory_optin"] = ["Must be a valid boolean."]
        is_url = str(body.get("image_url", "http://")).startswith(("http://", "https://"))
        if "image_url" in names and not is_url:
            found["image_url"] = ["Enter a valid URL."]
        if self.defect == "image_is_optional":
            found.pop("image_url", None)
        return found

    def generate(self, request: HttpRequest, *names: str) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        if request.method != "POST":
            return _not_allowed("POST")
        try:
            body = json.loads(request.body)
        except ValueError:
            return JsonResponse({"detail": "JSON parse error"}, status=400)
        if not isinstance(body, dict):
            return JsonResponse({"non_field_errors": ["Expected an object."]}, status=400)
        with self.lock:
            running = [it for it in self.tasks.values() if it["who"] == who]
            if sum(not self.is_done(it) for it in running) >= _AT_ONCE:
                return JsonResponse({"detail": "Rate limit exceeded"}, status=429)
            errors = self.errors(body, names)
            if errors:
                return JsonResponse(errors, status=400)
            price = self.price(body)
            if self.credits[who] < price:
                return JsonResponse({"detail": "Insufficient credits"}, status=402)
            self.credits[who] -= price
            task_id = f"sra_2_{secrets.token_hex(8)}"
            is_wide = self.defect == "always_landscape"
            ratio = "landscape" if is_wide else body.get("aspect_ratio", "landscape")
            self.tasks[task_id] = {"who": who, "created": self.now(), "ratio": ratio}
            left = self.credits[who]
        data = {
            "task_id": task_id,
            "status": "processing",
            "estimated_completion": "2-3 minutes",
            "credits_charged": price,
            "credits_remaining": left + price if self.defect == "remaining_is_before" else left,
            "webhook_url": request.build_absolute_uri(f"/api/v1/sora/status/{task_id}/"),
            "message": "Sora 2 video generation started successfully",
        }
        return JsonResponse({"success": True, "data": data}, status=201)

    def status(self, request: HttpRequest, task_id: str) -> HttpResponse:
        who = self.account(request)
        if who is None:
            return _refused()
        if request.method != "GET":
            return _not_allowed("GET")
        task = self.tasks.get(task_id)
        if task is None or task["who"] != who:
            return JsonResponse({"detail": "Not found."}, status=404)
        data: dict[str, Any] = {"task_id": task_id, "status": "processing"}
        if not self.is_done(task):
            passed_s = (self.now() - task["created"]).total_seconds()
            data["progress"] = min(95, int(20 * passed_s / _LASTS_S) * 5)
            data["estimated_completion"] = "1-2 minutes"
            return JsonResponse({"success": True, "data": data})
        created = self.began if self.defect == "created_at_of_the_server" else task["created"]
        data |= {
            "status": "completed" if self.defect == "success_is_completed" else "success",
            "video_url": request.build_absolute_uri(f"/sora/videos/{task_id}.mp4"),
            "thumbnail_url": request.build_absolute_uri(f"/sora/thumbnails/{task_id}.jpg"),
            "duration": 8 if self.defect == "eight_seconds" else 10,
            "resolution": _SIZES[task["ratio"]],
            "file_size": "15.2 MB",
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if self.defect == "no_thumbnail":
            del data["thumbnail_url"]
        return JsonResponse({"success": True, "data": data})

    def video(self, request: HttpRequest, task_id: str) -> HttpResponse:
        name = f"{_SIZES[self.tasks[task_id]['ratio']]}-24fps-10s.mp4"
        return HttpResponse((self.media / name).read_bytes(), content_type="video/mp4")

    def thumbnail(self, request: HttpRequest, task_id: str) -> HttpResponse:
        body = (self.media / "poster-640x360.jpg").read_bytes()
        return HttpResponse(body, content_type="image/jpeg")


def _refused() -> HttpResponse:
    return JsonResponse(
        {"detail": "Invalid token."}, status=401, headers={"WWW-Authenticate": "Token"}
    )


def _not_allowed(method: str) -> HttpResponse:
    return JsonResponse({"detail": "Method not allowed."}, status=405, headers={"Allow": method})


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def main(port: str, speed: str, media: str, defect: str = "") -> None:
    fake = UlazAI(float(speed), Path(media), defect)
    base = "api/v1/sora"
    urls = [
        path(f"{base}/generate/text-to-video/", lambda it: fake.generate(it, "prompt")),
        path(
            f"{base}/generate/image-to-video/", lambda it: fake.generate(it, "prompt", "image_url")
        ),
        path(f"{base}/status/<str:task_id>/", fake.status),
        path("sora/videos/<str:task_id>.mp4", fake.video),
        path("sora/thumbnails/<str:task_id>.jpg", fake.thumbnail),
    ]
    settings.configure(
        ROOT_URLCONF=tuple(urls), ALLOWED_HOSTS=["*"], DEFAULT_CHARSET="utf-8", LOGGING_CONFIG=None
    )
    application = get_wsgi_application()
    make_server("127.0.0.1", int(port), application, _Server, _Quiet).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

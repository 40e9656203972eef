"""Ozor's API as a developer would fake it with Django, from the provider's page alone.

A program of its own: `python ozor_django.py PORT SPEED MEDIA [DEFECT]`. Other readings than those
of the fake on FastAPI: `detail` can be an object or a list, the resource and the balance are
checked before the body, credits of running jobs are reserved, the agent does one job of a video at
a time, fields without a value are left out or null where the other fake does the reverse, and a
plan is rendered to its end even if the client leaves the stream.
"""

from __future__ import annotations

import secrets
import string
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import FileResponse, HttpResponse
from django.urls import path
from ozor_forms_django import Form, Refusal, invalid, json_form, view
from ozor_plans_django import Plans

_SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "4k": (3840, 2160)}
_ASPECTS = ("16:9", "9:16")
_ACTIVE_KEYS_MAX = 5
_WAITS_S, _AGENT_S, _PICKUP_S, _RENDER_S, _DAY_S = 8, 60, 12, 75, 86_400


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class Accounts:
    """The clock, and who has which keys and credits."""

    def __init__(self, speed: float, defect: str) -> None:
        self.speed, self.defect = speed, defect
        self.began_s, self.began_monotonic_s = time.time(), time.monotonic()
        self.accounts = {"key-one": "one", "key-two": "two", "key-empty": "empty"}
        self.bearers = {"bearer-one": "one", "bearer-two": "two"}
        self.credits = {"one": 1_000_000, "two": 1_000_000, "empty": 0}
        self.lock = threading.RLock()
        self.keys: dict[str, dict[str, Any]] = {}

    def now(self) -> float:
        return self.began_s + (time.monotonic() - self.began_monotonic_s) * self.speed

    def key_owner(self, request: Any) -> str:
        raw = request.headers.get("X-API-Key")
        if raw is None and self.defect == "missing_key_is_403":
            raise Refusal(403, "X-API-Key header is missing")
        if raw in self.accounts:
            return self.accounts[raw]
        for key in self.keys.values():
            if key["raw"] == raw and key["status"] == "active":
                key["used"] = self.now()
                return key["who"]
        raise Refusal(401, "Invalid API key")

    def session_owner(self, request: Any) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.bearers:
            raise Refusal(401, "Invalid Firebase token")
        return self.bearers[token]

    def create_key(self, who: str, request: Any) -> Any:
        name = json_form(request).text("name", 64)
        with self.lock:
            active = [
                it for it in self.keys.values() if it["who"] == who and it["status"] == "active"
            ]
            if len(active) >= _ACTIVE_KEYS_MAX and self.defect != "sixth_key_is_allowed":
                raise Refusal(400, {"message": "Key limit reached", "limit": _ACTIVE_KEYS_MAX})
            key = {"id": secrets.token_hex(5), "who": who, "name": name, "status": "active"}
            key |= {"raw": f"sk_live_{secrets.token_hex(16)}", "created": self.now(), "used": None}
            self.keys[key["id"]] = key
        shown = {
            it: value for it, value in _key_shown(key).items() if it not in ("status", "lastUsedAt")
        }
        return shown | {"rawKey": key["raw"]}

    def list_keys(self, who: str, request: Any) -> Any:
        return [_key_shown(it) for it in reversed(self.keys.values()) if it["who"] == who]

    def revoke_key(self, who: str, request: Any, key_id: str) -> Any:
        key = self.keys.get(key_id)
        if key is None:
            raise Refusal(404, "No such API key")
        if key["who"] != who:
            raise Refusal(403, "This API key belongs to another account")
        key["status"] = "revoked"
        return {"message": f"API key {key_id} revoked"}

    def need(self, who: str, cost: int) -> None:
        have = self.credits[who]
        if have < cost:
            detail = {"message": "Not enough credits", "required": cost, "available": have}
            raise Refusal(402, detail)

    def take(self, who: str, cost: int) -> None:
        """Credits are reserved when the work begins. Here no work fails, so none come back."""
        self.need(who, cost)
        self.credits[who] -= cost

    def owned(self, known: dict[str, dict[str, Any]], name: str, who: str) -> dict[str, Any]:
        found = known.get(name)
        if found is None:
            raise Refusal(404, f"{name} does not exist")
        if found["who"] != who:
            raise Refusal(403, f"{name} is not yours")
        return found


def _key_shown(key: dict[str, Any]) -> dict[str, Any]:
    used = key["used"]
    return {
        "keyId": key["id"],
        "name": key["name"],
        "prefix": key["raw"][:12],
        "status": key["status"],
        "createdAt": int(key["created"] * 1000),
        "lastUsedAt": None if used is None else int(used * 1000),
    }


class Videos:
    """The videos, their jobs and exports."""

    def __init__(self, house: Accounts, files: Path) -> None:
        self.house, self.files = house, files
        self.videos: dict[str, dict[str, Any]] = {}

    def add_video(self, who: str, title: str, aspect: str) -> dict[str, Any]:
        video = {"id": secrets.token_hex(8), "who": who, "title": title, "aspect": aspect}
        video |= {"created": self.house.now(), "jobs": [], "exports": [], "auto": None}
        self.videos[video["id"]] = video
        return video

    def add_job(self, video: dict[str, Any], first: str) -> dict[str, Any]:
        earlier_end = video["jobs"][-1]["ends"] if video["jobs"] else 0
        starts = max(earlier_end, self.house.now()) + _WAITS_S
        job = {"id": f"job_{secrets.token_hex(8)}", "created": self.house.now(), "starts": starts}
        job |= {"ends": starts + _AGENT_S, "first": first}
        video["jobs"].append(job)
        return job

    def jobs_done(self, video: dict[str, Any], at: float) -> list[dict[str, Any]]:
        return [it for it in video["jobs"] if it["ends"] <= at]

    def exports(self, video: dict[str, Any]) -> list[dict[str, Any]]:
        """Those that began; the automatic one begins when the agent has ended its first job."""
        auto = video["auto"]
        with self.house.lock:
            if auto is not None and video["jobs"][0]["ends"] <= self.house.now():
                video["auto"] = None
                ended = video["jobs"][0]["ends"]
                self.add_export(video, auto[0], is_public=auto[1], at=ended)
        return video["exports"]

    def add_export(
        self, video: dict[str, Any], quality: str, *, is_public: bool, at: float
    ) -> dict[str, Any]:
        same = (len(self.jobs_done(video, at)), quality, is_public)
        for export in video["exports"]:
            if export["same"] == same:
                return export
        letters = string.ascii_lowercase + string.digits
        length = 6 if self.house.defect == "share_code_has_six" else 7
        code = "".join(secrets.choice(letters) for _ in range(length))
        export = {"id": f"exp_{secrets.token_hex(6)}", "same": same, "created": at}
        export["code"] = code if is_public else None
        video["exports"].append(export)
        return export

    def export_status(self, export: dict[str, Any]) -> str:
        passed_s = self.house.now() - export["created"]
        if passed_s < _PICKUP_S:
            return "queued"
        return "processing" if passed_s < _PICKUP_S + _RENDER_S else "complete"

    def export_shown(self, export: dict[str, Any], request: Any) -> dict[str, Any]:
        status = self.export_status(export)
        shown: dict[str, Any] = {"exportId": export["id"], "exportStatus": status}
        url = request.build_absolute_uri(f"/storage/{export['id']}")
        if export["code"] is not None:
            shown["shareCode"] = export["code"]
        if status == "complete":
            shown["downloadUrl"] = f"{url}/video.mp4?expires={int(self.house.now()) + _DAY_S}"
            shown["thumbnailUrl"] = f"{url}/thumb.jpg"
            if export["code"] is not None or self.house.defect == "private_export_is_shared":
                shown["shareUrl"] = f"{url}/video.mp4"
        return shown

    def video_shown(self, video: dict[str, Any], request: Any) -> dict[str, Any]:
        statuses = {self.export_status(it) for it in self.exports(video)}
        is_named = not video["jobs"] or video["jobs"][0]["ends"] <= self.house.now()
        return {
            "videoId": video["id"],
            "title": video["title"] if is_named else "Untitled video",
            # A project with a finished render stays completed while the next one runs.
            "status": "completed"
            if "complete" in statuses
            else "rendering"
            if statuses
            else "draft",
            "editorUrl": request.build_absolute_uri(f"/editor?projectId={video['id']}"),
            "createdAt": _iso(video["created"]),
            "aspect": video["aspect"],
        }

    def generate(self, who: str, request: Any) -> Any:
        with self.house.lock:
            self.house.need(who, 1)
            form = json_form(request)
            prompt = form.text("prompt", 2000)
            aspect = form.choice("aspect", _ASPECTS, "16:9")
            quality = form.choice("exportQuality", tuple(_SIZES), "720p")
            is_public = form.flag("exportIsPublic")
            form.media()
            is_exported = form.flag("export")
            self.house.take(who, 1)
            video = self.add_video(who, " ".join(prompt.split()[:5]), aspect)
            if is_exported:
                video["auto"] = (quality, is_public)
            job = self.add_job(video, "pending")
        return {"videoId": video["id"], "jobId": job["id"], "status": "pending"}

    def list_videos(self, who: str, request: Any) -> Any:
        asked = request.GET.get("limit", "20")
        most = 1000 if self.house.defect == "limit_up_to_1000" else 100
        if not asked.isdecimal() or not 1 <= int(asked) <= most:
            raise invalid("limit", f"must be a number from 1 to {most}")
        mine = [it for it in reversed(list(self.videos.values())) if it["who"] == who]
        return {"videos": [self.video_shown(it, request) for it in mine[: int(asked)]]}

    def get_video(self, who: str, request: Any, video_id: str) -> Any:
        video = self.house.owned(self.videos, video_id, who)
        shown, exports = self.video_shown(video, request), self.exports(video)
        if exports:
            shown |= self.export_shown(exports[-1], request) | {"exportError": None}
        return shown

    def export_video(self, who: str, request: Any, video_id: str) -> Any:
        video = self.house.owned(self.videos, video_id, who)
        form = json_form(request) if request.body else Form({})
        quality = form.choice("quality", tuple(_SIZES), "1080p")
        is_public = form.flag("isPublic")
        with self.house.lock:
            if video["jobs"] and not self.jobs_done(video, self.house.now()):
                raise Refusal(500, "The export could not be triggered: there are no scenes yet")
            self.exports(video)
            export = self.add_export(video, quality, is_public=is_public, at=self.house.now())
        return {"videoId": video_id, **self.export_shown(export, request)}

    def message(self, who: str, request: Any, video_id: str) -> Any:
        video = self.house.owned(self.videos, video_id, who)
        with self.house.lock:
            self.house.need(who, 1)
            form = json_form(request)
            form.text("message", 2000)
            form.media()
            self.house.take(who, 1)
            job = self.add_job(video, "queued")
        return {"videoId": video_id, "jobId": job["id"], "status": "queued"}

    def get_job(self, who: str, request: Any, video_id: str, job_id: str) -> Any:
        video = self.house.owned(self.videos, video_id, who)
        for owner in self.videos.values():
            for job in owner["jobs"]:
                if job["id"] == job_id:
                    return self.job_shown(video, owner, job)
        raise Refusal(404, f"{job_id} does not exist")

    def job_shown(
        self, video: dict[str, Any], owner: dict[str, Any], job: dict[str, Any]
    ) -> dict[str, Any]:
        if owner["who"] != video["who"]:
            raise Refusal(403, f"{job['id']} is not yours")
        if owner is not video and self.house.defect != "job_is_in_every_video":
            raise Refusal(404, f"{job['id']} is not a job of this video")
        now = self.house.now()
        is_done = job["ends"] <= now
        return {
            "videoId": video["id"],
            "jobId": job["id"],
            "status": "completed"
            if is_done
            else "processing"
            if job["starts"] <= now
            else job["first"],
            "createdAt": _iso(job["created"]),
            "response": "I have done what you asked." if is_done else None,
            "error": None,
            "conversationId": f"conv_{video['id']}",
        }

    def tool_trace(self, who: str, request: Any, video_id: str, conversation_id: str) -> Any:
        video = self.house.owned(self.videos, video_id, who)
        if conversation_id != f"conv_{video_id}":
            raise Refusal(404, f"{conversation_id} does not exist")
        turns = [
            {
                "messageId": f"msg_{number}",
                "createdAt": _iso(job["ends"]),
                "textPreview": "I have done...",
                "toolCalls": [],
            }
            for number, job in enumerate(self.jobs_done(video, self.house.now()), 1)
        ]
        named = {"videoId": video_id, "conversationId": conversation_id}
        return {**named, "totalAssistantTurns": len(turns), "totalToolCalls": 0, "messages": turns}

    def stored(self, request: Any, export_id: str, name: str) -> Any:
        for video in self.videos.values():
            for export in video["exports"]:
                if export["id"] == export_id:
                    return self.file(request, video["aspect"], export["same"][1], name)
        raise Refusal(404, "No such object")

    def file(
        self, request: Any, aspect: str, quality: str, name: str
    ) -> HttpResponse | FileResponse:
        if int(request.GET.get("expires", self.house.now())) < int(self.house.now()):
            return HttpResponse("<Error><Code>ExpiredToken</Code></Error>", "text/xml", status=400)
        wide, high = _SIZES["720p" if self.house.defect == "always_720p" else quality]
        if aspect == "9:16":
            wide, high = high, wide
        if name == "thumb.jpg":
            return FileResponse((self.files / "poster-640x360.jpg").open("rb"))
        return FileResponse((self.files / f"{wide}x{high}-30fps-4s.mp4").open("rb"))


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def main(port: str, speed: str, media: str, defect: str = "") -> None:
    house = Accounts(float(speed), defect)
    videos = Videos(house, Path(media))
    plans = Plans(house, videos, Path(media))
    key, session = house.key_owner, house.session_owner
    one, plan = "api/v1/videos/<str:video_id>", "api/v1/documents/plans/<str:plan_id>"
    trace = f"{one}/conversations/<str:conversation_id>/tool-trace"
    urls = [
        path("api/api-keys", view(session, GET=house.list_keys, POST=house.create_key)),
        path("api/api-keys/<str:key_id>", view(session, DELETE=house.revoke_key)),
        path("api/v1/videos/generate", view(key, POST=videos.generate)),
        path("api/v1/videos", view(key, GET=videos.list_videos)),
        path(one, view(key, GET=videos.get_video)),
        path(f"{one}/export", view(key, POST=videos.export_video)),
        path(f"{one}/message", view(key, POST=videos.message)),
        path(f"{one}/jobs/<str:job_id>", view(key, GET=videos.get_job)),
        path(trace, view(key, GET=videos.tool_trace)),
        path("api/v1/documents/voices", view(key, GET=plans.voices)),
        path("api/v1/documents/analyze", view(key, POST=plans.analyze)),
        path(plan, view(key, GET=plans.get_plan, PATCH=plans.edit_plan)),
        path(f"{plan}/generate", view(key, POST=plans.render_plan)),
        path("storage/<str:export_id>/<str:name>", view(None, GET=videos.stored)),
        path("pages/<str:name>", view(None, GET=plans.page)),
    ]
    settings.configure(
        ROOT_URLCONF=tuple(urls),
        ALLOWED_HOSTS=["*"],
        DEFAULT_CHARSET="utf-8",
        LOGGING_CONFIG=None,
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
    )
    application = get_wsgi_application()
    make_server("127.0.0.1", int(port), application, _Server, _Quiet).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Oshara's video jobs as a developer would fake them with `http.server`, from one page."""

from __future__ import annotations

import itertools
import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Each is a mistake that fakes of this API have made.
DEFECTS = (
    "other_account_reads",
    "list_shows_all",
    "oldest_first",
    "lower_case_status",
    "never_processing",
    "falls_back",
    "url_before_the_end",
    "title_is_cut",
    "updated_at_stays",
    "stats_count_all",
    "avatar_is_optional",
    "url_never_expires",
)
_TOKENS = {"key-one": 1, "key-two": 2, "key-empty": 3}


class Oshara:
    """The jobs, and what each request answers."""

    def __init__(self, media: dict[str, bytes], speed: float, defect: str) -> None:
        self.media, self.speed, self.defect = media, speed, defect
        self.jobs: dict[int, dict[str, Any]] = {}
        self.links: dict[str, datetime] = {}
        self.ids = itertools.count(41)
        self.began, self.began_s = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=(time.monotonic() - self.began_s) * self.speed)

    def answer(self, call: Call) -> tuple[int, Any]:
        """The status and the JSON of *call*."""
        link = re.fullmatch(r"/videos/(\d+)/(\w+)\.mp4", call.path)
        if link is not None:
            return self.video(call.path)
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        known = {"/api/video-jobs/": ("GET", "POST"), "/api/video-jobs/stats/": ("GET",)}
        known["/api/video-only/"] = ("POST",)
        one = re.fullmatch(r"/api/video-jobs/(\d+)/", call.path)
        methods = ("GET",) if one else known.get(call.path)
        if methods is None:
            return 404, {"detail": "Not found."}
        if token not in _TOKENS:
            return 401, {"detail": "Invalid token."}
        if call.method not in methods:
            return 405, {"detail": f'Method "{call.method}" not allowed.'}
        who = _TOKENS[token]
        if call.method == "POST":
            return self.create(who, call, is_video_only=call.path == "/api/video-only/")
        mine = [it for it in self.jobs.values() if it["who"] == who]
        if one:
            job = self.jobs.get(int(one[1]))
            if job is None or (job["who"] != who and self.defect != "other_account_reads"):
                return 404, {"detail": "Not found."}
            return 200, self.shown(call, job)
        if call.path.endswith("/stats/"):
            counted = list(self.jobs.values()) if self.defect == "stats_count_all" else mine
            states = [self.state(it)[0] for it in counted]
            done, failed = states.count("COMPLETED"), states.count("FAILED")
            waiting = len(states) - done - failed
            return 200, {
                "total": len(states),
                "completed": done,
                "failed": failed,
                "pending": waiting,
            }
        listed = list(self.jobs.values()) if self.defect == "list_shows_all" else mine
        listed = listed if self.defect == "oldest_first" else listed[::-1]
        return 200, [self.shown(call, it) for it in listed]

    def create(self, who: int, call: Call, *, is_video_only: bool) -> tuple[int, Any]:
        fields = call.form()
        wanted = ["title", "audio"] if is_video_only else ["title", "text_content"]
        wanted += [] if self.defect == "avatar_is_optional" else ["avatar"]
        if not call.headers.get("content-type", "").startswith("multipart/"):
            return 415, {"detail": "Unsupported media type."}
        voice = fields.get("reference_voice", b"")
        if voice and not voice.isdigit():
            return 400, {"reference_voice": ["A valid integer is required."]}
        missing = [name for name in wanted if not fields.get(name)]
        if missing:
            return 400, {name: ["This field is required."] for name in missing}
        now = self.now()
        job: dict[str, Any] = {
            "id": next(self.ids),
            "who": who,
            "title": fields["title"].decode(errors="replace"),
            "text_content": fields.get("text_content", b"").decode(errors="replace"),
            "created": now,
            "runs": now + timedelta(seconds=20),
            "ends": now + timedelta(seconds=120),
            "external": f"imtk-{secrets.token_hex(3)}",
        }
        self.jobs[job["id"]] = job
        return 201, self.shown(call, job)

    def state(self, job: dict[str, Any]) -> tuple[str, datetime]:
        now = self.now()
        if now >= job["ends"]:
            return "COMPLETED", job["ends"]
        if now >= job["runs"] and self.defect != "never_processing":
            if self.defect == "falls_back" and now >= job["ends"] - timedelta(seconds=60):
                return "PENDING", job["runs"]
            return "PROCESSING", job["runs"]
        return "PENDING", job["created"]

    def shown(self, call: Call, job: dict[str, Any]) -> dict[str, Any]:
        state, changed = self.state(job)
        url = None
        if state == "COMPLETED" or self.defect == "url_before_the_end":
            path = f"/videos/{job['id']}/{secrets.token_hex(8)}.mp4"
            self.links[path] = self.now() + timedelta(hours=1)
            signed = f"X-Amz-Expires=3600&X-Amz-Signature={secrets.token_hex(8)}"
            url = f"http://{call.headers['host']}{path}?{signed}"
        title = job["title"][:10] if self.defect == "title_is_cut" else job["title"]
        changed = job["created"] if self.defect == "updated_at_stays" else changed
        return {
            "id": job["id"],
            "title": title,
            "status": state.lower() if self.defect == "lower_case_status" else state,
            "text_content": job["text_content"],
            "processed_video_url": url,
            "error_message": None,
            "external_job_id": job["external"] if state == "COMPLETED" else None,
            "created_at": job["created"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "updated_at": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def video(self, path: str) -> tuple[int, Any]:
        ends = self.links.get(path)
        if ends is None or (self.now() > ends and self.defect != "url_never_expires"):
            return 403, {"detail": "Request has expired"}
        return 200, self.media["video"]


class Call:
    """One request."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        self.method, self.path = handler.command, handler.path.partition("?")[0]
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.body = handler.rfile.read(int(self.headers.get("content-length", 0)))

    def form(self) -> dict[str, bytes]:
        """The fields of a multipart body."""
        head = f"Content-Type: {self.headers.get('content-type', '')}\r\n\r\n".encode()
        found = BytesParser(policy=HTTP).parsebytes(head + self.body)
        parts = found.iter_parts() if found.is_multipart() else ()
        return {
            str(it.get_param("name", header="content-disposition")): _bytes(
                it.get_payload(decode=True)
            )
            for it in parts
        }


def _bytes(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else b""


def make_server(media: dict[str, bytes], *, speed: float, defect: str = "") -> ThreadingHTTPServer:
    """A server on a free port. *speed* is how fast its clock runs."""
    oshara = Oshara(media, speed, defect)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            status, found = oshara.answer(Call(self))
            is_video = isinstance(found, bytes)
            body = found if is_video else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "video/mp4" if is_video else "application/json")
            self.send_header("Content-Length", str(len(body)))
            if status == 405:
                self.send_header("Allow", "GET, POST")
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    answers: Callable[[Any], None] = Handler.respond
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
        setattr(Handler, f"do_{method}", answers)
    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)

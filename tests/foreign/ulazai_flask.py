"""UlazAI's Sora API as a developer would fake it with Flask, from the provider's page alone.

A program of its own: `python ulazai_flask.py PORT SPEED MEDIA [DEFECT]`. With
`shows_more` it adds what no document shows, which is not a defect.
"""

from __future__ import annotations

import json
import secrets
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request, send_file

_SIZES = {"landscape": "1920x1080", "portrait": "1080x1920", "square": "1080x1080"}


class UlazAI:
    """The accounts and tasks, and what each request answers."""

    def __init__(self, speed: float, media: Path, defect: str) -> None:
        self.media, self.speed, self.defect = media, speed, defect
        self.credits = {"key-one": 1_000_000, "key-two": 1_000_000, "key-empty": 0}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.began, self.began_s = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=(time.monotonic() - self.began_s) * self.speed)

    def account(self) -> str | None:
        key = request.headers.get("Authorization", "").removeprefix("Token ")
        if self.defect == "any_key_works" and key:
            return key if key in self.credits else "key-one"
        return key if key in self.credits else None

    def state_of(self, task: dict[str, Any]) -> tuple[str, int]:
        passed_s = (self.now() - task["created"]).total_seconds()
        if passed_s >= task["lasts_s"]:
            return "success", 100
        if self.defect == "starts_queued" and passed_s < 10:
            return "queued", 0
        progress = int(99 * passed_s / task["lasts_s"])
        if self.defect == "progress_falls" and progress > 50:
            progress = 100 - progress
        return "processing", progress

    def problem(self, body: Any, names: tuple[str, ...]) -> str:
        if not isinstance(body, dict):
            return "the body must be a JSON object"
        for name in names:
            if not isinstance(body.get(name), str) or not body[name].strip():
                return f"{name} is required"
        if len(body["prompt"]) > 5000 and self.defect != "accepts_long_prompt":
            return "the prompt is too long"
        if body.get("aspect_ratio", "landscape") not in list(_SIZES):
            return "unknown aspect_ratio"
        is_known = body.get("quality", "standard") in ["standard", "high"]
        if not is_known and self.defect != "accepts_any_quality":
            return "unknown quality"
        if not isinstance(body.get("prompt_directory_optin", True), bool):
            return "prompt_directory_optin must be a boolean"
        if "image_url" in names and not body["image_url"].startswith(("http://", "https://")):
            return "image_url must be a URL"
        return ""

    def generate(self, *names: str) -> tuple[Response, int]:
        who = self.account()
        if who is None:
            return _error(401, "Invalid or missing API key")
        body: Any = request.get_json(silent=True)
        wrong = self.problem(body, names)
        if wrong:
            return _error(400, wrong)
        is_shared = body.get("prompt_directory_optin", True) and self.defect != "no_discount"
        price = 70 if is_shared else 80
        with self.lock:
            mine = [it for it in self.tasks.values() if it["who"] == who]
            running = sum(1 for it in mine if self.state_of(it)[0] != "success")
            if self.credits[who] < price:
                status = 403 if self.defect == "missing_credits_are_403" else 402
                return _error(status, "Insufficient credits")
            if running >= 10 and self.defect != "no_limit_of_ten":
                return _error(429, "Rate limit exceeded")
            is_wrong = self.defect == "charges_less_than_it_shows"
            self.credits[who] -= price - 10 if is_wrong else price
            task_id = f"sra_2_{secrets.token_hex(8)}"
            self.tasks[task_id] = {
                "who": who,
                "created": self.now(),
                "lasts_s": 120 + secrets.randbelow(60),
                "size": _SIZES[body.get("aspect_ratio", "landscape")],
            }
        data = {
            "task_id": task_id,
            "status": "queued" if self.defect == "starts_queued" else "processing",
            "estimated_completion": "2-3 minutes",
            "credits_charged": price,
            "credits_remaining": self.credits[who],
            "webhook_url": f"{request.host_url}api/v1/sora/status/{task_id}/",
            "message": "Sora 2 video generation started successfully",
        }
        return jsonify(success=True, data=data), 200 if self.defect == "answers_200" else 201

    def status(self, task_id: str) -> tuple[Response, int]:
        who = self.account()
        if who is None:
            return _error(401, "Invalid or missing API key")
        task = self.tasks.get(task_id)
        if task is None or (task["who"] != who and self.defect != "other_account_reads"):
            return _error(404, "Task not found")
        state, progress = self.state_of(task)
        data: dict[str, Any] = {"task_id": task_id, "status": state}
        if state != "success":
            data |= {"progress": progress, "estimated_completion": "1-2 minutes"}
            return jsonify(success=True, data=data), 200
        created = self.now() if self.defect == "created_at_moves" else task["created"]
        data |= {
            "video_url": f"{request.host_url}sora/videos/{task_id}.mp4",
            "thumbnail_url": f"{request.host_url}sora/thumbnails/{task_id}.jpg",
            "duration": 10,
            "resolution": task["size"],
            "file_size": f"{self.video_of(task).stat().st_size / 1_000_000:.1f} MB",
            "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return jsonify(success=True, data=data), 200

    def video_of(self, task: dict[str, Any]) -> Path:
        return self.media / f"{task['size']}-24fps-10s.mp4"

    def video(self, task_id: str) -> Response:
        return send_file(self.video_of(self.tasks[task_id]))

    def thumbnail(self, task_id: str) -> Response:
        return send_file(self.media / "poster-640x360.jpg")


def _error(status: int, text: str) -> tuple[Response, int]:
    return jsonify(success=False, error=text), status


def _with_more(response: Response) -> Response:
    """*response* with a field and a header that no document shows."""
    response.headers["X-RateLimit-Limit"] = "60"
    if response.is_json:
        response.set_data(json.dumps({**response.get_json(), "trace": "t-1"}))
    return response


def main(port: str, speed: str, media: str, defect: str = "") -> None:
    app, fake = Flask("ulazai_fake"), UlazAI(float(speed), Path(media), defect)
    base = "/api/v1/sora"
    app.post(f"{base}/generate/text-to-video/", endpoint="text")(lambda: fake.generate("prompt"))
    app.post(f"{base}/generate/image-to-video/", endpoint="image")(
        lambda: fake.generate("prompt", "image_url")
    )
    app.get(f"{base}/status/<task_id>/")(fake.status)
    app.get("/sora/videos/<task_id>.mp4")(fake.video)
    app.get("/sora/thumbnails/<task_id>.jpg")(fake.thumbnail)
    if defect == "shows_more":
        app.after_request(_with_more)
    app.run("127.0.0.1", int(port), threaded=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""ZnapAI's video API as a developer would fake it with Flask, from the provider's page alone.

A program of its own: `python znapai_flask.py PORT SPEED MEDIA [DEFECT]`. Other readings than those
of the fake on Express: a body is judged before the key, errors are a `detail`, another account's
video is 403, content that is not ready is 409, defaults are the last values, and unknown parameters
other than `duration` are ignored.
"""

from __future__ import annotations

import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, jsonify, request, send_file

_SIZES = ("720x1280", "1280x720", "1024x1792", "1792x1024")
_SECONDS = ("4", "8", "12")
_WAITS_S, _LASTS_S = 30, 240


class ZnapAI:
    """The videos of both accounts, and what each request answers."""

    def __init__(self, speed: float, media: Path, defect: str) -> None:
        self.speed, self.media, self.defect = speed, media, defect
        self.videos: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        self.began, self.began_s = time.time(), time.monotonic()

    def now(self) -> int:
        return int(self.began + (time.monotonic() - self.began_s) * self.speed)

    def account(self) -> str:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if self.defect == "missing_key_works" and not key:
            return "key-one"
        if scheme != "Bearer" or key not in ("key-one", "key-two"):
            abort(401, "Invalid API key")
        return key

    def check(self, body: Any) -> None:
        if not isinstance(body, dict):
            abort(400, "the body must be a JSON object")
        if body.get("model") != "sora-2" and not (
            self.defect == "model_is_optional" and "model" not in body
        ):
            abort(400, "model must be sora-2")
        if not isinstance(body.get("prompt"), str):
            abort(400, "prompt must be a string")
        if "duration" in body:
            abort(400, "duration is not known; use seconds")
        seconds = [*_SECONDS, "10"] if self.defect == "accepts_ten_seconds" else _SECONDS
        if body.get("seconds", "4") not in seconds:
            abort(400, "seconds must be one of the strings 4, 8 and 12")
        sizes = [it for it in _SIZES if self.defect != "no_tall_size" or it != "1024x1792"]
        sizes += ["1920x1080"] if self.defect == "accepts_full_hd" else []
        if body.get("size", "720x1280") not in sizes:
            abort(400, "size is not supported")
        if not isinstance(body.get("metadata", {}), dict) and self.defect != "any_metadata":
            abort(400, "metadata must be an object")
        if self.defect == "metadata_is_refused" and "metadata" in body:
            abort(400, "metadata is not known")
        if not isinstance(body.get("input_reference", ""), str):
            abort(400, "input_reference must be a string")

    def create(self) -> Response:
        body: Any = request.get_json(silent=True)
        self.check(body)
        who, video_id = self.account(), f"video_{secrets.token_hex(12)}"
        seconds, size = body.get("seconds", "12"), body.get("size", "1792x1024")
        kept = {"who": who, "created": self.now(), "prompt": body["prompt"]}
        with self.lock:
            if self.defect == "ids_repeat":
                video_id = f"video_{len(self.videos) % 2}"
            self.videos[video_id] = kept | {"id": video_id, "seconds": seconds, "size": size}
        return jsonify(self.shown(self.videos[video_id]))

    def shown(self, video: dict[str, Any]) -> dict[str, Any]:
        passed_s = self.now() - video["created"]
        is_done = passed_s >= _LASTS_S
        status = "completed" if is_done else "in_progress" if passed_s >= _WAITS_S else "queued"
        if self.defect == "falls_back_to_queued" and _LASTS_S / 2 < passed_s < _LASTS_S:
            status = "queued"
        return {
            "id": video["id"],
            "object": "video",
            "model": "sora-2",
            "status": status,
            "progress": 100 if is_done else 0,
            "created_at": video["created"],
            "completed_at": video["created"] + _LASTS_S if is_done else None,
            "expires_at": video["created"] + 3_600 if is_done else None,
            "error": None,
            "prompt": "" if self.defect == "prompt_is_lost" else video["prompt"],
            "remixed_from_video_id": None,
            "seconds": video["seconds"],
            "size": _SIZES[0] if self.defect == "shows_one_size" else video["size"],
        }

    def owned(self, video_id: str) -> dict[str, Any]:
        who, video = self.account(), self.videos.get(video_id)
        if video is None:
            abort(404, "Video not found")
        if video["who"] != who:
            abort(403, "The video belongs to another account")
        return video

    def get(self, video_id: str) -> Response:
        return jsonify(self.shown(self.owned(video_id)))

    def content(self, video_id: str) -> Response:
        video = self.owned(video_id)
        if self.now() - video["created"] < _LASTS_S:
            abort(409, "The video is not ready")
        seconds = "4" if self.defect == "content_has_four_seconds" else video["seconds"]
        return send_file(self.media / f"{video['size']}-24fps-{seconds}s.mp4")


def main(port: str, speed: str, media: str, defect: str = "") -> None:
    app, fake = Flask("znapai_fake"), ZnapAI(float(speed), Path(media), defect)
    app.post("/v1/videos")(fake.create)
    app.get("/v1/videos/<video_id>")(fake.get)
    app.get("/v1/videos/<video_id>/content")(fake.content)
    for status in (400, 401, 403, 404, 405, 409):
        app.register_error_handler(status, lambda it: (jsonify(detail=it.description), it.code))
    app.run("127.0.0.1", int(port), threaded=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

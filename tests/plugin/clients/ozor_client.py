"""A small client of Ozor's API: generate, export, poll, download."""

from __future__ import annotations

from time import sleep
from typing import Any

import requests

BASE_URL = "https://ozor.ai/api/v1"


class RenderFailedError(Exception):
    """The provider gave up."""


class OzorClient:
    """One customer of Ozor."""

    def __init__(self, api_key: str) -> None:
        self._session = requests.Session()
        self._session.headers["X-API-Key"] = api_key

    def make_video(self, prompt: str) -> bytes:
        """The MP4 of a new video."""
        started = self._call("POST", "/videos/generate", {"prompt": prompt})
        video = started["videoId"]
        self._wait(f"/videos/{video}/jobs/{started['jobId']}", "status", "completed")
        self._call("POST", f"/videos/{video}/export", {"quality": "1080p"})
        self._wait(f"/videos/{video}", "exportStatus", "complete")
        url = self._call("GET", f"/videos/{video}")["downloadUrl"]
        return self._session.get(url).content

    def _wait(self, path: str, field: str, wanted: str) -> None:
        for _ in range(200):
            state = self._call("GET", path)[field]
            if state == wanted:
                return
            if state == "failed":
                raise RenderFailedError(path)
            sleep(3)
        raise RenderFailedError(f"{path} never became {wanted}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._session.request(method, BASE_URL + path, json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

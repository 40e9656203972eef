"""Videos from Ozor, with requests: the address is written into the code."""

from __future__ import annotations

import os
from time import sleep
from typing import Any

import requests

API = "https://ozor.ai/api/v1"
TRIES = 5


class NoCreditsError(Exception):
    """The balance at the provider is empty."""


def make_video(prompt: str) -> str:
    """The id of a finished video."""
    started = _call("POST", "/videos/generate", {"prompt": prompt})
    path = f"/videos/{started['videoId']}/jobs/{started['jobId']}"
    for _ in range(200):
        state = _call("GET", path)["status"]
        if state == "completed":
            return str(started["videoId"])
        if state == "failed":
            raise RuntimeError(f"{prompt!r} could not be rendered")
        sleep(3)
    raise TimeoutError(path)


def _call(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    headers = {"X-API-Key": os.environ["OZOR_API_KEY"]}
    answer = requests.request(method, API + path, json=body, headers=headers, timeout=10)
    for _ in range(TRIES):
        if answer.status_code not in {429, 503}:
            break
        sleep(float(answer.headers.get("Retry-After", "1")))
        answer = requests.request(method, API + path, json=body, headers=headers, timeout=10)
    if answer.status_code == 402:
        raise NoCreditsError
    answer.raise_for_status()
    return answer.json()

"""What the small clients share: one HTTP client per provider, and how to ask for a job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx

from screentest import World
from screentest.specs.json_types import Json

_KEYS: dict[str, Callable[[str], dict[str, str]]] = {
    "ozor": lambda key: {"X-API-Key": key},
    "znapai": lambda key: {"Authorization": f"Bearer {key}"},
    "ugc_copilot": lambda key: {"Authorization": f"Bearer {key}"},
    "ulazai": lambda key: {"Authorization": f"Token {key}"},
}
_BASES = {
    "ozor": "https://ozor.ai/api/v1",
    "znapai": "https://api.znapai.com/v1",
    "ugc_copilot": "https://us-central1-viral-ugc-copilot.cloudfunctions.net",
    "ulazai": "https://ulazai.com/api/v1",
}
PROMPT = "A 15-second ad for a desk lamp"
SCENE = {"visualPrompt": "A potter turns a mug in the light", "scriptText": "Look at that blue."}
RENDER = {"data": {"engine": "sora", "scene": SCENE}}
OPEN = {"pending", "queued", "processing", "in_progress", "running"}


@dataclass(frozen=True)
class Api:
    """One provider as a client sees it."""

    provider: str
    http: httpx.Client

    def create(self, prompt: str = PROMPT, **headers: str) -> Json:
        """Start the provider's video, and return the decoded answer."""
        path, body = {
            "ozor": ("/videos/generate", {"prompt": prompt}),
            "znapai": ("/videos", {"model": "sora-2", "prompt": prompt, "seconds": "4"}),
            "ulazai": ("/sora/generate/text-to-video/", {"prompt": prompt}),
            "ugc_copilot": ("/proxyStartVideoGeneration", RENDER),
        }[self.provider]
        answer = self.http.post(path, json=body, headers=headers)
        answer.raise_for_status()
        return answer.json()

    def status(self, made: Json) -> str:
        """The state of what `create` has started, in the provider's words."""
        match self.provider:
            case "ozor":
                job = self.get(f"/videos/{made['videoId']}/jobs/{made['jobId']}")
            case "znapai":
                job = self.get(f"/videos/{made['id']}")
            case "ulazai":
                job = self.get(f"/sora/status/{made['data']['task_id']}/")["data"]
            case _:
                asked = {"engine": "sora", "operationName": made["operation"]["name"]}
                answer = self.http.post("/proxyCheckVideoStatus", json={"data": asked})
                answer.raise_for_status()
                return "completed" if answer.json()["done"] else "processing"
        return str(job["status"])

    def get(self, path: str) -> Json:
        answer = self.http.get(path)
        answer.raise_for_status()
        return answer.json()


def api(world: World, provider: str, *, timeout: float = 5.0) -> Api:
    """The API of *provider* for its first account."""
    handle = world.provider(provider)
    headers = _KEYS[provider](handle.api_key)
    return Api(provider, httpx.Client(base_url=_BASES[provider], headers=headers, timeout=timeout))

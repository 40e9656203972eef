"""Processor time of the calls that contracts answer in data, in process and without memory.

    PYTHONPATH=. python bench/polls.py [COUNT]

Numbers of two commits compare where the file runs in their checkouts in turn, with the Python of
each: take the least of several runs.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable

from tests.mock_client import make_world
from werkzeug.test import Client

from screentest.mock_server.engine.provider import Reply, Request
from screentest.mock_server.http.app import create_app
from screentest.mock_server.pipeline.handle import handle, turn_of
from screentest.specs.json_types import Json

_SETTLED_MS = 400_000


def measure(count: int) -> dict[str, float]:
    """The microseconds of each call: the tenth part of *count* calls is faster."""
    app = create_app()
    worlds = app.extensions["screentest.edge"][0]._worlds
    mock = make_world(Client(app))
    world = worlds.get(mock.id)
    found: dict[str, float] = {}

    def caller(provider: str) -> Callable[..., tuple[Json, float]]:
        account = mock.account(provider)
        if provider != "znapai":
            account.set_credits(10_000_000)
        headers = {name.lower(): it for name, it in account.client.headers.items()}

        def call(method: str, path: str, body: Json = None) -> tuple[Json, float]:
            sent = {**headers, "content-type": "application/json"} if body else headers
            content = json.dumps(body).encode() if body else b""
            base = f"http://localhost/w/{mock.id}/{provider}"
            request = Request(method, path, "", sent, content, base_url=base)
            turn = turn_of(worlds, world, provider, request, remembers=False)
            before = time.process_time()
            answer = handle(worlds, turn).answer
            took = time.process_time() - before
            assert isinstance(answer, Reply)
            assert answer.status < 300, (provider, path, answer.body)
            return answer.body, took * 1e6

        return call

    def note(name: str, once: Callable[[], tuple[Json, float]]) -> Json:
        gc.collect()
        gc.disable()
        seen = sorted((once() for _ in range(count)), key=lambda it: it[1])
        gc.enable()
        found[name] = round(seen[count // 10][1], 1)
        return seen[-1][0]

    ulazai, made = caller("ulazai"), "/api/v1/sora/generate/text-to-video/"
    body, _ = ulazai("POST", made, {"prompt": "x", "aspect_ratio": "square"})
    status = f"/api/v1/sora/status/{body['data']['task_id']}/"
    note("ulazai, poll while it runs", lambda: ulazai("GET", status))
    mock.advance(_SETTLED_MS)
    note("ulazai, poll when done", lambda: ulazai("GET", status))

    znapai, wanted = caller("znapai"), {"prompt": "x", "model": "sora-2"}
    body = note("znapai, create", lambda: znapai("POST", "/v1/videos", wanted))
    note("znapai, poll while it runs", lambda: znapai("GET", f"/v1/videos/{body['id']}"))
    mock.advance(_SETTLED_MS)
    note("znapai, poll when done", lambda: znapai("GET", f"/v1/videos/{body['id']}"))
    note("znapai, list of 20", lambda: znapai("GET", "/v1/videos"))

    ozor = caller("ozor")
    body, _ = ozor("POST", "/api/v1/videos/generate", {"prompt": "a demo of a lamp"})
    video = f"/api/v1/videos/{body['videoId']}"
    job = f"{video}/jobs/{body['jobId']}"
    note("ozor, poll while it runs", lambda: ozor("GET", job))
    mock.advance(_SETTLED_MS)
    note("ozor, poll when done", lambda: ozor("GET", job))
    ozor("POST", f"{video}/export", {"quality": "720p"})
    mock.advance(_SETTLED_MS)
    note("ozor, video with an export", lambda: ozor("GET", video))
    return found


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 300), indent=1))

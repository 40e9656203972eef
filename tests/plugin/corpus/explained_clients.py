"""The code of the explanations, run as it is printed: the wrong one is found, the right one not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from functools import partial
from wsgiref.types import StartResponse, WSGIEnvironment

from screentest import World
from screentest.specs.json_types import Json
from tests.ozor.steps import PDF_TYPE, pdf_bytes, scenes

from .registry import BAD, GOOD, Entry, as_explained, wait
from .wire import PROMPT, api

Scene = Callable[..., None]


class Database:
    """Jobs that were claimed."""

    def __init__(self) -> None:
        self._jobs: set[str] = set()

    def insert_if_new(self, job: str) -> bool:
        """Whether *job* was not there."""
        is_new = job not in self._jobs
        self._jobs.add(job)
        return is_new


def creates_while_the_rate_is_limited(world: World, *, is_right: bool) -> None:
    own = api(world, "ozor")
    world.ozor.rate_limit(times=2, retry_after=20, operation="generateVideo")
    answer = as_explained("SC215", is_right=is_right, client=own.http, body={"prompt": PROMPT})
    if answer.is_success:
        wait(own, answer.json(), 5)


def polls_a_stuck_job(world: World, *, is_right: bool) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("job_stall")
    path = "/videos/{videoId}/jobs/{jobId}".format(**own.create())
    as_explained("SC216", is_right=is_right, client=own.http, path=path)


def changes_a_plan_while_the_provider_fails(world: World, *, is_right: bool) -> None:
    own = api(world, "ozor")
    world.ozor.fail(503, times=2, operation="updatePlan")
    document = ("deck.pdf", pdf_bytes(), PDF_TYPE)
    changes = {"scenes": scenes(2)}
    as_explained("SC217", is_right=is_right, client=own.http, document=document, changes=changes)


def adds_captions_when_a_render_has_ended(world: World, *, is_right: bool) -> None:
    own = api(world, "ugc_copilot")

    def status_of(job: str) -> Json:
        asked = {"engine": "sora", "operationName": job}
        return own.http.post("/proxyCheckVideoStatus", json={"data": asked}).json()

    def add_captions(job: str) -> None:
        uri = status_of(job)["response"]["generatedVideos"][0]["video"]["uri"]
        captions = {"videoUri": uri, "overlays": [{"text": "Back in stock", "position": "top"}]}
        own.http.post("/proxyApplyTextOverlay", json=captions).raise_for_status()

    made = as_explained("SC218", is_right=is_right, add_captions=add_captions, database=Database())

    def receiver(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        made["on_webhook"](json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))))
        start("204 No Content", [])
        return [b""]

    world.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)
    job = own.create(**{"Idempotency-Key": "video-1"})["operation"]["name"]
    for _ in range(20):
        time.sleep(30)
        status = status_of(job)
        made["on_poll"](job, status)
        if status["done"]:
            return


def downloads_a_video(world: World, *, is_right: bool) -> None:
    own = api(world, "znapai")
    made = own.create()
    wait(own, made, 5)
    world.znapai.faults.add("empty", operation="downloadVideo")
    path = f"/videos/{made['id']}/content"
    as_explained("SC219", is_right=is_right, client=own.http, url=path, store=lambda *_: None)


def downloads_an_export(world: World, *, is_right: bool) -> None:
    own = api(world, "ozor")
    made = own.create()
    wait(own, made, 5)
    own.http.post(f"/videos/{made['videoId']}/export", json={})
    time.sleep(60)
    job = own.get(f"/videos/{made['videoId']}")
    video = as_explained("SC408", is_right=is_right, client=own.http, job=job)["video"]
    assert video.content[4:8] == b"ftyp"


_SCENES: dict[str, Scene] = {
    "SC215": creates_while_the_rate_is_limited,
    "SC216": polls_a_stuck_job,
    "SC217": changes_a_plan_while_the_provider_fails,
    "SC218": adds_captions_when_a_render_has_ended,
    "SC219": downloads_a_video,
    "SC408": downloads_an_export,
}
#: What the wrong code comes from.
_SOURCES = {
    "SC215": "x402-foundation/x402#1929",
    "SC216": "tryAGI/AutoSDK#175",
    "SC217": "ente/ente#6131",
    "SC218": "Blazity/ai-workflow#22",
    "SC219": "artokun/comfyui-mcp#396",
    "SC408": "axios/axios#10711",
}
for _code, _scene in _SCENES.items():
    _wrong, _right = partial(_scene, is_right=False), partial(_scene, is_right=True)
    BAD.append(Entry(f"{_code}_wrong", _wrong, _code, _SOURCES[_code]))
    GOOD.append(Entry(f"{_code}_right", _right))

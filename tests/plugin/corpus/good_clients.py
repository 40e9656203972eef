"""Clients that do what the documents ask for, in different styles: none may be accused."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import wraps
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import anyio
import httpx
import requests

from screentest import World

from .registry import good, wait
from .wire import OPEN, PROMPT, api


def _retrying(function: Callable[..., Any]) -> Callable[..., Any]:
    """Repeat a call that only reads, with growing pauses."""

    @wraps(function)
    def repeat(*arguments: Any) -> Any:
        for pause_s in (1, 2, 4, 8):
            try:
                return function(*arguments)
            except httpx.HTTPError:
                time.sleep(pause_s)
        return function(*arguments)

    return repeat


@good()
def polls_in_the_documented_rhythm(world: World) -> None:
    own = api(world, "ozor")
    wait(own, own.create(), 5)


@good()
def polls_every_thirty_seconds(world: World) -> None:
    own = api(world, "ulazai")
    wait(own, own.create())


@good()
def downloads_what_it_has_paid_for(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    if wait(own, made, 5) == "completed":
        own.http.get(f"/videos/{made['id']}/content").raise_for_status()


@good()
def uses_asyncio(world: World) -> None:
    async def render(client: httpx.AsyncClient, prompt: str) -> None:
        made = (await client.post("/videos/generate", json={"prompt": prompt})).json()
        path = f"/videos/{made['videoId']}/jobs/{made['jobId']}"
        async with asyncio.timeout(1_800):
            while (await client.get(path)).json()["status"] in OPEN:
                await asyncio.sleep(5)

    async def main() -> None:
        headers = {"X-API-Key": world.ozor.api_key}
        base_url = "https://ozor.ai/api/v1"
        async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
            await asyncio.gather(*(render(client, f"{PROMPT} {it}") for it in range(3)))

    asyncio.run(main())


@good()
def uses_threads(world: World) -> None:
    own = api(world, "ulazai")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda it: wait(own, own.create(f"{PROMPT} {it}")), range(3)))


@good()
def uses_requests_and_a_session(world: World) -> None:
    session = requests.Session()
    session.headers["X-API-Key"] = world.ozor.api_key
    base = "https://ozor.ai/api/v1/videos"
    made = session.post(f"{base}/generate", json={"prompt": PROMPT}, timeout=30).json()
    for _ in range(200):
        time.sleep(4)
        job = session.get(f"{base}/{made['videoId']}/jobs/{made['jobId']}", timeout=30).json()
        if job["status"] in {"completed", "failed"}:
            return


@good()
def repeats_only_what_reads(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    world.znapai.fail(503, times=2, operation="getVideo")
    status = _retrying(own.status)
    while status(made) in OPEN:
        time.sleep(5)


@good()
def repeats_a_payment_with_its_idempotency_key(world: World) -> None:
    own = api(world, "ugc_copilot")
    world.ugc_copilot.faults.lost_answer(operation="proxyStartVideoGeneration")
    create = _retrying(lambda: own.create(**{"Idempotency-Key": "video-1"}))
    wait(own, create(), 10)


@good()
def looks_into_the_list_before_it_pays_again(world: World) -> None:
    own = api(world, "znapai")
    world.znapai.faults.lost_answer(operation="createVideo")
    try:
        made = own.create()
    except httpx.HTTPError:
        made = own.get("/videos")["data"][0]
    wait(own, made, 5)


@good()
def looks_into_ozors_list_before_it_pays_again(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("http_error", operation="generateVideo", phase="after_commit")
    try:
        own.create()
    except httpx.HTTPError:
        video = own.get("/videos")["videos"][0]["videoId"]
        for _ in range(100):
            time.sleep(5)
            if own.get(f"/videos/{video}")["status"] not in OPEN:
                return


@good()
def reports_a_lost_answer_and_leaves_it_to_its_user(world: World) -> None:
    own = api(world, "ulazai")
    world.ulazai.faults.lost_answer(operation="generateTextToVideo")
    try:
        own.create()
    except httpx.HTTPError:
        time.sleep(3_600)


@good()
def wants_two_takes_and_uses_both(world: World) -> None:
    own = api(world, "ulazai")
    takes = [own.create(), own.create()]
    for take in takes:
        wait(own, take)


@good()
def wants_two_takes_one_after_the_other(world: World) -> None:
    own = api(world, "ozor")
    for _ in range(2):
        wait(own, own.create(), 5)


@good()
def wants_variations_with_different_prompts(world: World) -> None:
    own = api(world, "znapai")
    takes = [own.create(f"{PROMPT}, take {it}") for it in range(3)]
    for take in takes:
        wait(own, take, 5)


@good()
def waits_for_a_slow_answer(world: World) -> None:
    own = api(world, "ozor", timeout=60.0)
    world.ozor.slow(20, operation="generateVideo")
    wait(own, own.create(), 5)


@good()
def waits_as_long_as_retry_after_says(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.rate_limit(times=1, retry_after=20, operation="listVideos")
    answer = own.http.get("/videos")
    time.sleep(int(answer.headers["Retry-After"]))
    own.get("/videos")


@good()
def follows_a_job_by_webhook(world: World) -> None:
    done: list[bytes] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        done.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start("204 No Content", [])
        return [b""]

    world.ugc_copilot.webhooks.deliver_to(wsgi_app=app)
    api(world, "ugc_copilot").create(**{"Idempotency-Key": "video-1"})
    while not done:
        time.sleep(30)


@good()
def resumes_after_a_restart(world: World) -> None:
    stored = api(world, "ozor").create()
    time.sleep(120)
    wait(api(world, "ozor"), stored, 5)


@good()
def gives_a_stuck_job_up_after_half_an_hour(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create(f"{PROMPT} [[screentest:stall]]")
    try:
        wait(own, made)
    except TimeoutError:
        time.sleep(3_600)


@good()
def ends_at_a_failed_job(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.jobs.fail_next("content")
    assert wait(own, own.create(), 5) == "failed"


@good()
def deletes_a_video_that_it_no_longer_wants(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    wait(own, made, 5)
    own.http.delete(f"/videos/{made['id']}").raise_for_status()
    time.sleep(3_600)


@good()
def waits_as_long_as_retry_after_asks(world: World) -> None:
    world.ozor.rate_limit(times=2, retry_after=20, operation="listVideos")
    own = api(world, "ozor")
    while (answer := own.http.get("/videos")).status_code == 429:
        time.sleep(int(answer.headers["Retry-After"]))


@good()
def downloads_from_the_store_until_the_length_is_right(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create()
    wait(own, made)
    url = own.get(f"/sora/status/{made['data']['task_id']}/")["data"]["video_url"]
    world.ulazai.faults.add("limit_data", where={"file": "video"}, bytes=900)
    for _ in range(3):
        with suppress(requests.RequestException):
            if requests.get(url, timeout=30).content[4:8] == b"ftyp":
                return
        time.sleep(2)


@good()
def goes_on_with_a_download_where_it_broke(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    wait(own, made, 5)
    world.znapai.faults.add("limit_data", operation="downloadVideo", bytes=900)
    path, video = f"/videos/{made['id']}/content", bytearray()
    with suppress(httpx.TransportError), own.http.stream("GET", path) as answer:
        for piece in answer.iter_bytes():
            video += piece
    rest = own.http.get(path, headers={"Range": f"bytes={len(video)}-"})
    rest.raise_for_status()


@good()
def checks_the_signature_over_the_bytes_that_came(world: World) -> None:
    handled: set[str] = set()

    def receiver(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        text = f"{environ['HTTP_X_UGC_TIMESTAMP']}.".encode() + body
        wanted = hmac.new(endpoint.secret.encode(), text, hashlib.sha256).hexdigest()
        is_good = hmac.compare_digest(wanted, environ["HTTP_X_UGC_SIGNATURE"])
        if is_good:
            handled.add(environ["HTTP_X_UGC_EVENT_ID"])
        start("204 No Content" if is_good else "401 Unauthorized", [])
        return [b""]

    endpoint = world.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)
    world.ugc_copilot.faults.add("webhook_duplicate")
    world.ugc_copilot.webhooks.tamper("signature")
    for number in range(2):
        api(world, "ugc_copilot").create(**{"Idempotency-Key": f"video-{number}"})
        time.sleep(3_600)
    assert handled


@good()
def uses_anyio_with_a_limit_for_jobs(world: World) -> None:
    async def render(own: httpx.AsyncClient, limit: anyio.CapacityLimiter, take: int) -> None:
        async with limit:
            body = {"model": "sora-2", "prompt": f"{PROMPT} {take}", "seconds": "4"}
            video = (await own.post("/videos", json=body)).json()
            with anyio.fail_after(1_800):
                while video["status"] in OPEN:
                    await anyio.sleep(5)
                    video = (await own.get(f"/videos/{video['id']}")).json()

    async def main() -> None:
        limit = anyio.CapacityLimiter(2)
        headers = {"Authorization": f"Bearer {world.znapai.api_key}"}
        base_url = "https://api.znapai.com/v1"
        async with (
            httpx.AsyncClient(base_url=base_url, headers=headers) as own,
            anyio.create_task_group() as group,
        ):
            for take in range(4):
                group.start_soon(render, own, limit, take)

    anyio.run(main)

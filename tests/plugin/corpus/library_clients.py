"""Clients that leave retries, deadlines and streams to a library: wrong, and right."""

from __future__ import annotations

import asyncio
import json
import time

import httpx

from screentest import World
from screentest.specs.json_types import Json
from tests.ozor.steps import PDF_TYPE, pdf_bytes, scenes
from tests.plugin.conftest import neighbour

from .registry import bad, good, wait
from .wire import OPEN, PROMPT, Api, api


@bad("SC210", "https://tenacity.readthedocs.io/en/latest/", "tenacity")
def decorates_a_creation_with_tenacity(world: World) -> None:
    tenacity = neighbour("tenacity")
    own = api(world, "ozor")
    world.ozor.faults.lost_answer(operation="generateVideo")
    often = tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(2))
    wait(own, often(own.create)(), 5)


@bad("SC205", "ArcReel/ArcReel#688", "tenacity")
def retries_a_refusal_with_tenacity(world: World) -> None:
    tenacity = neighbour("tenacity")
    own = api(world, "ozor")
    often = tenacity.Retrying(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(2))
    try:
        often(own.create, "")
    except tenacity.RetryError:
        return


@bad("SC215", "ArcReel/ArcReel#688", "tenacity")
def waits_less_than_retry_after_with_tenacity(world: World) -> None:
    tenacity = neighbour("tenacity")
    own = api(world, "ozor")
    world.ozor.rate_limit(times=2, retry_after=20, operation="listVideos")
    tenacity.Retrying(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_fixed(2))(
        own.get, "/videos"
    )


@good("tenacity")
def polls_with_tenacity(world: World) -> None:
    tenacity = neighbour("tenacity")
    own = api(world, "ulazai")
    made = own.create()
    world.ulazai.fail(503, times=2, operation="getTaskStatus")
    polls = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(httpx.HTTPError)
        | tenacity.retry_if_result(lambda status: status in OPEN),
        wait=tenacity.wait_fixed(30),
        stop=tenacity.stop_after_delay(1_800),
    )
    assert polls(own.status, made) == "success"


@bad("SC210", "eliza#10930", "backoff")
def decorates_a_creation_with_backoff(world: World) -> None:
    backoff = neighbour("backoff")
    own = api(world, "znapai")
    world.znapai.faults.add("http_error", phase="after_commit", operation="createVideo")
    often = backoff.on_exception(backoff.expo, httpx.HTTPError, max_tries=3, jitter=None)
    wait(own, often(own.create)(), 5)


@good("backoff")
def polls_with_backoff(world: World) -> None:
    backoff = neighbour("backoff")
    own = api(world, "ozor")
    made = own.create()
    polls = backoff.on_predicate(
        backoff.expo, lambda status: status in OPEN, base=2, factor=2, max_time=1_800, jitter=None
    )
    assert polls(own.status)(made) == "completed"


@good("stamina")
def reads_again_with_stamina(world: World) -> None:
    stamina = neighbour("stamina")
    own = api(world, "ozor")
    made = own.create()
    world.ozor.fail(503, times=1, operation="getJob")
    often = stamina.RetryingCaller(attempts=4, wait_initial=3.0, wait_jitter=0.0)
    while often(httpx.HTTPError, own.status, made) in OPEN:
        time.sleep(5)


@bad("SC210", "QwenLM/Qwen-Agent#594", "openai")
def creates_with_the_retries_of_the_openai_sdk(world: World) -> None:
    openai = neighbour("openai")
    client = openai.OpenAI(api_key=world.znapai.api_key, base_url="https://api.znapai.com/v1")
    world.znapai.faults.lost_answer(operation="createVideo")
    client.videos.create_and_poll(model="sora-2", prompt=PROMPT, poll_interval_ms=5_000)


@good("openai")
def creates_without_the_retries_of_the_openai_sdk(world: World) -> None:
    openai = neighbour("openai")
    client = openai.OpenAI(api_key=world.znapai.api_key, base_url="https://api.znapai.com/v1")
    made = client.with_options(max_retries=0).videos.create(model="sora-2", prompt=PROMPT)
    world.znapai.fail(503, times=1, operation="getVideo")
    video = client.videos.poll(made.id, poll_interval_ms=5_000)
    assert video.status == "completed"
    client.videos.download_content(made.id).read()


@bad("SC213", "HeyPuter/puter#3730", "aiohttp")
def leaves_a_render_with_a_short_deadline(world: World) -> None:
    aiohttp = neighbour("aiohttp")

    async def main() -> None:
        headers = {"Authorization": f"Token {world.ulazai.api_key}"}
        base = "https://ulazai.com/api/v1/sora"
        async with aiohttp.ClientSession(headers=headers) as own:
            async with own.post(f"{base}/generate/text-to-video/", json={"prompt": PROMPT}) as it:
                task = (await it.json())["data"]["task_id"]
            async with asyncio.timeout(70):
                while True:
                    await asyncio.sleep(30)
                    async with own.get(f"{base}/status/{task}/") as it:
                        if (await it.json())["data"]["status"] not in OPEN:
                            return

    try:
        asyncio.run(main())
    except TimeoutError:
        time.sleep(600)


@good("aiohttp")
def polls_with_aiohttp(world: World) -> None:
    aiohttp = neighbour("aiohttp")

    async def main() -> None:
        headers = {"X-API-Key": world.ozor.api_key}
        base = "https://ozor.ai/api/v1/videos"
        async with aiohttp.ClientSession(headers=headers) as own:
            async with own.post(f"{base}/generate", json={"prompt": PROMPT}) as it:
                made = await it.json()
            async with asyncio.timeout(1_800):
                status = "pending"
                while status in OPEN:
                    await asyncio.sleep(5)
                    async with own.get(f"{base}/{made['videoId']}/jobs/{made['jobId']}") as it:
                        status = (await it.json())["status"]

    asyncio.run(main())


# --- event streams --------------------------------------------------------------------------------


def _generate(own: Api) -> tuple[str, list[Json]]:
    """The path of a plan, and the events that came until its stream ended."""
    sse = neighbour("httpx_sse")
    file = ("deck.pdf", pdf_bytes(), PDF_TYPE)
    plan = own.http.post("/documents/analyze", files={"file": file}).json()["plan"]
    path = f"/documents/plans/{plan['planId']}"
    own.http.patch(path, json={"scenes": scenes(2)}).raise_for_status()
    with sse.connect_sse(own.http, "POST", f"{path}/generate", timeout=None) as stream:
        return path, [json.loads(it.data) for it in stream.iter_sse()]


@bad("SC212", "mpetazzoni/sse.js#63", "httpx_sse")
def takes_the_end_of_a_stream_for_the_last_event(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("stream_no_end")
    _generate(own)
    time.sleep(3_600)


@good("httpx_sse")
def reads_a_stream_to_its_last_event(world: World) -> None:
    _, events = _generate(api(world, "ozor"))
    assert events[-1]["step"] == "done"


@good("httpx_sse")
def asks_for_the_plan_when_its_stream_had_no_end(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("stream_no_end")
    path, events = _generate(own)
    for _ in range(60):
        if events[-1]["step"] == "done" or own.get(path)["plan"]["status"] != "generating":
            return
        time.sleep(10)

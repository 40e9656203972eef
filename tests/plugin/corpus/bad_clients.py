"""Clients with one mistake each, which public issues or the providers' documents warn of.

Each is a function of a world. It is listed with the code that has to be found, and with the source
of the mistake: an issue of an application or a library, a document, or a provider's clause.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from screentest import World
from screentest.specs.json_types import Json
from tests.ozor.steps import PDF_TYPE, pdf_bytes, scenes

from .registry import again, bad, wait
from .wire import OPEN, PROMPT, RENDER, api

_COMFY = "Comfy-Org/ComfyUI#16204"


# --- SC210: paid twice ----------------------------------------------------------------------------


@bad("SC210", _COMFY)
def retries_a_creation_after_a_broken_connection(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.lost_answer(operation="generateVideo")
    wait(own, again(own.create))


@bad("SC210", "eliza#10930")
def retries_a_creation_after_a_server_error(world: World) -> None:
    own = api(world, "ulazai")
    world.ulazai.faults.add("http_error", phase="after_commit", status=502)
    wait(own, again(own.create))


@bad("SC210", "openai 3.52: create_and_poll pays three times when answers are lost")
def retries_a_creation_twice_after_timeouts(world: World) -> None:
    own = api(world, "znapai", timeout=10.0)
    world.znapai.faults.add("timeout", 2, phase="after_commit", delay_ms=60_000)
    wait(own, again(own.create))


@bad("SC210", "https://urllib3.readthedocs.io/en/stable/reference/urllib3.util.html")
def lets_urllib3_repeat_posts(world: World) -> None:
    session = requests.Session()
    retry = Retry(total=3, backoff_factor=1, status_forcelist=[503], allowed_methods=["POST"])
    session.mount("https://", HTTPAdapter(max_retries=retry))
    world.ozor.faults.add("http_error", phase="after_commit", status=503)
    session.post(
        "https://ozor.ai/api/v1/videos/generate",
        json={"prompt": PROMPT},
        headers={"X-API-Key": world.ozor.api_key},
    ).raise_for_status()


@bad("SC210", "https://docs.stripe.com/api/idempotent_requests")
def sends_a_new_idempotency_key_with_each_retry(world: World) -> None:
    own = api(world, "ugc_copilot")
    world.ugc_copilot.faults.lost_answer(operation="proxyStartVideoGeneration")
    keys = iter(["key-one", "key-two", "key-three"])
    wait(own, again(lambda: own.create(**{"Idempotency-Key": next(keys)})))


@bad("SC210", "agent-media-app#4")
def takes_half_an_answer_for_a_failure(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.corrupt_json(operation="generateVideo")
    wait(own, again(own.create))


@bad("SC210", _COMFY)
def retries_a_paid_analysis(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.lost_answer(operation="analyzeDocument")

    def analyze() -> Json:
        answer = own.http.post("/documents/analyze", files={"url": (None, "https://a.example/p")})
        answer.raise_for_status()
        return answer.json()

    again(analyze)


@bad("SC210", "openai/openai-python#2682")
def waits_less_than_a_slow_answer_and_beginsagain(world: World) -> None:
    own = api(world, "ulazai", timeout=10.0)
    world.ulazai.slow(20, operation="generateTextToVideo")
    wait(own, again(own.create))


@bad("SC210", "Draftdeckai#1067")
def retries_an_empty_answer(world: World) -> None:
    own = api(world, "znapai")
    world.znapai.faults.add("empty", operation="createVideo")
    wait(own, again(own.create))


# --- SC211: two paid, one used --------------------------------------------------------------------


@bad("SC211", "akash console#3449")
def renders_twice_on_a_double_click(world: World) -> None:
    own = api(world, "ozor")
    own.create()
    time.sleep(0.3)
    wait(own, own.create())


@bad("SC211", _COMFY)
def lets_two_workers_take_one_task(world: World) -> None:
    own, made = api(world, "ulazai"), list[Json]()
    workers = [threading.Thread(target=lambda: made.append(own.create())) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    wait(own, made[-1])


@bad("SC211", "ArcReel#628")
def forgets_the_job_at_a_restart_and_beginsagain(world: World) -> None:
    own = api(world, "znapai")
    before = own.create()
    time.sleep(5)
    own.status(before)
    wait(own, own.create(), 5)


# --- SC212: never fetched -------------------------------------------------------------------------


@bad("SC212", "ArcReel#160")
def does_not_store_the_id(world: World) -> None:
    api(world, "ozor").create()
    time.sleep(3_600)


@bad("SC212", "PageSpace#2199")
def waits_for_a_webhook_that_it_never_registered(world: World) -> None:
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC212", "https://www.ozor.ai/docs/api")
def takes_a_broken_stream_for_the_end(world: World) -> None:
    own = api(world, "ozor")
    file = ("deck.pdf", pdf_bytes(), PDF_TYPE)
    plan = own.http.post("/documents/analyze", files={"file": file}).json()["plan"]
    path = f"/documents/plans/{plan['planId']}"
    own.http.patch(path, json={"scenes": scenes(2)}).raise_for_status()
    world.ozor.cut_stream(after_events=2)
    with suppress(httpx.HTTPError):
        own.http.post(f"{path}/generate").read()
    time.sleep(3_600)


# --- SC213: abandoned -----------------------------------------------------------------------------


@bad("SC213", "vibe-seller#124")
def gives_up_before_the_render_can_have_ended(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create()
    for _ in range(2):
        time.sleep(30)
        if own.status(made) not in OPEN:
            return
    time.sleep(600)


@bad("SC213", "googleapis/js-genai#1074")
def lets_one_failed_poll_end_the_loop(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    time.sleep(3)
    own.status(made)
    world.ozor.fail(503, operation="getJob")
    try:
        wait(own, made, 3)
    except httpx.HTTPError:
        time.sleep(600)


@bad("SC213", "ArcReel#2212")
def stops_when_its_user_closes_the_page(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    for _ in range(3):
        time.sleep(2)
        own.status(made)
    time.sleep(3_600)


# --- SC214 and the polling codes ------------------------------------------------------------------


@bad("SC214", "genblaze#282")
def waits_for_a_state_that_the_provider_does_not_have(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    for _ in range(200):
        time.sleep(10)
        if own.status(made) == "succeeded":
            return


@bad("SC214", "genblaze#282")
def has_no_deadline_for_a_stuck_job(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create(f"{PROMPT} [[screentest:stall]]")
    for _ in range(400):
        time.sleep(30)
        if own.status(made) not in OPEN:
            return


@bad("SC202", "ZN-059")
def refreshes_a_finished_job(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    for _ in range(100):
        time.sleep(5)
        own.status(made)


@bad("SC201", "OZ-232")
def polls_faster_than_the_document_asks(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    while own.status(made) in OPEN:
        time.sleep(0.5)


@bad("SC205", "Comfy-Org/ComfyUI#16204")
def repeats_a_refused_request(world: World) -> None:
    own = api(world, "ozor")
    for _ in range(3):
        own.http.post("/videos/generate", json={"prompt": ""})
        time.sleep(1)


@bad("SC207", "https://docs.stripe.com/api/idempotent_requests")
def pays_without_an_idempotency_key(world: World) -> None:
    own = api(world, "ugc_copilot")
    for _ in range(2):
        wait(own, own.create())


@bad("SC208", "https://docs.stripe.com/api/idempotent_requests")
def reuses_an_idempotency_key_for_other_content(world: World) -> None:
    own = api(world, "ugc_copilot")
    headers = {"Idempotency-Key": "the-only-key"}
    wait(own, own.create(**headers))
    other = {"data": RENDER["data"] | {"duration": 8}}
    own.http.post("/proxyStartVideoGeneration", json=other, headers=headers)


@bad("SC215", "DouglasdeMoura/chroncal#105")
def ignores_retry_after_while_it_polls(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    world.znapai.rate_limit(times=1, retry_after=60, operation="getVideo")
    for _ in range(20):
        with suppress(httpx.HTTPError):
            if own.status(made) not in OPEN:
                return
        time.sleep(10)


@bad("SC201", "UL-042")
def polls_ulazai_every_five_seconds(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create()
    while own.status(made) in OPEN:
        time.sleep(5)


@bad("SC202", "OZ-104")
def waits_for_completed_where_the_word_is_complete(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    wait(own, made, 5)
    path = f"/videos/{made['videoId']}"
    own.http.post(f"{path}/export", json={})
    for _ in range(30):
        time.sleep(5)
        if own.get(path)["exportStatus"] == "completed":
            return


@bad("SC213", "huggingface/huggingface_hub#4164")
def ends_its_loop_at_a_state_that_it_does_not_know(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    status = own.status(made)
    while status == "in_progress":
        time.sleep(10)
        status = own.status(made)
    time.sleep(600)


@bad("SC212", "lidge-jun/opencodex#582")
def takes_an_unknown_state_for_success(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    time.sleep(3)
    world.ozor.faults.add("changed_field", operation="getJob", pointer="/status", value="settling")
    while own.status(made) in OPEN:
        time.sleep(5)
    time.sleep(600)


@bad("SC214", "apimatic/apimatic-cli#305")
def polls_on_at_a_state_that_it_does_not_know(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create()
    world.ulazai.faults.add(
        "changed_field", None, operation="getTaskStatus", pointer="/data/status", value="settling"
    )
    for _ in range(60):
        time.sleep(30)
        if own.status(made) in {"success", "failed"}:
            return


@bad("SC219", "artokun/comfyui-mcp#396")
def keeps_an_empty_file_from_the_store(world: World) -> None:
    own = api(world, "ulazai")
    made = own.create()
    wait(own, made)
    url = own.get(f"/sora/status/{made['data']['task_id']}/")["data"]["video_url"]
    world.ulazai.faults.add("empty", where={"file": "video"})
    assert httpx.get(url).status_code == 200


@bad("SC219", "wkentaro/gdown#477")
def keeps_what_came_before_the_connection_broke(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    wait(own, made, 5)
    world.znapai.faults.add("limit_data", operation="downloadVideo", bytes=900)
    video = bytearray()
    with (
        suppress(httpx.TransportError),
        own.http.stream("GET", f"/videos/{made['id']}/content") as it,
    ):
        for piece in it.iter_bytes():
            video += piece

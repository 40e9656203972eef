"""Clients with one mistake each, which public issues or the providers' documents warn of.

Each is a function of a world. It is listed with the code that has to be found, and with the source
of the mistake: an issue of an application or a library, a document, or a provider's clause.
"""

from __future__ import annotations

import textwrap
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from screentest import World
from screentest.mock_server.findings.explanations import explanations
from screentest.specs.json_types import Json
from tests.ozor.steps import PDF_TYPE, pdf_bytes, scenes

from .wire import OPEN, PROMPT, RENDER, Api, api

Client = Callable[[World], None]
#: (code, source, client)
BAD: list[tuple[str, str, Client]] = []
_COMFY = "Comfy-Org/ComfyUI#16204"


def bad(code: str, source: str) -> Callable[[Client], Client]:
    """Register a client that has to be found with *code*."""

    def register(client: Client) -> Client:
        BAD.append((code, source, client))
        return client

    return register


def _wait(own: Api, made: Json, pause_s: float = 30.0) -> None:
    """Ask for a job in peace until it has ended."""
    for _ in range(60):
        time.sleep(pause_s)
        if own.status(made) not in OPEN:
            return


def _again(create: Callable[[], Json], times: int = 3) -> Json:
    """Repeat a call after each error, as a retry decorator does."""
    for attempt in range(times):
        try:
            return create()
        except (httpx.HTTPError, requests.RequestException, ValueError):
            if attempt == times - 1:
                raise
            time.sleep(2**attempt)
    raise AssertionError("a loop that ends in return or raise")


# --- SC210: paid twice ----------------------------------------------------------------------------


@bad("SC210", _COMFY)
def retries_a_creation_after_a_broken_connection(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.lost_answer(operation="generateVideo")
    _wait(own, _again(own.create))


@bad("SC210", "eliza#10930")
def retries_a_creation_after_a_server_error(world: World) -> None:
    own = api(world, "ulazai")
    world.ulazai.faults.add("http_error", phase="after_commit", status=502)
    _wait(own, _again(own.create))


@bad("SC210", "openai 3.52: create_and_poll pays three times when answers are lost")
def retries_a_creation_twice_after_timeouts(world: World) -> None:
    own = api(world, "znapai", timeout=10.0)
    world.znapai.faults.add("timeout", 2, phase="after_commit", delay_ms=60_000)
    _wait(own, _again(own.create))


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
    _wait(own, _again(lambda: own.create(**{"Idempotency-Key": next(keys)})))


@bad("SC210", "agent-media-app#4")
def takes_half_an_answer_for_a_failure(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.corrupt_json(operation="generateVideo")
    _wait(own, _again(own.create))


@bad("SC210", _COMFY)
def retries_a_paid_analysis(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.lost_answer(operation="analyzeDocument")

    def analyze() -> Json:
        answer = own.http.post("/documents/analyze", files={"url": (None, "https://a.example/p")})
        answer.raise_for_status()
        return answer.json()

    _again(analyze)


@bad("SC210", "openai/openai-python#2682")
def waits_less_than_a_slow_answer_and_begins_again(world: World) -> None:
    own = api(world, "ulazai", timeout=10.0)
    world.ulazai.slow(20, operation="generateTextToVideo")
    _wait(own, _again(own.create))


@bad("SC210", "Draftdeckai#1067")
def retries_an_empty_answer(world: World) -> None:
    own = api(world, "znapai")
    world.znapai.faults.add("empty", operation="createVideo")
    _wait(own, _again(own.create))


# --- SC211: two paid, one used --------------------------------------------------------------------


@bad("SC211", "akash console#3449")
def renders_twice_on_a_double_click(world: World) -> None:
    own = api(world, "ozor")
    own.create()
    time.sleep(0.3)
    _wait(own, own.create())


@bad("SC211", _COMFY)
def lets_two_workers_take_one_task(world: World) -> None:
    own, made = api(world, "ulazai"), list[Json]()
    workers = [threading.Thread(target=lambda: made.append(own.create())) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    _wait(own, made[-1])


@bad("SC211", "ArcReel#628")
def forgets_the_job_at_a_restart_and_begins_again(world: World) -> None:
    own = api(world, "znapai")
    before = own.create()
    time.sleep(5)
    own.status(before)
    _wait(own, own.create(), 5)


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
        _wait(own, made, 3)
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
        _wait(own, own.create())


@bad("SC208", "https://docs.stripe.com/api/idempotent_requests")
def reuses_an_idempotency_key_for_other_content(world: World) -> None:
    own = api(world, "ugc_copilot")
    headers = {"Idempotency-Key": "the-only-key"}
    _wait(own, own.create(**headers))
    other = {"data": RENDER["data"] | {"duration": 8}}
    own.http.post("/proxyStartVideoGeneration", json=other, headers=headers)


# --- SC215, SC216: pauses ------------------------------------------------------------------------


def as_explained(world: World, code: str, *, is_right: bool) -> None:
    """Run the Python code with which a finding is explained, against Ozor."""
    own = api(world, "ozor")
    shown = explanations()[code].python
    lines = textwrap.indent(shown.right if is_right else shown.wrong, "    ")
    path = "/videos/{videoId}/jobs/{jobId}".format(**own.create()) if "path" in lines else ""
    names: Json = {"time": time, "client": own.http, "path": path, "body": {"prompt": PROMPT}}
    exec(f"def explained():\n{lines}", names)
    names["explained"]()


@bad("SC215", "x402-foundation/x402#1929")
def ignores_retry_after(world: World) -> None:
    world.ozor.rate_limit(times=2, retry_after=20, operation="generateVideo")
    as_explained(world, "SC215", is_right=False)


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


@bad("SC216", "tryAGI/AutoSDK#175")
def polls_a_stuck_job_every_five_seconds(world: World) -> None:
    world.ozor.faults.add("job_stall")
    as_explained(world, "SC216", is_right=False)


# --- requests and receivers -----------------------------------------------------------------------


@bad("SC104", "https://www.ozor.ai/docs/api")
def sends_the_key_in_the_wrong_header(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.ozor.api_key}"}
    httpx.get("https://ozor.ai/api/v1/videos", headers=headers)


@bad("SC102", "https://api.znapai.com")
def sends_seconds_as_a_number(world: World) -> None:
    body = {"model": "sora-2", "prompt": PROMPT, "seconds": 4}
    api(world, "znapai").http.post("/videos", json=body)


@bad("SC103", "https://www.ozor.ai/docs/api")
def sends_a_field_of_another_provider(world: World) -> None:
    own = api(world, "ozor")
    body = {"prompt": PROMPT, "aspect_ratio": "16:9"}
    _wait(own, own.http.post("/videos/generate", json=body).json(), 5)


@bad("SC407", "https://www.ozor.ai/docs/api")
def keeps_a_link_beyond_its_life(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    _wait(own, made, 5)
    own.http.post(f"/videos/{made['videoId']}/export", json={})
    video = own.get(f"/videos/{made['videoId']}")
    while video["exportStatus"] != "complete":
        time.sleep(5)
        video = own.get(f"/videos/{made['videoId']}")
    time.sleep(48 * 3_600)
    httpx.get(video["downloadUrl"])


def _answers(status: int) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(f"{status} Answer", [])
        return [b""]

    return app


@bad("SC306", "standard-webhooks#308")
def believes_a_forged_webhook(world: World) -> None:
    world.ugc_copilot.webhooks.deliver_to(wsgi_app=_answers(204))
    world.ugc_copilot.webhooks.tamper("signature")
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC301", "octokit/webhooks.js#853")
def answers_a_webhook_with_an_error(world: World) -> None:
    world.ugc_copilot.webhooks.deliver_to(wsgi_app=_answers(500))
    api(world, "ugc_copilot").create()
    time.sleep(3_600)

"""Clients whose requests a provider refuses, and receivers of webhooks: each with one mistake."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import requests

from screentest import World
from screentest.fixtures.world.errors import UnmatchedRequestError
from tests.oshara.steps import JOBS, JPEG

from .registry import answering, bad, wait
from .wire import PROMPT, RENDER, SCENE, api

_OZOR, _OZOR_API = "https://www.ozor.ai/docs/api", "https://ozor.ai/api/v1"


# --- one request ----------------------------------------------------------------------------------


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
    wait(own, own.http.post("/videos/generate", json=body).json(), 5)


@bad("SC407", "https://www.ozor.ai/docs/api")
def keeps_a_link_beyond_its_life(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    wait(own, made, 5)
    own.http.post(f"/videos/{made['videoId']}/export", json={})
    video = own.get(f"/videos/{made['videoId']}")
    while video["exportStatus"] != "complete":
        time.sleep(5)
        video = own.get(f"/videos/{made['videoId']}")
    time.sleep(48 * 3_600)
    httpx.get(video["downloadUrl"])


@bad("SC105", "OZ-056")
def sends_a_form_where_json_is_wanted(world: World) -> None:
    headers = {"X-API-Key": world.ozor.api_key}
    requests.post(f"{_OZOR_API}/videos/generate", data={"prompt": PROMPT}, headers=headers)


@bad("SC106", "OZ-227")
def builds_json_by_hand(world: World) -> None:
    body = '{{"prompt": "{}"}}'.format('A sign that says "open"')
    headers = {"Content-Type": "application/json"}
    api(world, "ozor").http.post("/videos/generate", content=body, headers=headers)


@bad("SC107", "ZN-007")
def forgets_the_prompt(world: World) -> None:
    api(world, "znapai").http.post("/videos", json={"model": "sora-2", "seconds": "4"})


@bad("SC108", "ZN-015")
def asks_for_a_size_that_is_not_made(world: World) -> None:
    body = {"model": "sora-2", "prompt": PROMPT, "seconds": "4", "size": "1920x1080"}
    api(world, "znapai").http.post("/videos", json=body)


@bad("SC110", _OZOR)
def leaves_out_a_part_of_the_path(world: World) -> None:
    with suppress(UnmatchedRequestError):
        api(world, "ozor").http.get("/video")


@bad("SC111", "UG-002")
def reads_where_it_has_to_post(world: World) -> None:
    with suppress(UnmatchedRequestError):
        api(world, "ugc_copilot").http.get("/proxyCheckVideoStatus")


@bad("SC112", "DefectDojo/django-DefectDojo#3120")
def leaves_out_the_trailing_slash(world: World) -> None:
    api(world, "ulazai").http.post("/sora/generate/text-to-video", json={"prompt": PROMPT})


@bad("SC113", "microsoft/AICentral#134")
def repeats_a_prompt_that_was_refused(world: World) -> None:
    own = api(world, "znapai")
    body = {"model": "sora-2", "prompt": f"{PROMPT} [[screentest:reject]]", "seconds": "4"}
    while own.http.post("/videos", json=body).status_code == 400 and time.monotonic() < 60:
        time.sleep(5)


@bad("SC205", "elbywan/wretch#176")
def takes_every_error_for_a_passing_one(world: World) -> None:
    own = api(world, "ulazai")
    for pause_s in (1, 2, 4):
        if own.http.post("/sora/generate/text-to-video/", json={"prompt": ""}).is_success:
            return
        time.sleep(pause_s)


@bad("SC402", "UG-006")
def runs_with_a_placeholder_for_a_key(world: World) -> None:
    client = httpx.Client(headers={"Authorization": "Bearer your-api-key"})
    base = "https://us-central1-viral-ugc-copilot.cloudfunctions.net"
    client.post(f"{base}/proxyStartVideoGeneration", json=RENDER)
    assert world.ugc_copilot.api_key


@bad("SC403", "OZ-017")
def goes_on_with_a_key_that_was_revoked(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("key_revoked", operation="listVideos")
    for _ in range(3):
        own.http.get("/videos")
        time.sleep(5)


@bad("SC401", "OZ-033")
def reads_a_job_with_the_key_of_another_customer(world: World) -> None:
    made = api(world, "ozor").create()
    other = {"X-API-Key": world.ozor.account().api_key}
    httpx.get(f"{_OZOR_API}/videos/{made['videoId']}", headers=other)


@bad("SC404", "OZ-136")
def asks_for_a_job_by_the_id_of_its_video(world: World) -> None:
    own = api(world, "ozor")
    made = own.create()
    own.http.get(f"/videos/{made['videoId']}/jobs/{made['videoId']}")
    wait(own, made, 5)


@bad("SC405", "ZN-049")
def downloads_before_the_end(world: World) -> None:
    own = api(world, "znapai")
    made = own.create()
    own.http.get(f"/videos/{made['id']}/content")
    wait(own, made, 5)


@bad("SC406", "UKGovernmentBEIS/inspect_ai#5340")
def retries_without_credits(world: World) -> None:
    own = api(world, "ozor")
    world.ozor.faults.add("credits_end", operation="generateVideo")
    for pause_s in (1, 2, 4):
        if own.http.post("/videos/generate", json={"prompt": PROMPT}).is_success:
            return
        time.sleep(pause_s)


@bad("SC204", "UG-060")
def starts_a_batch_without_a_limit(world: World) -> None:
    own = api(world, "ugc_copilot")
    body = {"visualPrompt": PROMPT, "productDescription": ""}
    for _ in range(45):
        own.http.post("/proxyGenerateSceneImage", json=body)


@bad("SC209", "imagineapi/imagineapi#20")
def starts_more_jobs_than_may_run(world: World) -> None:
    own = api(world, "ugc_copilot")

    def start(number: int) -> httpx.Response:
        body = {"data": {"engine": "sora", "scene": {**SCENE, "scriptText": f"Take {number}"}}}
        headers = {"Idempotency-Key": f"take-{number}"}
        return own.http.post("/proxyStartVideoGeneration", json=body, headers=headers)

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(start, range(5)))


@bad("SC408", "asfadmin/Discovery-asf_search#46")
def downloads_from_the_store_with_the_session_of_the_api(world: World) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {world.oshara.api_key}"
    base = "https://api.oshara.ai"
    fields = {"title": "Product Demo", "text_content": "Welcome to Acme!"}
    picture = {"avatar": (JPEG.name, JPEG.content, JPEG.content_type)}
    made = session.post(f"{base}{JOBS}", data=fields, files=picture).json()
    for _ in range(120):
        time.sleep(10)
        job = session.get(f"{base}{JOBS}{made['id']}/").json()
        if job["status"] in {"COMPLETED", "FAILED"}:
            session.get(job["processed_video_url"])
            return


# --- receivers ------------------------------------------------------------------------------------


@bad("SC306", "standard-webhooks#308")
def believes_a_forged_webhook(world: World) -> None:
    world.ugc_copilot.webhooks.deliver_to(wsgi_app=answering(204))
    world.ugc_copilot.webhooks.tamper("signature")
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC301", "octokit/webhooks.js#853")
def answers_a_webhook_with_an_error(world: World) -> None:
    world.ugc_copilot.webhooks.deliver_to(wsgi_app=answering(500))
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC302", "https://docs.stripe.com/webhooks")
def redirects_a_webhook(world: World) -> None:
    moved = answering(308, ("Location", "https://hooks.example.com/video/"))
    world.ugc_copilot.webhooks.deliver_to(wsgi_app=moved)
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC304", "UG-049")
def registers_a_port_on_which_nobody_listens(world: World) -> None:
    world.ugc_copilot.webhooks.deliver_to("http://127.0.0.1:9/hook")
    api(world, "ugc_copilot").create()
    time.sleep(3_600)


@bad("SC305", "cyrusagents/cyrus#987")
def signs_json_that_it_has_written_again(world: World) -> None:
    def receiver(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        text = f"{environ['HTTP_X_UGC_TIMESTAMP']}.{json.dumps(event)}"
        wanted = hmac.new(endpoint.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        is_good = hmac.compare_digest(wanted, environ["HTTP_X_UGC_SIGNATURE"])
        start("204 No Content" if is_good else "401 Unauthorized", [])
        return [b""]

    endpoint = world.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)
    api(world, "ugc_copilot").create()
    time.sleep(3_600)

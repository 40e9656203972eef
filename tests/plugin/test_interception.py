"""Clients that use the providers' real addresses reach the mock. Other calls are not changed."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
import warnings
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
import urllib3

from screentest import LiveServer, UnmatchedRequestError, World, WorldFactory
from screentest.fixtures.intercept.interception import intercepted
from screentest.fixtures.intercept.provider_router import ProviderRouter
from screentest.fixtures.patching.patches import Patches
from screentest.fixtures.world.errors import RealHostError
from screentest.fixtures.world.mock import InProcessMock
from screentest.specs.json_types import Json

from .conftest import neighbour

GENERATE = "https://ozor.ai/api/v1/videos/generate"
PROMPT = {"prompt": "A reading lamp"}


def _key(world: World) -> dict[str, str]:
    return {"X-API-Key": world.ozor.api_key}


def _ask_for_a_plan(world: World) -> str:
    form = {"url": (None, "https://example.org/about")}
    url = "https://ozor.ai/api/v1/documents/analyze"
    answer = requests.post(url, headers=_key(world), files=form)
    plan: str = answer.json()["plan"]["planId"]
    return plan


def test_requests_reaches_the_mock(screentest: World) -> None:
    answer = requests.post(GENERATE, json=PROMPT, headers=_key(screentest))

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


def test_urllib3_reaches_the_mock(screentest: World) -> None:
    answer = urllib3.PoolManager().request("POST", GENERATE, json=PROMPT, headers=_key(screentest))

    assert (answer.status, answer.json()["status"]) == (200, "pending")


def test_httpx_reaches_the_mock(screentest: World) -> None:
    answer = httpx.post(GENERATE, json=PROMPT, headers=_key(screentest))

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


def test_httpx_reaches_the_mock_asynchronously(screentest: World) -> None:
    async def generate() -> httpx.Response:
        async with httpx.AsyncClient(headers=_key(screentest)) as client:
            return await client.post(GENERATE, json=PROMPT)

    answer = asyncio.run(generate())

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


@pytest.mark.parametrize(
    ("provider", "method", "path"),
    [
        ("ozor", "GET", "/api/v1/videos"),
        ("znapai", "GET", "/v1/videos"),
        ("ugc_copilot", "POST", "/proxyCheckVideoStatus"),
        ("ulazai", "GET", "/api/v1/sora/status/none/"),
        ("oshara", "GET", "/api/video-rendering/jobs/"),
    ],
)
@pytest.mark.screentest(unmatched="ignore", violations="ignore")
def test_every_provider_is_reached_at_its_real_address(
    screentest: World, provider: str, method: str, path: str
) -> None:
    base_url = screentest.provider(provider).base_url

    answer = requests.request(method, base_url + path)

    assert base_url.startswith("https://")
    assert answer.headers["X-Screentest-Request-Id"] == "req_1"
    assert [record.provider for record in screentest.requests] == [provider]


def test_addresses_in_answers_can_be_followed(screentest: World) -> None:
    started = requests.post(GENERATE, json=PROMPT, headers=_key(screentest)).json()
    screentest.clock.advance_until_idle()
    video = f"https://ozor.ai/api/v1/videos/{started['videoId']}"
    requests.post(f"{video}/export", json={"quality": "720p"}, headers=_key(screentest))
    screentest.clock.advance_until_idle()

    url = requests.get(video, headers=_key(screentest)).json()["downloadUrl"]
    content = httpx.get(url).content

    assert url.startswith("https://ozor.ai/_storage/exports/")
    assert content[4:8] == b"ftyp"


def test_an_event_stream_arrives_event_by_event(screentest: World) -> None:
    plan = _ask_for_a_plan(screentest)
    url = f"https://ozor.ai/api/v1/documents/plans/{plan}/generate"

    seen: list[tuple[str, float]] = []
    with httpx.stream("POST", url, headers=_key(screentest)) as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                seen.append((line[:20], screentest.clock.elapsed))

    times_s = [at for _, at in seen]
    assert len(seen) > 5
    assert times_s == sorted(times_s)
    assert times_s[0] < 1 < 30 < times_s[-1]


def test_an_event_stream_arrives_through_requests_too(screentest: World) -> None:
    plan = _ask_for_a_plan(screentest)
    url = f"https://ozor.ai/api/v1/documents/plans/{plan}/generate"

    with requests.post(url, headers=_key(screentest), stream=True) as answer:
        times_s = [screentest.clock.elapsed for line in answer.iter_lines() if line]

    assert len(times_s) > 5
    assert times_s[0] < 1 < 30 < times_s[-1]


def test_an_undocumented_call_fails_at_once_and_names_the_nearest(screentest: World) -> None:
    expected = (
        r"^Ozor documents no POST /api/v1/video/generate; "
        r"the nearest is POST /api/v1/videos/generate$"
    )

    with pytest.raises(UnmatchedRequestError, match=expected):
        requests.post("https://ozor.ai/api/v1/video/generate", headers=_key(screentest))

    screentest.forgive()


def test_a_wrong_method_names_the_documented_one(screentest: World) -> None:
    expected = r"the nearest is POST /api/v1/videos/generate$"

    with pytest.raises(UnmatchedRequestError, match=expected):
        httpx.get(GENERATE, headers=_key(screentest))

    screentest.forgive()


def test_a_client_that_is_not_answered_never_reaches_the_real_host(screentest: World) -> None:
    with pytest.raises(RealHostError, match=r"tried to reach ozor\.ai itself.*screentest_server"):
        urllib.request.urlopen("https://ozor.ai/api/v1/videos")

    assert screentest.requests == []


@pytest.mark.parametrize("host", ["ozor.ai.", "OZOR.ai", "ozor.ai:443"])
def test_a_host_is_known_however_it_is_written(screentest: World, host: str) -> None:
    url = f"https://{host}/api/v1/videos"

    answers = [
        requests.get(url, headers=_key(screentest)).json(),
        httpx.get(url, headers=_key(screentest)).json(),
        urllib3.request("GET", url, headers=_key(screentest)).json(),
    ]

    assert answers == [{"videos": []}] * 3


@pytest.mark.parametrize(
    ("host", "provider", "api"),
    [
        ("www.ozor.ai", "ozor", "https://ozor.ai"),
        ("api.ozor.ai.", "ozor", "https://ozor.ai"),
        ("www.ulazai.com", "ulazai", "https://ulazai.com"),
        ("oshara.ai", "oshara", "https://api.oshara.ai"),
        ("www.znapai.com", "znapai", "https://api.znapai.com"),
    ],
)
def test_what_is_beside_an_api_is_not_reached_either(
    screentest: World, host: str, provider: str, api: str
) -> None:
    detail = f"tried to reach {host}, which is not the API of {provider}; the API is at {api}$"

    for get in (requests.get, httpx.get, urllib.request.urlopen):
        with pytest.raises(RealHostError, match=detail):
            get(f"https://{host}/api/v1/videos")

    assert screentest.requests == []


@pytest.mark.parametrize("name", ["gethostbyname", "gethostbyname_ex"])
def test_provider_host_is_never_resolved(screentest: World, name: str) -> None:
    with pytest.raises(RealHostError, match=r"tried to reach ozor\.ai itself"):
        getattr(socket, name)("ozor.ai")

    assert "127.0.0.1" in str(getattr(socket, name)("127.0.0.1"))


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_no_socket_looks_a_provider_up_by_itself(screentest: World, method: str) -> None:
    with (
        socket.socket() as mine,
        pytest.raises(RealHostError, match=r"tried to reach ozor\.ai itself"),
    ):
        getattr(mine, method)(("ozor.ai", 443))


def test_sockets_are_what_they_were_when_the_interception_is_left() -> None:
    before = dict(vars(socket.socket)), socket.gethostbyname
    mock = InProcessMock()

    with intercepted(ProviderRouter(mock, []), LiveServer(mock)):
        inside = dict(vars(socket.socket)), socket.gethostbyname

    assert "connect" in inside[0]
    assert inside[1] is not before[1]
    assert (dict(vars(socket.socket)), socket.gethostbyname) == before


def test_patch_that_other_code_has_undone_is_left_alone() -> None:
    owner, patches = SimpleNamespace(name="real"), Patches()

    patches.put(owner, "name", "ours")
    owner.name = "theirs"
    patches.undo()

    assert owner.name == "theirs"


def test_a_proxy_from_the_environment_is_not_asked(
    screentest: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    answers = [
        requests.post(GENERATE, json=PROMPT, headers=_key(screentest)).status_code,
        httpx.post(GENERATE, json=PROMPT, headers=_key(screentest)).status_code,
    ]

    assert answers == [200, 200]


@pytest.mark.screentest(intercept=False)
def test_without_interception_a_provider_is_on_a_port(screentest: World) -> None:
    answer = requests.get(f"{screentest.ozor.base_url}/api/v1/videos", headers=_key(screentest))

    assert screentest.ozor.base_url.startswith("http://127.0.0.1:")
    assert answer.json() == {"videos": []}


def test_the_server_shows_the_same_world(screentest: World, screentest_server: LiveServer) -> None:
    requests.post(GENERATE, json=PROMPT, headers=_key(screentest))

    url = f"{screentest_server.base_url(screentest, 'ozor')}/api/v1/videos"
    answer = requests.get(url, headers=_key(screentest))

    assert len(answer.json()["videos"]) == 1


def test_a_call_goes_to_the_world_of_its_key(screentest_worlds: WorldFactory) -> None:
    first, second = screentest_worlds.create(), screentest_worlds.create()

    requests.post(GENERATE, json=PROMPT, headers=_key(second))

    assert (len(first.requests), len(second.requests)) == (0, 1)
    assert (len(first.ozor.jobs), len(second.ozor.jobs)) == (0, 1)


@pytest.mark.slow
def test_httpx2_reaches_the_mock(screentest: World) -> None:
    httpx2: Any = neighbour("httpx2")

    answer = httpx2.post(GENERATE, json=PROMPT, headers=_key(screentest))

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


@pytest.mark.slow
def test_httpx2_reaches_the_mock_asynchronously(screentest: World) -> None:
    httpx2: Any = neighbour("httpx2")

    async def generate() -> Any:
        async with httpx2.AsyncClient(headers=_key(screentest)) as client:
            return await client.post(GENERATE, json=PROMPT)

    answer = asyncio.run(generate())

    assert (answer.status_code, answer.json()["status"]) == (200, "pending")


@pytest.mark.slow
def test_aiohttp_reaches_the_mock_through_the_loopback_server(screentest: World) -> None:
    aiohttp: Any = neighbour("aiohttp")

    async def generate() -> Json:
        async with aiohttp.ClientSession("https://ozor.ai", headers=_key(screentest)) as session:
            async with session.post("/api/v1/videos/generate", json=PROMPT) as answer:
                started = await answer.json()
            await asyncio.sleep(120)
            url = f"/api/v1/videos/{started['videoId']}/jobs/{started['jobId']}"
            async with session.get(url) as answer:
                return await answer.json()

    assert asyncio.run(generate())["status"] == "completed"


@pytest.mark.slow
def test_aiohttp_asks_no_proxy_on_its_way_to_the_loopback_server(
    screentest: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    aiohttp: Any = neighbour("aiohttp")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")

    async def ask() -> Json:
        async with (
            aiohttp.ClientSession(trust_env=True, headers=_key(screentest)) as session,
            session.get("https://ozor.ai/api/v1/videos") as answer,
        ):
            return await answer.json()

    assert asyncio.run(ask()) == {"videos": []}


@pytest.mark.slow
def test_aiohttp_makes_calls_side_by_side_in_a_session_with_a_base(screentest: World) -> None:
    aiohttp: Any = neighbour("aiohttp")

    async def ask(session: Any) -> int:
        async with session.get("/api/v1/videos") as answer:
            return int(answer.status)

    async def ask_often() -> list[int]:
        async with aiohttp.ClientSession("https://ozor.ai", headers=_key(screentest)) as session:
            return await asyncio.gather(*(ask(session) for _ in range(5)))

    assert asyncio.run(ask_often()) == [200] * 5


@pytest.mark.slow
@pytest.mark.sdk
def test_the_openai_client_creates_polls_and_downloads(screentest: World) -> None:
    openai: Any = neighbour("openai")
    warnings.simplefilter("ignore", DeprecationWarning)
    client = openai.OpenAI(api_key=screentest.znapai.api_key, base_url="https://api.znapai.com/v1")

    video = client.videos.create_and_poll(
        model="sora-2", prompt="A lamp", seconds="4", size="720x1280"
    )
    content = client.videos.download_content(video.id).read()

    assert (video.status, content[4:8]) == ("completed", b"ftyp")
    assert screentest.clock.elapsed > 10


@pytest.mark.slow
@pytest.mark.sdk
def test_the_openai_client_polls_asynchronously(screentest: World) -> None:
    openai: Any = neighbour("openai")
    warnings.simplefilter("ignore", DeprecationWarning)

    async def make() -> Json:
        base_url = "https://api.znapai.com/v1"
        client = openai.AsyncOpenAI(api_key=screentest.znapai.api_key, base_url=base_url)
        return await client.videos.create_and_poll(
            model="sora-2", prompt="A lamp", seconds="4", size="720x1280"
        )

    assert asyncio.run(make()).status == "completed"
    assert screentest.clock.elapsed > 10


def test_missing_slash_that_turns_a_post_into_a_get_is_named(screentest: World) -> None:
    url = "https://ulazai.com/api/v1/sora/generate/text-to-video"
    headers = {"Authorization": f"Token {screentest.ulazai.api_key}"}

    with pytest.raises(UnmatchedRequestError, match="documents no GET .* with its slash"):
        requests.post(url, json={"prompt": "A lamp"}, headers=headers, timeout=5)
    screentest.forgive()

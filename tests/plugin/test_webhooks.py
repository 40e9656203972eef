"""Webhooks in a test: receivers, faults, and the times of the attempts."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import pytest
import requests
from werkzeug.serving import make_server

from screentest import MockError, World
from screentest.specs.json_types import Json

Message = MutableMapping[str, Any]

VIDEOS = "https://ozor.ai/api/v1/videos"
RENDER = {"visualPrompt": "A hand turns a mug", "engine": "veo", "duration": 8}


def _render(world: World) -> requests.Response:
    return requests.post(
        f"{world.ugc_copilot.base_url}/proxyStartVideoGeneration",
        json=RENDER | {"sceneImageUrl": "https://example.org/mug.png"},
        headers={"Authorization": f"Bearer {world.ugc_copilot.api_key}"},
    )


class Receiver:
    """A WSGI application that records its requests. It answers *statuses*, then 204."""

    def __init__(self, *statuses: int) -> None:
        self._statuses = list(statuses)
        self.received: list[Json] = []
        self.signatures: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        self.received.append(json.loads(body))
        self.signatures.append(environ["HTTP_X_UGC_SIGNATURE"])
        status = self._statuses.pop(0) if self._statuses else 204
        start(f"{status} Answer", [])
        return [b""]


def test_webhooks_reach_a_wsgi_application(screentest: World) -> None:
    receiver = Receiver()
    endpoint = screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver, path="/hooks")
    started = _render(screentest)
    screentest.clock.advance_until_idle()

    assert started.status_code == 200
    assert endpoint.secret.startswith("whsec_")
    assert [event["type"] for event in receiver.received] == ["video.completed"]


def test_webhooks_reach_an_asgi_application(screentest: World) -> None:
    received: list[tuple[str, Json]] = []

    async def app(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        received.append((scope["path"], json.loads((await receive())["body"])["type"]))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    screentest.ugc_copilot.webhooks.deliver_to(asgi_app=app, path="/hooks")
    _render(screentest)
    screentest.clock.advance_until_idle()

    assert received == [("/hooks", "video.completed")]


def test_a_receiver_that_fails_is_tried_again_on_the_worlds_clock(screentest: World) -> None:
    receiver = Receiver(500, 503)
    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)
    _render(screentest)
    screentest.clock.advance_until_idle()

    (delivery,) = screentest.ugc_copilot.webhooks.deliveries

    assert [attempt["status"] for attempt in delivery.attempts] == [500, 503, 204]
    assert delivery.fate == "delivered"
    assert screentest.clock.elapsed > 360


def test_a_tampered_signature_is_another_one(screentest: World) -> None:
    receiver = Receiver(401)
    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)
    screentest.ugc_copilot.webhooks.tamper("signature")
    _render(screentest)
    screentest.clock.advance_until_idle()

    assert len(receiver.received) == 2
    assert receiver.signatures[0] != receiver.signatures[1]


def test_a_receiver_may_ask_the_provider_and_sleep(screentest: World) -> None:
    """It is called while the clock moves, so its sleep must not wait for the clock."""
    import time

    seen: list[int] = []

    def app(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        time.sleep(30)
        headers = {"X-API-Key": screentest.ozor.api_key}
        seen.append(requests.get(VIDEOS, headers=headers).status_code)
        start("204 No Content", [])
        return []

    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=app)
    _render(screentest)
    time.sleep(600)

    assert seen == [200]
    assert screentest.clock.elapsed == 600


def test_webhooks_reach_a_server_of_this_machine(screentest: World) -> None:
    receiver = Receiver()
    server = make_server("127.0.0.1", 0, receiver)
    thread = threading.Thread(target=server.handle_request)
    thread.start()

    screentest.ugc_copilot.webhooks.deliver_to(f"http://127.0.0.1:{server.server_port}/hook")
    _render(screentest)
    screentest.clock.advance_until_idle()
    thread.join(5)
    server.server_close()

    assert [event["type"] for event in receiver.received] == ["video.completed"]


def test_webhooks_go_to_this_machine_only(screentest: World) -> None:
    with pytest.raises(MockError, match="^webhooks are sent to this machine only"):
        screentest.ugc_copilot.webhooks.deliver_to("https://example.org/hook")


def test_a_provider_without_webhooks_says_so(screentest: World) -> None:
    with pytest.raises(MockError, match="^ozor documents no webhooks$"):
        screentest.ozor.webhooks.deliver_to(wsgi_app=Receiver())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"wsgi_app": 3}, "expected an application that can be called, got 3"),
        ({"wsgi_app": Receiver(), "path": "hook"}, "path: expected one that begins with a slash"),
        ({"wsgi_app": Receiver(), "events": ["video.done"]}, "no event 'video.done'; did you mean"),
        ({"wsgi_app": Receiver(), "account": "acct_1"}, "no account of ugc_copilot 'acct_1'; did"),
    ],
)
def test_a_receiver_that_cannot_be_is_refused(
    screentest: World, given: dict[str, Any], expected: str
) -> None:
    with pytest.raises(MockError, match=f"^{expected}"):
        screentest.ugc_copilot.webhooks.deliver_to(**given)


def test_exactly_one_receiver_is_needed(screentest: World) -> None:
    with pytest.raises(MockError, match=r"^deliver_to takes one of url, wsgi_app= or asgi_app=$"):
        screentest.ugc_copilot.webhooks.deliver_to()


def test_an_async_client_and_a_webhook_meet_in_one_loop(screentest: World) -> None:
    receiver = Receiver()
    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receiver)

    async def render() -> None:
        async with httpx.AsyncClient() as client:
            await client.post(
                f"{screentest.ugc_copilot.base_url}/proxyStartVideoGeneration",
                json=RENDER | {"sceneImageUrl": "https://example.org/mug.png"},
                headers={"Authorization": f"Bearer {screentest.ugc_copilot.api_key}"},
            )
            while not receiver.received:
                await asyncio.sleep(15)

    asyncio.run(render())

    assert receiver.received[0]["type"] == "video.completed"


def test_one_event_is_written_as_a_list(screentest: World) -> None:
    events: Any = "video.completed"

    with pytest.raises(MockError, match=r"^events: expected a list such as \['video.completed'\]"):
        screentest.ugc_copilot.webhooks.deliver_to("http://127.0.0.1:9/", events=events)

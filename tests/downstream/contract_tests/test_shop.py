"""The shop beside its providers."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import requests
from lampshop import ozor, ulazai
from lampshop.hooks import Hooks

from screentest import LiveServer, MockError, UnmatchedRequestError, World, WorldFactory

HERE = Path(__file__).parent.parent


def _render(world: World) -> int:
    answer = requests.post(
        f"{world.ugc_copilot.base_url}/proxyStartVideoGeneration",
        headers={"Authorization": f"Bearer {world.ugc_copilot.api_key}"},
        json={
            "visualPrompt": "A hand turns a lamp",
            "engine": "veo",
            "duration": 8,
            "sceneImageUrl": "https://example.org/lamp.png",
        },
    )
    return answer.status_code


@pytest.mark.parametrize("folder", ["fixtures", "specs", "contract_tests"])
def test_our_folders_are_ours(folder: str) -> None:
    module = importlib.import_module(folder)

    assert module.__file__ is not None
    assert Path(module.__file__).parent == HERE / folder


def test_a_video_is_there_as_soon_as_promised(studio: World) -> None:
    promises = importlib.import_module("specs.promises")

    video = ozor.make_video("A reading lamp")

    assert [job.state for job in studio.ozor.jobs.all()] == ["completed"]
    assert video
    assert studio.clock.elapsed < 60 * promises.MINUTES_MAX
    assert (studio.ozor.credits, len(studio.ledger)) == (2, 5)


def test_a_video_from_the_other_provider_too(studio: World) -> None:
    url = asyncio.run(ulazai.make_video("A reading lamp"))

    assert httpx.get(url).content[4:8] == b"ftyp"
    assert studio.ulazai.accounts[0].spent == 70


def test_a_busy_provider_is_asked_again_when_it_says(studio: World) -> None:
    studio.ozor.rate_limit(times=2, retry_after=20).fail(503, times=1, retry_after=5)

    ozor.make_video("A reading lamp")

    assert studio.clock.elapsed > 45


@pytest.mark.screentest(credits=0)
def test_an_empty_balance_is_reported(studio: World) -> None:
    with pytest.raises(ozor.NoCreditsError):
        ozor.make_video("A reading lamp")


def test_a_failed_job_is_reported_and_refunded(studio: World) -> None:
    studio.ulazai.jobs.fail_next("no lamps, please")

    with pytest.raises(RuntimeError, match="^no lamps, please$"):
        asyncio.run(ulazai.make_video("A reading lamp"))

    assert studio.ulazai.credits == 200


def test_events_are_taken_once_however_often_they_come(studio: World) -> None:
    hooks = Hooks()
    webhooks = studio.ugc_copilot.webhooks
    hooks.secret = webhooks.deliver_to(wsgi_app=hooks, path="/hooks").secret
    webhooks.tamper("signature")
    status = _render(studio)

    studio.clock.advance_until_idle()

    assert status == 200
    assert list(hooks.seen.values()) == ["video.completed"]
    assert [it["status"] for it in webhooks.deliveries[0].attempts] == [401, 204]


def test_a_slip_in_a_path_is_not_overlooked(studio: World) -> None:
    with pytest.raises(UnmatchedRequestError, match="nearest is GET /api/v1/videos$"):
        requests.get("https://ozor.ai/api/v1/video")

    studio.forgive()


def test_two_shops_never_meet(screentest_worlds: WorldFactory) -> None:
    first, second = screentest_worlds.create(), screentest_worlds.create(credits=9)

    assert (first.ozor.credits, second.ozor.credits) == (3, 9)
    with pytest.raises(MockError, match="did you mean 'credits'"):
        screentest_worlds.create(credit=9)


def test_another_process_reaches_the_world(
    screentest: World, screentest_server: LiveServer
) -> None:
    script = (
        "import os, urllib.request as u;"
        "r = u.Request(os.environ['URL'], headers={'X-API-Key': os.environ['KEY']});"
        "print(u.urlopen(r).status)"
    )
    url = f"{screentest_server.base_url(screentest, 'ozor')}/api/v1/videos"
    environment = {**os.environ, "URL": url, "KEY": screentest.ozor.api_key, "NO_PROXY": "*"}

    detail = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert detail.stdout == "200\n"
    assert [it.operation for it in screentest.requests] == ["listVideos"]

"""The events of a world come in order: as a page, as the answer to a waiting call, and live."""

from __future__ import annotations

import json
import threading
import time

import requests

from screentest.specs.json_types import Json
from tests.live_mock import LiveMock
from tests.mock_client import Account

_GENERATE = "/api/v1/videos/generate"


def _start(world: Json) -> None:
    ozor = world["providers"]["ozor"]
    headers = {"X-API-Key": ozor["account"]["api_key"]}
    requests.post(
        ozor["base_url"] + _GENERATE, json={"prompt": "A lamp"}, headers=headers, timeout=10
    ).raise_for_status()


def test_events_come_in_order_after_a_number_and_by_type(ozor: Account) -> None:
    ozor.client.post(_GENERATE, json={"prompt": "A lamp"})
    ozor.world.advance_until_idle()
    path = f"{ozor.world.path}/events"

    every = ozor.world.control.get(path).json()["items"]
    later = ozor.world.control.get(path, query={"since": every[0]["seq"]}).json()["items"]
    ended = ozor.world.control.get(path, query={"type": "job.completed"}).json()["items"]

    assert [it["type"] for it in every][-1] == "job.completed"
    assert later == every[1:]
    assert ended == every[-1:]


def test_waiting_reader_gets_the_event_when_the_clock_moves(live: LiveMock) -> None:
    world = live.world()
    _start(world)
    path = f"/worlds/{world['id']}"
    move = {"by_ms": 600_000}
    timer = threading.Timer(0.1, live.control, ("POST", f"{path}/clock/advance", move))

    timer.start()
    found = live.control("GET", f"{path}/events?type=job.completed&wait_ms=10000")["items"]
    timer.join()

    assert [it["type"] for it in found] == ["job.completed"]


def test_waiting_in_vain_ends_with_an_empty_page(live: LiveMock) -> None:
    world = live.world()

    found = live.control("GET", f"/worlds/{world['id']}/events?wait_ms=50")

    assert found == {"items": [], "next_cursor": None}


def test_closed_stream_gives_its_place_back_within_a_moment(live: LiveMock) -> None:
    """It was kept until the next comment, fifteen seconds later."""
    world = live.world()
    url = f"{live.url}/_screentest/worlds/{world['id']}/events"

    def watch() -> requests.Response:
        return requests.get(url, headers={"Accept": "text/event-stream"}, stream=True, timeout=10)

    every = [watch() for _ in range(48)]
    for stream in every:
        stream.close()
    ends_s = time.monotonic() + 8
    statuses = [503]
    while statuses[-1] == 503 and time.monotonic() < ends_s:
        with watch() as stream:
            statuses.append(stream.status_code)

    assert [it.status_code for it in every] == [200] * 48
    assert statuses[-1] == 200


def test_events_are_sent_live_while_the_clock_moves(live: LiveMock) -> None:
    world = live.world()
    _start(world)
    path = f"/worlds/{world['id']}"
    url = f"{live.url}/_screentest{path}/events"

    with _watch(url) as stream:
        live.control("POST", f"{path}/clock/advance", {"by_ms": 600_000})
        data: list[Json] = []
        for line in stream.iter_lines(decode_unicode=True):
            if line.startswith("data: "):
                data.append(json.loads(line.removeprefix("data: ")))
            if data and data[-1]["type"] == "job.completed":
                break

    assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert data[-1]["type"] == "job.completed"
    assert [it["seq"] for it in data] == sorted(it["seq"] for it in data)


def test_stream_ends_with_its_world(live: LiveMock) -> None:
    world = live.world()
    url = f"{live.url}/_screentest/worlds/{world['id']}/events"

    with _watch(url) as stream:
        live.control("DELETE", f"/worlds/{world['id']}")
        rest = stream.content

    assert rest == b": events\n\n"


def _watch(url: str) -> requests.Response:
    """An open stream; the places of streams that were closed just before are free in a moment."""
    ends_s = time.monotonic() + 8
    while True:
        headers = {"Accept": "text/event-stream"}
        stream = requests.get(url, headers=headers, stream=True, timeout=10)
        if stream.status_code != 503 or time.monotonic() > ends_s:
            return stream
        stream.close()

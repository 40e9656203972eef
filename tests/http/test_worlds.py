"""Worlds never meet: by address, by key, in threads and in processes. They begin and end fast."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.engine.world import Plan
from screentest.mock_server.engine.worlds import WORLDS_MAX, Worlds
from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json
from tests.live_mock import LiveMock
from tests.mock_client import Account, Client, MockWorld, make_world, make_wsgi
from tests.yardstick import slowness

_GENERATE = "/api/v1/videos/generate"
_WORLD_S_MAX = 0.005
_JOBS_EACH = 5

#: One client in a process of its own: makes jobs, and tells what it can see.
_CLIENT = """
import json, sys
from urllib.request import Request, urlopen
base, key, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3])
def call(path, body=None):
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    return json.load(urlopen(Request(base + path, data, headers)))
made = [call("/api/v1/videos/generate", {"prompt": "A lamp"})["videoId"] for _ in range(jobs)]
seen = [video["videoId"] for video in call("/api/v1/videos")["videos"]]
print(json.dumps([sorted(made), sorted(seen)]))
"""


def _client_of(world: Json) -> tuple[str, str]:
    ozor = world["providers"]["ozor"]
    return ozor["base_url"], ozor["account"]["api_key"]


def _work(base: str, key: str) -> tuple[list[str], list[str]]:
    headers = {"X-API-Key": key}
    made = [
        requests.post(base + _GENERATE, json={"prompt": "A lamp"}, headers=headers, timeout=10)
        for _ in range(_JOBS_EACH)
    ]
    videos = requests.get(f"{base}/api/v1/videos", headers=headers, timeout=10).json()["videos"]
    return sorted(it.json()["videoId"] for it in made), sorted(it["videoId"] for it in videos)


def test_eight_clients_in_threads_see_nothing_of_each_other(live: LiveMock) -> None:
    worlds = [live.world(seed=seed) for seed in range(8)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda world: _work(*_client_of(world)), worlds))

    assert all(made == seen for made, seen in results)
    assert len({video for made, _ in results for video in made}) == 8 * _JOBS_EACH


def test_eight_clients_in_processes_see_nothing_of_each_other(live: LiveMock) -> None:
    worlds = [live.world(seed=100 + seed) for seed in range(8)]

    clients = [
        subprocess.Popen(
            [sys.executable, "-S", "-c", _CLIENT, *_client_of(world), str(_JOBS_EACH)],
            stdout=subprocess.PIPE,
        )
        for world in worlds
    ]
    results = [json.loads(client.communicate(timeout=30)[0]) for client in clients]

    assert all(made == seen for made, seen in results)
    assert [len(made) for made, _ in results] == [_JOBS_EACH] * 8


def test_key_of_one_world_is_unknown_in_another(wsgi: WsgiClient) -> None:
    one, other = make_world(wsgi), make_world(wsgi)
    key = {"X-API-Key": one.account("ozor").api_key}

    statuses = [
        Client(wsgi, f"/w/{it.id}/ozor", key).get("/api/v1/videos").status for it in (one, other)
    ]

    assert statuses == [200, 401]


def test_key_alone_finds_its_world_from_the_default_address(world: MockWorld) -> None:
    account = world.account("ozor")
    at_default = Client(world.wsgi, "/ozor", account.client.headers)

    at_default.post(_GENERATE, json={"prompt": "A lamp"})

    assert [line["operation"] for line in world.requests()] == ["generateVideo"]


def test_worlds_with_one_seed_give_the_same_answers(wsgi: WsgiClient) -> None:
    def story() -> list[bytes]:
        account = make_world(wsgi, seed=11).account("ozor")
        answers = [account.client.post(_GENERATE, json={"prompt": "A lamp"})]
        account.world.advance_until_idle()
        return [it.content for it in (*answers, account.client.get("/api/v1/videos"))]

    first, second = story(), story()

    assert [it[:20] for it in first] == [it[:20] for it in second]
    assert [sorted(json.loads(it)) for it in first] == [sorted(json.loads(it)) for it in second]


def test_reset_world_is_what_it_was_at_its_first_moment(ozor: Account) -> None:
    path = ozor.world.path
    begun = ozor.world.control.post(f"{path}/reset").json()
    first = Client(
        ozor.client.wsgi,
        ozor.client.base,
        {"X-API-Key": begun["providers"]["ozor"]["account"]["api_key"]},
    )
    first.post(_GENERATE, json={"prompt": "A lamp"})
    ozor.world.advance(3_600_000)

    again = ozor.world.control.post(f"{path}/reset").json()

    assert again == begun
    assert ozor.world.requests() == []


def test_default_world_always_exists(world: MockWorld) -> None:
    answer = world.control.delete("/worlds/default")

    assert answer.status == 409
    assert world.control.get("/worlds/default").status == 200


def _fastest_s(act: Callable[[], object]) -> float:
    """The processor time of the best of ten."""
    durations: list[float] = []
    for _ in range(10):
        started = time.process_time()
        act()
        durations.append(time.process_time() - started)
    return min(durations)


def test_world_with_every_provider_begins_and_resets_in_five_milliseconds() -> None:
    worlds: Worlds = create_app().extensions["screentest"]
    used = worlds.create(Plan())

    begins_s = _fastest_s(lambda: worlds.create(Plan()))
    resets_s = _fastest_s(lambda: worlds.reset(used))

    assert len(worlds.contracts) >= 5
    most_s = _WORLD_S_MAX * slowness()
    assert (begins_s < most_s, resets_s < most_s) == (True, True)


def test_world_too_many_is_refused_and_a_deleted_one_makes_room() -> None:
    wsgi = make_wsgi()
    control = Client(wsgi, "/_screentest")
    made = [control.post("/worlds").json()["id"] for _ in range(WORLDS_MAX - 1)]

    refused = control.post("/worlds")
    control.delete(f"/worlds/{made[0]}")

    assert (refused.status, refused.json()["code"]) == (409, "too_many")
    assert control.post("/worlds").status == 201


def test_deleted_world_leaves_no_row_in_any_table(tmp_path: Path) -> None:
    """Generic over the schema: a table that is added later is looked at too."""
    path = tmp_path / "mock.db"
    app = create_app(database=path)
    wsgi = WsgiClient(app)
    world = make_world(wsgi)
    account = world.account("ozor")
    account.client.post(_GENERATE, json={"prompt": "A lamp"})
    account.client.get("/api/v1/videos")
    world.control.post(f"{world.path}/faults", json={"type": "latency"})
    world.control.post(f"{world.path}/snapshots", json={"name": "kept"})
    world.advance_until_idle()

    world.control.delete(world.path)

    app.extensions["screentest"].store.close()
    with sqlite3.connect(path) as connection:
        tables = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        left = {
            table: [row for row in connection.execute(f"SELECT * FROM {table}") if world.id in row]
            for table in tables
        }
    assert len(tables) >= 13
    assert {table: rows for table, rows in left.items() if rows} == {}


@pytest.mark.parametrize("path", ["/w/w_nowhere/ozor/api/v1/videos", "/w//ozor/x", "/w/../ozor/x"])
def test_world_that_does_not_exist_is_named(wsgi: WsgiClient, path: str) -> None:
    answer = Client(wsgi, "").get(path)

    assert answer.status == 404


def test_worlds_are_listed_with_labels_that_survive_reset_and_restore() -> None:
    wsgi = make_wsgi()
    first, second = (make_world(wsgi, label=label) for label in ("renders a lamp", "gives up"))
    control = first.control
    control.post(f"{first.path}/snapshots", json={"name": "begun"})
    document = control.get(f"{first.path}/snapshots/begun").text

    control.post(f"{second.path}/snapshots", json={"name": "begun", "document": document})
    control.post(f"{second.path}/snapshots/begun/restore")
    control.post(f"{second.path}/reset")
    listed = control.get("/worlds").json()

    assert [(it["id"], it["label"], it["clock"]["mode"]) for it in listed["items"]] == [
        ("default", "", "real"),
        (first.id, "renders a lamp", "manual"),
        (second.id, "gives up", "manual"),
    ]
    assert listed["next_cursor"] is None


def test_worlds_come_in_pages() -> None:
    control = make_world(make_wsgi()).control
    control.post("/worlds")

    page = control.get("/worlds", query={"limit": 2}).json()
    rest = control.get("/worlds", query={"limit": 2, "cursor": page["next_cursor"]}).json()

    assert [it["id"] for it in page["items"]] == ["default", "w_1"]
    assert ([it["id"] for it in rest["items"]], rest["next_cursor"]) == (["w_2"], None)

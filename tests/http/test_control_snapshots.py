"""A snapshot is a readable document; a restored world gives the same answers again."""

from __future__ import annotations

import json

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.kernel.snapshots import SNAPSHOTS_MAX
from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld, make_world

_GENERATE = "/api/v1/videos/generate"


def _keep(world: MockWorld, name: str = "paid-user") -> Json:
    answer = world.control.post(f"{world.path}/snapshots", json={"name": name})
    assert answer.status == 201, answer.text
    return answer.json()


def _restore(world: MockWorld, name: str = "paid-user") -> Json:
    answer = world.control.post(f"{world.path}/snapshots/{name}/restore")
    assert answer.status == 200, answer.text
    return answer.json()


def _later(account: Account) -> list[bytes]:
    """What the account sees from here on, byte for byte."""
    made = account.client.post(_GENERATE, json={"prompt": "A second lamp"})
    account.world.advance(600_000)
    listed = account.client.get("/api/v1/videos")
    return [made.content, listed.content, json.dumps(account.ledger()).encode()]


def test_restored_world_answers_as_it_would_have_before(ozor: Account) -> None:
    ozor.client.post(_GENERATE, json={"prompt": "A lamp"})
    ozor.world.advance(5_000)
    _keep(ozor.world)
    first = _later(ozor)

    shown = _restore(ozor.world)

    assert shown["clock"]["now"] == "2026-01-01T00:00:05Z"
    assert _later(ozor) == first


def test_snapshot_of_a_restored_world_is_the_same_document(ozor: Account) -> None:
    ozor.client.post(_GENERATE, json={"prompt": "A lamp"})
    path = f"{ozor.world.path}/snapshots"
    _keep(ozor.world, "one")
    _later(ozor)
    _restore(ozor.world, "one")

    _keep(ozor.world, "two")

    one, two = (ozor.world.control.get(f"{path}/{name}").content for name in ("one", "two"))
    assert one == two


def test_document_is_compact_json_lines(ozor: Account) -> None:
    _keep(ozor.world)

    answer = ozor.world.control.get(f"{ozor.world.path}/snapshots/paid-user")

    lines = answer.content.splitlines()
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert json.loads(lines[0])["screentest"] == "snapshot"
    compact = [
        json.dumps(json.loads(it), separators=(",", ":"), ensure_ascii=False) for it in lines
    ]
    assert [it.decode() for it in lines] == compact


def test_snapshots_are_listed_and_forgotten(world: MockWorld) -> None:
    _keep(world, "b")
    _keep(world, "a")
    _keep(world, "a")
    path = f"{world.path}/snapshots"
    names = [it["name"] for it in world.control.get(path).json()["items"]]

    gone = world.control.delete(f"{path}/a")

    assert (names, gone.status) == (["a", "b"], 204)
    assert world.control.get(f"{path}/a").status == 404


def test_snapshots_belong_to_their_world(wsgi: WsgiClient, world: MockWorld) -> None:
    other = make_world(wsgi)
    _keep(world)

    answer = other.control.post(f"{other.path}/snapshots/paid-user/restore")

    assert (answer.status, answer.json()["code"]) == (404, "unknown_snapshot")


def test_snapshot_too_many_is_refused(world: MockWorld) -> None:
    for number in range(SNAPSHOTS_MAX):
        _keep(world, f"s-{number}")

    answer = world.control.post(f"{world.path}/snapshots", json={"name": "one-more"})

    assert (answer.status, answer.json()["code"]) == (409, "too_many")


@pytest.mark.parametrize("name", ["", "A", "a/b", "..", "a b", "a" * 65])
def test_name_is_short_and_plain(world: MockWorld, name: str) -> None:
    answer = world.control.post(f"{world.path}/snapshots", json={"name": name})

    assert (answer.status, answer.json()["code"]) == (422, "invalid_field")

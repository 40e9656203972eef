"""A mock that remembers the answers to polls is byte for byte the mock that does not."""

from __future__ import annotations

from random import Random

import pytest
from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.edge import Edge
from screentest.mock_server.pipeline.remembered import KEPT_MAX, HeadersAsked
from tests.histories import PlayedMock, Wall, act
from tests.mock_client import make_world
from tests.znapai import steps as znapai

_STEPS = 70


class _Mock(PlayedMock):
    """One of the two mocks, in an app of its own."""

    app: Flask


def _open(*, remembers: bool, mode: str) -> _Mock:
    wall = Wall()
    app = create_app(remembers=remembers, clock=wall)
    world = make_world(WsgiClient(app), clock={"mode": mode, "now": "2026-01-01T00:00:00Z"})
    accounts = {
        name: [world.account(name, credits=100_000) for _ in range(2)]
        for name in ("ozor", "oshara", "ulazai", "znapai")
    }
    mock = _Mock(wall, world, accounts)
    mock.app = app
    return mock


def _history(seed: int, *, remembers: bool) -> _Mock:
    """The mock after the history of *seed*: its answers, then its journal and its whole state."""
    draw = Random(seed)
    mock = _open(remembers=remembers, mode=draw.choice(("manual", "real", "auto")))
    for _ in range(_STEPS):
        act(mock, draw)
    mock.control("GET", "/requests?limit=200")
    for accounts in mock.accounts.values():
        for account in accounts:
            mock.control("GET", f"/accounts/{account.id}/ledger?limit=200")
    mock.control("POST", "/snapshots", {"name": "end"})
    mock.control("GET", "/snapshots/end")
    mock.control("GET", "/events?limit=200")
    mock.control("GET", "/findings?final=true&limit=200")
    return mock


def _compare(seed: int) -> None:
    plain = _history(seed, remembers=False).answers
    remembering = _history(seed, remembers=True).answers

    for number, (expected, found) in enumerate(zip(plain, remembering, strict=True)):
        assert found == expected, f"answer {number} of seed {seed}"


@pytest.mark.parametrize("seed", range(40))
def test_a_history_is_the_same_with_and_without_memory(seed: int) -> None:
    _compare(seed)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_histories_are_the_same_with_and_without_memory(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        _compare(1_000 + seed)


# --- what is reused, and what is not --------------------------------------------------------------


def _reuse(mock: _Mock) -> list[bool]:
    """For each later provider call: whether its answer was reused."""
    edge: Edge = mock.app.extensions["screentest.edge"][0]
    reused: list[bool] = []

    def observe(handled: object, _: float) -> None:
        note = handled.note  # type: ignore[attr-defined]
        reused.append(not isinstance(note.call.request.headers, HeadersAsked))

    edge.observe = observe
    return reused


@pytest.mark.parametrize("provider", ["ozor", "oshara", "ulazai", "znapai"])
def test_the_second_poll_of_an_unchanged_job_is_reused(provider: str) -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create(provider, 0, "A lamp")
    client, path = mock.accounts[provider][0].client, mock.paths[provider][0]
    reused = _reuse(mock)

    answers = [client.get(path) for _ in range(3)]

    assert reused == [False, True, True]
    assert len({it.content for it in answers}) == 1
    assert len({it.headers["x-screentest-request-id"] for it in answers}) == 3


@pytest.mark.parametrize("remembers", [False, True])
def test_a_list_that_is_reused_is_noted_like_the_first_one(*, remembers: bool) -> None:
    mock = _open(remembers=remembers, mode="real")
    mock.create("znapai", 0, "A lamp")
    for _ in range(2):
        mock.wall.now_ms += 1
        mock.accounts["znapai"][0].client.get(znapai.VIDEOS)
    mock.wall.now_ms += 40_000

    found = mock.control("GET", "/findings?final=true").json()["items"]

    assert [(it["code"], it["actual"]) for it in found] == [
        ("SC213", "asked 1 time, the last time 35.466 s before it")
    ]


def test_an_answer_is_not_reused_beyond_the_next_step_of_its_job() -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create("ozor", 0, "A lamp")
    client, path = mock.accounts["ozor"][0].client, mock.paths["ozor"][0]
    first = client.get(path)
    mock.world.advance_to_next()
    reused = _reuse(mock)

    second = client.get(path)

    assert reused == [False]
    assert first.json()["status"] != second.json()["status"]


def test_a_world_keeps_a_bounded_number_of_answers() -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create("ozor", 0, "A lamp")
    client, path = mock.accounts["ozor"][0].client, mock.paths["ozor"][0]

    for number in range(KEPT_MAX + 5):
        client.get(path, query={"n": number})

    worlds = mock.app.extensions["screentest"]
    assert len(worlds.get(mock.world.id).remembered) == KEPT_MAX

"""Open pages hear of changes, and cost next to nothing meanwhile."""

from __future__ import annotations

from itertools import pairwise

import pytest
from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.ui.live import WATCHERS_MAX, Live, mark
from screentest.mock_server.kernel.errors import MockError
from tests.mock_client import Account, MockWorld

from .visitor import Visitor


@pytest.fixture
def worlds(wsgi: WsgiClient) -> Worlds:
    assert isinstance(wsgi.application, Flask)
    found: Worlds = wsgi.application.extensions["screentest"]
    return found


def test_a_mark_changes_with_everything_that_a_page_shows(
    worlds: Worlds, world: MockWorld, ozor: Account
) -> None:
    marks = [mark(worlds, world.id)]
    for change in (
        lambda: ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}),
        lambda: world.advance(1_000),
        lambda: ozor.set_credits(3),
        lambda: world.control.post(f"{world.path}/faults", json={"type": "latency"}),
        lambda: world.control.delete(f"{world.path}/faults"),
        lambda: world.control.post(f"{world.path}/snapshots", json={"name": "one"}),
        lambda: world.control.patch(
            f"{world.path}/interpretations", json={"ozor.refusal_order": "existence_first"}
        ),
        lambda: world.control.patch(f"{world.path}/clock", json={"mode": "auto"}),
        lambda: world.control.post(f"{world.path}/reset"),
    ):
        change()
        marks.append(mark(worlds, world.id))

    assert all(before != after for before, after in pairwise(marks))
    assert mark(worlds, world.id) == marks[-1]


def test_a_stream_says_at_once_that_a_page_is_old(worlds: Worlds, world: MockWorld) -> None:
    pieces = Live(worlds).stream(world.id, seen="an older mark")

    opened, moved = next(pieces), next(pieces)
    pieces.close()

    assert opened == b": open\n\n"
    assert moved.startswith(b"event: moved\ndata: ")


def test_a_stream_says_nothing_while_nothing_happens(worlds: Worlds, world: MockWorld) -> None:
    pieces = Live(worlds).stream(world.id, seen=mark(worlds, world.id))

    pause = [next(pieces), next(pieces)]
    pieces.close()

    assert pause == [b": open\n\n", b""]


def test_pages_beyond_the_limit_are_refused_and_closed_ones_make_room(
    worlds: Worlds, world: MockWorld
) -> None:
    live = Live(worlds)
    open_ = [live.stream(world.id, "") for _ in range(WATCHERS_MAX)]
    for it in open_:
        next(it)

    with pytest.raises(MockError, match="^32 pages are open already; close some$"):
        live.stream(world.id, "")
    open_[0].close()

    next(live.stream(world.id, ""))


def test_a_page_that_is_fetched_anew_brings_its_live_parts_alone(visitor: Visitor) -> None:
    whole = visitor.open("/jobs").get_data(as_text=True)
    part = visitor.open("/jobs", headers={"HX-Request": "true"}).get_data(as_text=True)

    assert "<nav" in whole
    assert "<nav" not in part
    assert 'hx-target="#clock"' in part
    assert 'hx-target="#live"' in part

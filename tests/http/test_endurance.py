"""What only large numbers show: a million journal lines, 100,000 keys, a large damaged file."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import orjson
import pytest
from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.engine.provider import Request
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.errors import MockError
from screentest.mock_server.pipeline.handle import handle, turn_of
from screentest.mock_server.store.history_tables import JOURNAL_MAX
from tests.mock_client import START, Client, MockWorld, make_world
from tests.ozor import steps as ozor
from tests.ugc_copilot import steps as ugc

_LINES, _KEYS, _JOBS = 1_000_000, 100_000, 3_000
_STEP = _KEYS // 10
#: Damage of this many bytes at a time, at as many places of a file.
_DAMAGE_BYTES, _PLACES = 64, 24
_CREDITS = 2**40


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def _processor_us(call: Callable[[], object], times: int) -> float:
    began_s = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began_s) / times * 1e6


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_million_journal_lines_take_no_more_room_than_the_ring() -> None:
    app = create_app()
    world = make_world(WsgiClient(app))
    account = world.account("ozor", credits=_CREDITS)
    path = ozor.job_path(ozor.generate(account))
    worlds: Worlds = app.extensions["screentest"]
    mine = worlds.get(world.id)
    request = Request("GET", path, headers=dict(_lowered(account.client.headers)))

    def poll() -> object:
        return handle(worlds, turn_of(worlds, mine, "ozor", request))

    first_us = _processor_us(poll, 2 * JOURNAL_MAX)
    before_mb = _resident_mb()
    for _ in range(_LINES - 4 * JOURNAL_MAX):
        poll()
    last_us = _processor_us(poll, 2 * JOURNAL_MAX)

    assert mine.rows.journal.last_seq > _LINES
    assert len(mine.rows.journal.rows) == JOURNAL_MAX
    assert _resident_mb() - before_mb < 20
    assert last_us < 2 * first_us
    listed = world.requests(limit=1)
    assert listed[0]["id"] == f"req_{mine.rows.journal.last_seq - JOURNAL_MAX + 1}"


def _lowered(headers: object) -> Iterator[tuple[str, str]]:
    assert isinstance(headers, dict)
    yield from ((name.lower(), value) for name, value in headers.items())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads /proc")
def test_a_hundred_thousand_idempotency_keys_are_kept_at_a_steady_price() -> None:
    app = create_app()
    world = make_world(WsgiClient(app), clock={"mode": "manual", "now": START})
    account = world.account("ugc_copilot", credits=_CREDITS, tier="business")
    worlds: Worlds = app.extensions["screentest"]
    mine = worlds.get(world.id)
    headers = dict(_lowered(account.client.headers)) | {"content-type": "application/json"}
    body = orjson.dumps(ugc.body())
    before_mb = _resident_mb()

    def call(number: int) -> int:
        named = {**headers, "idempotency-key": f"key-{number}"}
        request = Request("POST", ugc.START, headers=named, body=body)
        return handle(worlds, turn_of(worlds, mine, "ugc_copilot", request)).answer.status

    took_us: list[float] = []
    for start in range(0, _KEYS, _STEP):
        began_s = time.process_time()
        for number in range(start, start + _STEP):
            if number % 5 == 0:
                world.advance(ugc.LONGEST_MS)
            assert call(number) == 200, number
        took_us.append((time.process_time() - began_s) / _STEP * 1e6)

    assert len(mine.rows.replays.rows) == _KEYS
    assert min(took_us[-3:]) < 2 * min(took_us[:3])
    assert (_resident_mb() - before_mb) / _KEYS * 2**20 < 8_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_damage_to_a_large_file_is_reported_and_never_crashes(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "worlds.db"
    _fill(file)
    content = bytearray(file.read_bytes())
    draw = Random(seed)
    for _ in range(_PLACES):
        at = draw.randrange(4_096, len(content) - _DAMAGE_BYTES)
        content[at : at + _DAMAGE_BYTES] = draw.randbytes(_DAMAGE_BYTES)
    file.write_bytes(content)

    said = _use(file)

    assert "\n" not in said
    assert "crash" not in said


def _use(file: Path) -> str:
    """What a mock says of *file*: why it does not start, or the codes of its answers."""
    try:
        app = create_app(database=file)
    except MockError as error:
        return str(error)
    world = _default_world(app)
    answers = [world.control.get(f"{world.path}/{it}") for it in ("jobs", "requests", "clock")]
    return " ".join(str(it.json().get("code", it.status)) for it in answers)


def _default_world(app: Flask) -> MockWorld:
    wsgi = WsgiClient(app)
    return MockWorld(wsgi, "default", Client(wsgi, "/_screentest"))


def _fill(file: Path) -> None:
    app = create_app(database=file)
    world = _default_world(app)
    account = world.account("ozor", credits=_CREDITS)
    for _ in range(_JOBS):
        assert account.client.post(ozor.GENERATE, json={"prompt": "A lamp"}).status == 200
    app.extensions["screentest"].store.close()
    assert file.stat().st_size > 1_000_000

"""The recording proxy passes on, judges, and stops what the budget does not cover."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from screentest.contract_tests.guard import BUDGET_HEADER, Budget
from screentest.contract_tests.in_process import InProcess, make_app
from screentest.contract_tests.proxy import Recorder
from screentest.contract_tests.recorded import judge_recording, read_recording
from screentest.contract_tests.target import Identity, Wire
from screentest.specs.contract import load_contract
from tests.loopback import listening

CONTRACT = load_contract("ulazai")
START = "/api/v1/sora/generate/text-to-video/"


@pytest.fixture
def server() -> Iterator[tuple[str, Identity]]:
    """A mock over HTTP on a free port of this machine, and somebody with a key."""
    app = make_app(CONTRACT)
    owner = InProcess(app, CONTRACT).owner
    with listening(app) as port:
        yield f"http://127.0.0.1:{port}/ulazai", owner


def _start(owner: Identity) -> Wire:
    headers = {
        "content-type": "application/json",
        "authorization": f"Token {owner.keys['api_key']}",
    }
    return Wire("POST", START, "", headers, b'{"prompt": "a kite"}')


def test_what_passes_is_judged_and_kept(server: tuple[str, Identity], tmp_path: Path) -> None:
    url, owner = server
    path = tmp_path / "trace.ndjson"
    recorder = Recorder(CONTRACT, url, path)

    answer = recorder.pass_on(_start(owner))

    trace = read_recording(path, "ulazai")
    assert answer.status == 201
    assert [it.operation for it in trace.exchanges] == ["generateTextToVideo"]
    assert judge_recording(trace).findings == []
    assert owner.keys["api_key"] not in path.read_text()


def test_the_budget_is_kept_in_front_of_the_server(server: tuple[str, Identity]) -> None:
    url, owner = server
    recorder = Recorder(CONTRACT, url, budget=Budget(100))

    answers = [recorder.pass_on(_start(owner)) for _ in range(3)]

    assert [it.status for it in answers] == [201, 402, 402]
    assert answers[1].headers[BUDGET_HEADER] == "exhausted"
    assert (recorder.budget.spent, len(recorder.trace.exchanges)) == (70, 1)


def test_server_that_is_gone_is_502_and_not_recorded() -> None:
    recorder = Recorder(CONTRACT, "http://127.0.0.1:9")

    answer = recorder.pass_on(Wire("GET", "/api/v1/sora/status/1/"))

    assert (answer.status, answer.headers[BUDGET_HEADER]) == (502, "unreachable")
    assert b"http://127.0.0.1:9: [Errno 111] Connection refused" in answer.body
    assert recorder.trace.exchanges == []


def test_reading_only_stops_what_changes_something(server: tuple[str, Identity]) -> None:
    url, owner = server
    recorder = Recorder(CONTRACT, url, is_read_only=True)

    assert recorder.pass_on(_start(owner)).status == 403

"""The recording proxy passes on, judges, and stops what the budget does not cover."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from screentest.contract_tests.recordings.proxy import Recorder
from screentest.contract_tests.recordings.recorded import judge_recording, read_recording
from screentest.contract_tests.targets.guard import BUDGET_HEADER, CreditBudget
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.target import Identity, OutgoingRequest
from screentest.contract_tests.traces.trace import LackingPart
from screentest.specs.contracts.registry import load_contract
from screentest.specs.wsgi_environ import wsgi_environ
from tests.loopback import listening

CONTRACT = load_contract("ulazai")
START = "/api/v1/sora/generate/text-to-video/"


@pytest.fixture
def server() -> Iterator[tuple[str, Identity]]:
    """A mock over HTTP on a free port of this machine, and an identity with a key."""
    app = make_app(CONTRACT)
    owner = InProcessTarget(app, CONTRACT).owner
    with listening(app) as port:
        yield f"http://127.0.0.1:{port}/ulazai", owner


def _start(owner: Identity) -> OutgoingRequest:
    headers = {
        "content-type": "application/json",
        "authorization": f"Token {owner.keys['api_key']}",
    }
    return OutgoingRequest("POST", START, "", headers, b'{"prompt": "a kite"}')


def test_what_passes_is_judged_and_kept(server: tuple[str, Identity], tmp_path: Path) -> None:
    url, owner = server
    path = tmp_path / "trace.ndjson"
    recorder = Recorder(CONTRACT, url, path)

    answer = recorder.pass_on(_start(owner))

    trace = read_recording(path, "ulazai").trace
    assert answer.status == 201
    assert [it.operation for it in trace.exchanges] == ["generateTextToVideo"]
    assert judge_recording(trace).judge.findings == []
    assert owner.keys["api_key"] not in path.read_text()


def test_the_budget_is_kept_in_front_of_the_server(server: tuple[str, Identity]) -> None:
    url, owner = server
    recorder = Recorder(CONTRACT, url, budget=CreditBudget(100))

    answers = [recorder.pass_on(_start(owner)) for _ in range(3)]

    assert [it.status for it in answers] == [201, 402, 402]
    assert answers[1].headers[BUDGET_HEADER] == "exhausted"
    assert (recorder.budget.spent, len(recorder.trace.exchanges)) == (70, 1)


def test_reading_only_stops_what_changes_something(server: tuple[str, Identity]) -> None:
    url, owner = server
    recorder = Recorder(CONTRACT, url, is_read_only=True)

    assert recorder.pass_on(_start(owner)).status == 403


STREAM = "/api/v1/documents/plans/plan_430026453888/generate"
#: Longer than any step here takes; a test waits so long only if something is broken.
_PATIENCE_S = 10


class Storyteller:
    """A server that sends one event, and the other when it was seen to arrive."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "text/event-stream")])
        yield b'data: {"step": "init", "detail": "first", "pct": 0}\n\n'
        was_seen = self.may_go_on.wait(_PATIENCE_S)
        yield b'data: {"step": "complete", "seen": %s}\n\n' % json.dumps(was_seen).encode()


def test_a_stream_is_passed_on_piece_by_piece_and_its_pieces_are_kept(tmp_path: Path) -> None:
    server, path = Storyteller(), tmp_path / "trace.ndjson"
    with listening(server) as port:
        recorder = Recorder(load_contract("ozor"), f"http://127.0.0.1:{port}", path)
        with listening(recorder) as recorded:
            connection = http.client.HTTPConnection("127.0.0.1", recorded, timeout=_PATIENCE_S)
            connection.request("POST", STREAM)
            answer = connection.getresponse()
            first = answer.readline()
            server.may_go_on.set()
            rest = answer.read()

    (kept,) = read_recording(path, "ozor").trace.exchanges
    assert first == b'data: {"step": "init", "detail": "first", "pct": 0}\n'
    assert b'"seen": true' in rest
    assert (kept.chunks, len(kept.events)) == (2, 2)
    assert kept.events[0].at_ms <= kept.events[1].at_ms


def test_a_client_that_leaves_a_stream_ends_it_at_the_server_too(tmp_path: Path) -> None:
    server, path = Storyteller(), tmp_path / "trace.ndjson"

    def leave(piece: bytes) -> None:
        raise BrokenPipeError

    def start(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], None]:
        return leave

    with listening(server) as port:
        recorder = Recorder(load_contract("ozor"), f"http://127.0.0.1:{port}", path)
        with pytest.raises(ConnectionAbortedError):
            recorder(wsgi_environ("POST", STREAM.encode(), "", (), b""), start)
        server.may_go_on.set()

    (kept,) = recorder.trace.exchanges
    assert (len(kept.events), kept.lacks) == (1, frozenset({LackingPart.BODY}))
    assert "stream.generatePlan.last" not in recorder.judge.broken


def test_a_server_that_is_not_there_is_a_problem_and_one_line() -> None:
    detail: list[str] = []
    recorder = Recorder(CONTRACT, "http://127.0.0.1:9", on_unreachable=detail.append)
    answered: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]]) -> Callable[[bytes], object]:
        answered.append((status, headers))
        return lambda piece: None

    body = b"".join(recorder(wsgi_environ("GET", b"/api/v1/sora/status/1/", "", (), b""), start))

    assert answered[0][0] == "502 Bad Gateway"
    assert ("content-type", "application/problem+json") in answered[0][1]
    (said,) = detail
    # The number of the error is another one on each system.
    assert re.fullmatch(r"http://127\.0\.0\.1:9: \[Errno \d+\] Connection refused", said)
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Bad Gateway",
        "status": 502,
        "detail": f"screentest record got no answer from {said}",
    }
    assert recorder.trace.events == []


def test_what_was_said_is_in_the_file_before_the_next_word(
    server: tuple[str, Identity], tmp_path: Path
) -> None:
    """A killed recorder loses no line, and writes none twice."""
    url, owner = server
    path = tmp_path / "trace.ndjson"
    recorder = Recorder(CONTRACT, url, path, time_scale=10.0)

    sizes: list[int] = []
    for _ in range(3):
        sizes.append(len(path.read_text().splitlines()))
        recorder.pass_on(_start(owner))

    assert sizes == [1, 2, 3]
    assert json.loads(path.read_text().splitlines()[0]) == {
        "trace": 1,
        "provider": "ulazai",
        "time_scale": 10.0,
    }


def test_an_unknown_key_is_distinguished_from_a_valid_one(
    server: tuple[str, Identity], tmp_path: Path
) -> None:
    url, owner = server
    path = tmp_path / "trace.ndjson"
    recorder = Recorder(CONTRACT, url, path)
    wrong = Identity("wrong", {"api_key": "hunter2-my-secret"})

    recorder.pass_on(_start(wrong))
    recorder.pass_on(_start(owner))
    recorder.pass_on(
        OutgoingRequest("GET", "/api/v1/sora/status/hunter2-my-secret/", "again=hunter2-my-secret")
    )

    trace = read_recording(path, "ulazai").trace
    assert [it.actor for it in trace.exchanges] == ["unknown", "owner", "anonymous"]
    assert "hunter2" not in path.read_text()


def test_a_body_in_chunks_reaches_the_server(server: tuple[str, Identity]) -> None:
    url, owner = server
    recorder = Recorder(CONTRACT, url)
    wire = _start(owner)
    with listening(recorder) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
        connection.request(
            "POST", wire.path, iter([wire.body[:5], wire.body[5:]]), dict(wire.headers)
        )
        status = connection.getresponse().status

    assert status == 201
    assert recorder.trace.exchanges[0].sent == {"prompt": "a kite"}


def test_an_undocumented_call_is_reported_at_once() -> None:
    def app(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]

    detail: list[str] = []
    with listening(app) as port:
        recorder = Recorder(
            CONTRACT, f"http://127.0.0.1:{port}", on_finding=lambda it: detail.append(it.rule.id)
        )
        recorder.pass_on(OutgoingRequest("GET", "/api/v2/sora/new/"))

    assert detail == ["route.unknown"]

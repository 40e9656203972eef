"""Clients that send or read slowly hold neither a thread nor the other clients."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Generator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import pytest
import requests
from bench.journeys import Customer

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.rsgi.edge import RSGIEdge
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json
from tests.live_mock import LiveMock

_HALF = (
    b"POST /_screentest/worlds HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
)
_TEXT_TO_VIDEO = "/ulazai/api/v1/sora/generate/text-to-video/"


@contextmanager
def _connections(url: str, count: int, sent: bytes) -> Generator[list[socket.socket]]:
    """*count* connections to *url* that have sent *sent*."""
    place = urlsplit(url)
    assert place.hostname is not None
    with ExitStack() as stack:
        opened: list[socket.socket] = []
        for _ in range(count):
            connection = socket.create_connection((place.hostname, place.port or 80), 10)
            opened.append(stack.enter_context(connection))
            connection.sendall(sent)
        yield opened


def test_six_hundred_half_sent_bodies_do_not_stop_the_server(live: LiveMock) -> None:
    with _connections(live.url, 600, _HALF):
        began_s = time.monotonic()
        answer = requests.get(f"{live.url}/_screentest/health", timeout=10)
        took_s = time.monotonic() - began_s

    assert answer.status_code == 200
    assert took_s < 3.0


@pytest.mark.slow
def test_a_thousand_streams_are_open_at_once_and_all_of_them_end(live: LiveMock) -> None:
    world = live.world(credits={"ozor": 10_000})
    ozor = world["providers"]["ozor"]
    customer = Customer(ozor["base_url"], {"X-API-Key": ozor["account"]["api_key"]})

    with customer.open_streams(1_000) as streams:
        began_s = time.monotonic()
        health = requests.get(f"{live.url}/_screentest/health", timeout=10)
        took_s = time.monotonic() - began_s
        clock = f"{live.url}/_screentest/worlds/{world['id']}/clock"
        requests.post(f"{clock}/advance", json={"until": "idle"}, timeout=60).raise_for_status()
        lasts = [_last_event(stream) for stream in streams]

    assert health.status_code == 200
    assert took_s < 1.0
    assert {last["step"] for last in lasts} == {"done"}


def _last_event(stream: socket.socket) -> Json:
    """The last event of *stream*, which ends."""
    received = b""
    while b'"done"' not in received and (piece := stream.recv(65_536)):
        received += piece
    events = [line for line in received.decode().splitlines() if line.startswith("data:")]
    return json.loads(events[-1].removeprefix("data:"))


class _Scope:
    """The line and the headers of a request, as granian passes them."""

    proto = "http"
    http_version = "1.1"
    server = client = "127.0.0.1:9"
    scheme = "http"
    method = "POST"
    query_string = ""
    authority = None

    def __init__(self, path: str, **headers: str) -> None:
        self.path = path
        self.headers = {
            "host": "127.0.0.1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }


class _Protocol:
    """One exchange: a body in *pieces*, then silence if it *hangs*; it keeps the answer."""

    def __init__(self, pieces: list[bytes], *, hangs: bool = False) -> None:
        self._pieces = pieces
        self._hangs = hangs
        self.read = 0
        self.answer: tuple[int, dict[str, str], bytes] | None = None

    async def __call__(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.read += len(piece)
            yield piece
        if self._hangs:
            await asyncio.Event().wait()

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.answer = status, dict(headers), body


def _edge(*, body_s_max: float = 60.0) -> RSGIEdge:
    app = create_app(contracts=[load_contract("ulazai")])
    edge, rest = app.extensions["screentest.edge"]
    return RSGIEdge(edge, app.extensions["screentest"], rest, body_s_max=body_s_max)


@pytest.mark.parametrize(
    "path", ["/_screentest/worlds", "/ulazai/api/v1/sora/generate/text-to-video/"]
)
def test_a_body_that_does_not_arrive_is_refused_with_408(path: str) -> None:
    protocol = _Protocol([b"{"], hangs=True)
    scope = _Scope(path, content_length="100", content_type="application/json")

    asyncio.run(_edge(body_s_max=0.05).__rsgi__(scope, protocol))  # type: ignore[arg-type]

    assert protocol.answer is not None
    status, headers, body = protocol.answer
    assert (status, headers["Content-Type"]) == (408, "application/problem+json")
    assert b"the body did not arrive within" in body


def test_an_oversized_body_is_read_to_its_end_so_that_its_client_can_read_the_refusal() -> None:
    pieces = [b"x" * 1_000_000] * 8
    protocol = _Protocol(pieces)
    scope = _Scope(_TEXT_TO_VIDEO, content_length="8000000", content_type="application/json")

    asyncio.run(_edge().__rsgi__(scope, protocol))  # type: ignore[arg-type]

    assert protocol.read == 8_000_000
    assert protocol.answer is not None
    assert protocol.answer[0] == 401


@pytest.mark.parametrize("announced", [100, 100_000])
def test_a_body_whose_client_left_before_its_end_is_no_call(live: LiveMock, announced: int) -> None:
    world = live.world()
    path = urlsplit(world["providers"]["ulazai"]["base_url"]).path + _TEXT_TO_VIDEO[7:]
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"

    with _connections(live.url, 1, f"{head}Content-Length: {announced}\r\n\r\n{{".encode()):
        pass
    with _connections(live.url, 1, f"{head}Content-Length: 2\r\n\r\n{{}}".encode()) as staying:
        assert staying[0].recv(1_000)

    lines = requests.get(f"{live.url}/_screentest/worlds/{world['id']}/requests", timeout=10).json()
    assert [it["request"]["body"]["size"] for it in lines["items"]] == [2]


def test_a_method_in_lower_case_is_another_method(live: LiveMock) -> None:
    sent = b"get /_screentest/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

    with _connections(live.url, 1, sent) as connections:
        answer = connections[0].recv(1_000)

    assert answer.startswith(b"HTTP/1.1 405 ")

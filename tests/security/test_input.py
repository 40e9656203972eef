"""S14 to S27: the answers to hostile input. Each test is named after its requirement."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
import requests

from screentest.mock_server.http.app import create_app
from screentest.mock_server.kernel.magic import directive_in
from screentest.specs.contracts.redaction import BY_SHAPE
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.json_types import Json
from tests.live_mock import LiveMock
from tests.mock_client import Account, Client, MockWorld

_GENERATE = "/api/v1/videos/generate"
_SPEED_MAX_S = 0.2

_TRAVERSALS = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..\\..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "exports/../../../../etc/passwd",
    "exports/x/../../../etc/passwd",
    "exports/%00/video.mp4",
    "exports/x%00.png/video.mp4",
    "CON",
    "NUL",
    "aux.mp4",
    "exports/" + "a" * 4_000 + "/video.mp4",
    ".",
    "..",
    "",
    "exports/..;/video.mp4",
    "exports/\u2025/video.mp4",
    "%c0%ae%c0%ae/etc/passwd",
    "~root/.bashrc",
    "schema.sql",
    "media/../pyproject.toml",
]


@pytest.mark.parametrize("path", _TRAVERSALS)
def test_s16_request_text_never_becomes_a_path(world: MockWorld, path: str) -> None:
    answer = world.anonymous("ozor").get(f"/_storage/{path}")

    assert answer.status in {308, 403, 404}
    assert b"root:" not in answer.content
    assert b"CREATE TABLE" not in answer.content


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "a.db", "A", "%2e%2e"])
def test_s16_snapshot_names_are_not_paths(world: MockWorld, name: str) -> None:
    answer = world.control.post(f"{world.path}/snapshots", json={"name": name})

    assert answer.status == 422


@pytest.mark.parametrize(
    ("query_length", "header_length", "status"),
    [(8_000, 10, 200), (8_192, 10, 414), (10, 32_000, 200), (10, 32_768, 431)],
)
def test_s18_addresses_and_headers_have_a_length(
    live: LiveMock, query_length: int, header_length: int, status: int
) -> None:
    base, headers = live.env["OZOR_BASE_URL"], {"X-API-Key": live.env["OZOR_API_KEY"]}

    answer = requests.get(
        f"{base}/api/v1/videos?x={'a' * (query_length - 2)}",
        headers={**headers, "X-Long": "a" * header_length},
        timeout=10,
    )

    assert answer.status_code == status


_UNSOUND = [
    b"",
    b"{",
    b"nul",
    b"[1,]",
    b'{"prompt": NaN}',
    b'{"prompt": Infinity}',
    b'{"prompt": 1e999}',
    b'{"prompt": "\\ud800"}',
    b'{"prompt": "\xff"}',
    b'{"prompt": "a", "prompt": "b"}',
    b'{"prompt": "\\u0000"}',
    b"[" * 70 + b"]" * 70,
    b'{"a":' * 70 + b"1" + b"}" * 70,
    b'{"prompt": 123456789012345678901234567890}',
    b"\xef\xbb\xbf{}",
    b"{'prompt': 'a'}",
    b'"text"',
    b"7",
    b"null",
    b"[]",
    b'{"prompt": {"a": [[[[[[[[1]]]]]]]]}}',
    b"\x00",
    b"{}{}",
]


@pytest.mark.parametrize("provider", shipped_contracts().names)
@pytest.mark.parametrize("raw", _UNSOUND)
def test_s19_unsound_json_is_the_providers_refusal_never_a_crash(
    world: MockWorld, provider: str, raw: bytes
) -> None:
    account = world.account(provider)
    contract = load_contract(provider)
    paths = [it.path for it in contract.operations.values() if "application/json" in it.bodies]
    headers = {"Content-Type": "application/json"}

    statuses = [account.client.post(path, raw=raw, headers=headers).status for path in paths]

    assert all(status < 500 for status in statuses), statuses


def _slowest_s(act: Any, *texts: str) -> float:
    durations: list[float] = []
    for text in texts:
        started = time.perf_counter()
        act(text)
        durations.append(time.perf_counter() - started)
    return max(durations)


_LONG = 20_000
_PUMPS = [
    "a" * _LONG,
    "=" * _LONG,
    "&key=" * (_LONG // 5),
    '"' * _LONG,
    '\\"' * (_LONG // 2),
    '"token' * (_LONG // 6),
    "[[screentest:" * (_LONG // 13),
    "://" * (_LONG // 3),
    "://a:" * (_LONG // 5),
    "-----BEGIN A PRIVATE KEY-----" * (_LONG // 29),
    "eyJ" * (_LONG // 3),
    "eyJa." * (_LONG // 5),
    "sk-" * (_LONG // 3),
    "_live_" * (_LONG // 6),
    "key" * (_LONG // 3),
    "?key&" * (_LONG // 5),
    '"api_key" ' * (_LONG // 10),
    "whsec_" * (_LONG // 6),
    "firebase." * (_LONG // 9),
    "/" * _LONG,
]


@pytest.mark.parametrize("text", _PUMPS, ids=range(len(_PUMPS)))
def test_s21_no_text_keeps_a_pattern_busy(text: str) -> None:
    assert _slowest_s(BY_SHAPE.cut_text, text) < _SPEED_MAX_S
    assert _slowest_s(BY_SHAPE.cut_query, text) < _SPEED_MAX_S
    assert _slowest_s(directive_in, text) < _SPEED_MAX_S


def _patterns(value: Json) -> list[str]:
    if isinstance(value, dict):
        own = [value["pattern"]] if isinstance(value.get("pattern"), str) else []
        return own + [it for item in value.values() for it in _patterns(item)]
    return [it for item in value for it in _patterns(item)] if isinstance(value, list) else []


_FOR_PATTERNS = [
    "a" * _LONG,
    "https://" + "/" * _LONG,
    "https://" + "a." * _LONG,
    "a@" * _LONG,
    "0" * _LONG,
    "A+/=" * _LONG,
    "data:image/png;base64," + "A" * _LONG + "!",
    "-" * _LONG,
    "  " * _LONG,
]


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_s21_patterns_of_the_contracts_stay_quick(provider: str) -> None:
    patterns = set(_patterns(load_contract(provider).document))

    slow = [
        pattern
        for pattern in sorted(patterns)
        if _slowest_s(
            jsonschema_rs.validator_for({"type": "string", "pattern": pattern}).is_valid,
            *_FOR_PATTERNS,
        )
        > _SPEED_MAX_S
    ]

    assert slow == []


_HEALTH = b"GET /_screentest/health HTTP/1.1\r\nHost: localhost\r\n"
_CREATE = b"POST /_screentest/worlds HTTP/1.1\r\nHost: localhost\r\n"
_PROBES = [
    _HEALTH + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    _CREATE + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    _CREATE + b"Content-Length: +2\r\n\r\n{}",
    _HEALTH + b"X-A: b\r\n folded\r\n\r\n",
    b"GET /_screentest/health HTTP/1.1\r\nHost : localhost\r\n\r\n",
    b"GET /_screentest/health HTTP/1.1\r\n\r\n",
    _HEALTH + b"Host: evil.com\r\n\r\n",
    _HEALTH + b"X: \x00\r\n\r\n",
    b"GET /_screentest/hea\x00lth HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /_screentest/health HTTP/9.9\r\nHost: localhost\r\n\r\n",
]


@pytest.mark.parametrize("probe", _PROBES, ids=range(len(_PROBES)))
def test_s22_doubtful_framing_is_refused_and_the_connection_closed(
    live: LiveMock, probe: bytes
) -> None:
    parts = urlsplit(live.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), 5) as connection:
        connection.sendall(probe)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    statuses = {int(it) for it in re.findall(rb"HTTP/1\.1 (\d{3})", answer)}
    assert not statuses & {200, 201, 500}, answer
    assert len(statuses) <= 1


def test_s22_length_beside_chunks_does_not_smuggle_a_second_request(live: LiveMock) -> None:
    """The chunks set the length, as RFC 9112 (6.3) allows. Later bytes are not a request."""
    parts = urlsplit(live.url)
    framing = (
        b"Connection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    smuggled = b"DELETE /_screentest/worlds/w_1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 0), 5) as connection:
        connection.sendall(_HEALTH + framing + smuggled)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert re.findall(rb"HTTP/1\.1 (\d{3})", answer) == [b"200"]


_BREAKS = [
    "a\r\nX-Evil: 1",
    "a\nX-Evil: 1",
    "a\x00b",
    "\r\n\r\n<html>",
    "%0d%0aX-Evil:%201",
    "é\u2028",
]


@pytest.mark.parametrize("text", _BREAKS)
def test_s23_no_line_break_gets_into_a_header(ozor: Account, text: str) -> None:
    quoted = json.dumps({"prompt": text}).encode()
    headers = {"Content-Type": "application/json"}

    answers = [
        ozor.client.post(_GENERATE, raw=quoted, headers=headers),
        ozor.client.get(f"/api/v1/videos/{text.encode().hex()}%0d%0aX-Evil:1"),
        ozor.client.get("/api/v1/videos", query={"limit": text}),
        ozor.world.control.get(f"/worlds/{text.encode().hex()}%0d%0a"),
        ozor.world.control.get("/worlds/default/jobs", query={"state": text}),
    ]

    assert all(answer.status < 500 for answer in answers)
    assert not any("x-evil" in answer.headers for answer in answers)


def test_s25_server_tells_its_name_and_nothing_of_what_it_runs_on(live: LiveMock) -> None:
    answer = requests.get(f"{live.url}/_screentest/health", timeout=10)

    assert answer.headers["Server"] == "screentest"


@pytest.mark.parametrize("path", ["/_screentest/nowhere", "/_screentest/worlds/x", "/nowhere"])
def test_s25_refusals_show_no_inside(world: MockWorld, path: str) -> None:
    answer = Client(world.wsgi, "").get(path)

    assert answer.status == 404
    assert not re.search(r"Traceback|\.py|site-packages|SELECT |/work/|/usr/", answer.text)


def test_s25_our_own_fault_shows_no_inside() -> None:
    readings = iter([1_700_000_000_000] * 3)

    def failing_clock() -> int:
        reading = next(readings, None)
        if reading is None:
            raise RuntimeError("the database mock.db is closed, says sqlite in store.py")
        return reading

    app = create_app(contracts=[], clock=failing_clock)
    for _ in range(4):
        next(readings, None)

    answer = Client(app.test_client(), "").get("/_screentest/worlds/default")

    assert answer.status == 500
    assert answer.json()["code"] == "crash"
    assert not re.search(r"Traceback|\.py|sqlite|closed|database", answer.text)


@pytest.mark.parametrize(
    "path", ["//evil.com/api/video-jobs", "/\\evil.com/", "/%0d%0a/evil.com", "/api/video-jobs"]
)
def test_s26_redirects_stay_at_home(world: MockWorld, path: str) -> None:
    answer = world.account("oshara").client.get(path)

    location = answer.headers.get("location", "/")
    assert location.startswith(("/w/", "http://localhost/", "/"))
    assert not location.startswith(("//", "/\\"))
    assert "evil" not in urlsplit(location).netloc


_ESCAPES = ["\x1b]0;owned\x07", "\x1b[2J", "line\nforged 200 OK", "\x9b31m", "\r", "\x08" * 9]


@pytest.mark.parametrize("text", _ESCAPES)
def test_s27_journal_lines_hold_no_control_characters(ozor: Account, text: str) -> None:
    ozor.client.post(_GENERATE, json={"prompt": text})
    ozor.client.get(
        "/api/v1/videos", headers={"User-Agent": text.replace("\n", "").replace("\r", "")}
    )

    raw = ozor.world.control.get(f"{ozor.world.path}/requests").content

    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw)


def test_s14_nothing_leaves_the_machine(ozor: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []

    def refuse(self: socket.socket, address: Any) -> None:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    ozor.client.post(_GENERATE, json={"prompt": "https://example.com/a.png"})
    ulazai = ozor.world.account("ulazai")
    body = {"prompt": "A boat sails down a gutter", "image_url": "https://example.com/boat.jpg"}
    ulazai.client.post("/api/v1/sora/generate/image-to-video/", json=body)
    ozor.world.advance_until_idle()

    assert dialled == []

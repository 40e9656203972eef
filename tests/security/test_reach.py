"""S01 to S08: access to the mock. Each test is named after its requirement."""

from __future__ import annotations

import subprocess
import sys

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.guard import WRONG_TOKENS_MAX, Guard
from screentest.specs.contracts.controls import load_controls
from screentest.specs.openapi.grammar import METHODS
from tests.mock_client import Answer, Client, MockWorld

_TOKEN = "a token that only this test knows"

_OURS = [
    "127.0.0.1",
    "127.0.0.1:8787",
    "localhost",
    "localhost:1",
    "LOCALHOST",
    "a.localhost",
    "[::1]",
    "[::1]:8787",
    "192.168.1.20:80",
    "mock",
    "mock:8787",
    "10.0.0.1",
]
_FOREIGN = [
    "",
    " ",
    "evil.com",
    "evil.com:8787",
    "mock.evil.com",
    "127.0.0.1.evil.com",
    "localhost.",
    "localhost.evil.com",
    "localhost,evil.com",
    "127.0.0.1, evil.com",
    "evil.com,127.0.0.1",
    "xn--lcalhost-g1a.com",
    "[fe80::1%25eth0]",
    "[::1",
    "::1",
    "127.0.0.1:99999",
    "127.0.0.1:x",
    "127.0.0.1@evil.com",
    "http://127.0.0.1",
    "127.0.0.1/evil",
    "127.1.evil.org",
    "0x7f.1",
    "2130706433",
    "0x7f000001",
    "rebind.network",
    "localtest.me",
    "127.0.0.1.nip.io",
    "evil.local",
]


def test_s04_forty_hosts_are_sorted() -> None:
    assert len(_OURS) + len(_FOREIGN) == 40


@pytest.mark.parametrize("path", ["/_screentest/health", "/ozor/api/v1/videos", "/nowhere"])
@pytest.mark.parametrize("host", _FOREIGN)
def test_s04_host_that_is_not_this_machine_is_misdirected(
    wsgi: WsgiClient, host: str, path: str
) -> None:
    response = wsgi.get(path, environ_overrides={"HTTP_HOST": host})

    assert response.status_code == 421
    assert response.json is not None
    assert response.json["code"] == "misdirected_request"


@pytest.mark.parametrize("host", _OURS)
def test_s04_host_of_this_machine_passes(wsgi: WsgiClient, host: str) -> None:
    assert wsgi.get("/_screentest/health", environ_overrides={"HTTP_HOST": host}).status_code == 200


def _control_calls() -> list[tuple[str, str]]:
    paths = load_controls().document["paths"]
    return [
        (method.upper(), path.replace("{world}", "default").replace("{", "").replace("}", ""))
        for path, item in paths.items()
        for method in item
        if method in METHODS
    ]


_HOSTILE_ORIGINS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:3000"},
    {"Origin": "http://127.0.0.1.evil.com"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
]


@pytest.mark.parametrize("headers", _HOSTILE_ORIGINS)
def test_s05_page_of_another_origin_changes_nothing(
    world: MockWorld, headers: dict[str, str]
) -> None:
    before = world.control.get(world.path).json()

    answers = [
        world.control.request(method, path, json={}, headers=headers)
        for method, path in _control_calls()
        if method != "GET"
    ]

    assert {(it.status, it.json()["code"]) for it in answers} == {(403, "cross_origin")}
    assert world.control.get(world.path).json() == before


@pytest.mark.parametrize(
    "headers", [*_HOSTILE_ORIGINS, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"}]
)
def test_s05_page_of_another_origin_reads_nothing(
    world: MockWorld, headers: dict[str, str]
) -> None:
    """The answers contain API keys; without CORS headers alone, a `no-cors` call gets them."""
    answers = [
        world.control.get(it, headers=headers) for it in (world.path, "/worlds", "/openapi.json")
    ]

    assert {(it.status, it.json()["code"]) for it in answers} == {(403, "cross_origin")}


def test_s05_link_in_another_page_opens_an_answer_but_sends_no_change(world: MockWorld) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "document"}

    opened = world.control.get(world.path, headers=headers)
    sent = world.control.post(f"{world.path}/reset", json={}, headers=headers)

    assert (opened.status, sent.status) == (200, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/worlds/default/reset",
        "//worlds/default/reset",
        "/worlds/%64efault/reset",
        "/worlds/default/%72eset",
        "/worlds/./default/reset",
        "/worlds/default/clock/../reset",
    ],
)
def test_s05_another_spelling_of_a_path_does_not_bypass_the_guard(
    world: MockWorld, path: str
) -> None:
    headers = {"Origin": "https://evil.example"}

    answer = world.control.post(path, json={}, headers=headers)

    assert answer.status in {403, 404}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""],
)
def test_s05_form_post_is_not_a_control_call(world: MockWorld, content_type: str) -> None:
    answer = world.control.post(
        f"{world.path}/reset", raw=b"{}", headers={"Content-Type": content_type}
    )

    assert (answer.status, answer.json()["code"]) == (415, "unsupported_media_type")


def test_s05_reading_changes_nothing(world: MockWorld) -> None:
    before = world.control.get(world.path).json()

    for method, path in _control_calls():
        if method == "GET":
            world.control.get(path)
            world.control.request("HEAD", path)

    assert world.control.get(world.path).json() == before


def test_s06_no_other_origin_is_allowed(world: MockWorld) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}

    answers = [
        world.control.get("/health", headers=asked),
        world.control.request("OPTIONS", "/worlds", headers=asked),
        world.anonymous("ozor").request("OPTIONS", "/api/v1/videos", headers=asked),
        world.anonymous("ozor").get("/api/v1/videos", headers=asked),
    ]

    invited = [name for it in answers for name in it.headers if name.startswith("access-control")]
    assert invited == []


@pytest.fixture
def locked() -> Client:
    """A control API that requires a token."""
    return Client(WsgiClient(create_app(guard=Guard(token=_TOKEN))), "/_screentest")


def _with(client: Client, authorization: str | None) -> Client:
    headers = {} if authorization is None else {"Authorization": authorization}
    return Client(client.wsgi, client.base, headers)


#: Calls that an orchestrator makes without a token.
_PROBES = ("/health", "/ready")


@pytest.mark.parametrize("sent", [None, "Bearer wrong", f"Basic {_TOKEN}", _TOKEN, "Bearer"])
def test_s02_no_call_but_a_probe_goes_without_the_token(locked: Client, sent: str | None) -> None:
    calls = [it for it in _control_calls() if it[1] not in _PROBES][:WRONG_TOKENS_MAX]

    answers: list[Answer] = [_with(locked, sent).request(*call) for call in calls]

    assert {(it.status, it.json()["code"]) for it in answers} == {(401, "unauthorized")}
    assert answers[0].headers["www-authenticate"] == "Bearer"
    assert [locked.get(path).status for path in _PROBES] == [200, 200]


def test_s02_right_token_opens_every_call(locked: Client) -> None:
    opened = _with(locked, f"Bearer {_TOKEN}")

    statuses = {opened.request(*call).status for call in _control_calls()}

    assert not statuses & {401, 403}


def test_s02_every_call_is_behind_the_token() -> None:
    for method, path in _control_calls():
        fresh = Client(
            WsgiClient(create_app(contracts=[], guard=Guard(token=_TOKEN))), "/_screentest"
        )
        assert fresh.request(method, path).status == (200 if path in _PROBES else 401), path


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ({}, {}),
        ({"token": _TOKEN}, {}),
        ({"access_token": _TOKEN}, {}),
        ({"ticket": _TOKEN}, {}),
        ({}, {"Cookie": f"token={_TOKEN}"}),
        ({}, {"Authorization": f"Basic {_TOKEN}"}),
    ],
)
def test_s07_live_events_take_the_token_in_its_header_alone(
    locked: Client, query: dict[str, str], headers: dict[str, str]
) -> None:
    """A token in a URL or a cookie gives no access."""
    asked = {"Accept": "text/event-stream", **headers}

    answer = locked.get("/worlds/default/events", query=query, headers=asked)

    assert (answer.status, answer.json()["code"]) == (401, "unauthorized")
    assert "set-cookie" not in answer.headers


def test_s08_guessing_is_answered_by_silence_for_a_minute() -> None:
    now_s = [1_000.0]
    guard = Guard(token=_TOKEN, now_s=lambda: now_s[0])
    client = Client(WsgiClient(create_app(contracts=[], guard=guard)), "/_screentest")
    wrong, right = _with(client, "Bearer guess"), _with(client, f"Bearer {_TOKEN}")

    statuses = [wrong.get("/providers").status for _ in range(WRONG_TOKENS_MAX + 1)]
    meanwhile = right.get("/providers")
    now_s[0] += 60.0
    again = wrong.get("/providers")

    assert statuses == [401] * WRONG_TOKENS_MAX + [429]
    assert meanwhile.status == 200
    assert again.status == 401


def test_s08_a_page_of_another_site_cannot_lock_out_a_user() -> None:
    """A page can make a browser call loopback again and again, without a token."""
    client = Client(WsgiClient(create_app(contracts=[], guard=Guard(token=_TOKEN))), "/_screentest")
    sent = {"Sec-Fetch-Site": "cross-site"}
    pages = [
        Client(client.wsgi, client.base, it) for it in (sent, sent | {"Sec-Fetch-Dest": "document"})
    ]

    loaded = [
        [it.get("/worlds/default").status for it in pages] for _ in range(WRONG_TOKENS_MAX + 5)
    ]

    assert loaded == [[403, 401]] * len(loaded)
    assert _with(client, "Bearer guess").get("/providers").status == 401
    assert _with(client, f"Bearer {_TOKEN}").get("/providers").status == 200


@pytest.mark.parametrize(
    "options",
    [["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--control-token", "short"], ["--host", "::"]],
)
def test_s03_wider_address_needs_a_token(options: list[str]) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "screentest.mock_server.cli", "serve", "--port", "0", *options],
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert refused.returncode == 2
    assert b"--control-token" in refused.stderr


def test_s01_control_and_providers_share_a_listener_but_no_path(world: MockWorld) -> None:
    """One listener serves both, so one port is enough. Their paths do not overlap.

    S02 to S05 protect every control path from web pages and other hosts.
    """
    providers = {it["id"] for it in world.control.get("/providers").json()}

    through = {
        name: world.anonymous(name).get("/_screentest/worlds/default").status for name in providers
    }

    assert "_screentest" not in providers
    assert set(through.values()) <= {404, 405}

"""S28: two hundred secrets are sent through every input and found in no output."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from tests.mock_client import Account, File, MockWorld, make_world

_CANARIES = 200
_GENERATE = "/api/v1/videos/generate"


def _password(number: int) -> str:
    return hashlib.sha256(f"password {number}".encode()).hexdigest()[:24]


def _in_address(number: int) -> str:
    return f"https://user:{_password(number)}@media.example/lamp.png"


def _in_pem(number: int) -> str:
    words = ("BEGIN", "END")
    first, last = (f"-----{word} PRIVATE {'KEY'}-----" for word in words)
    return f"{first}\n{_password(number)}+/=\n{last}\n"


def _secret(number: int) -> str:
    """A secret in a common form, assembled so that secret scanners do not report this file."""
    tail = hashlib.sha256(f"canary {number}".encode()).hexdigest()
    shapes = (
        f"sk_{'live'}_{tail[:32]}",
        f"ugc_{'live'}_{tail[:40]}",
        f"ulazai_{'live'}_{tail[:40]}",
        f"sk-{tail[:48]}",
        f"whsec_{tail[:40]}",
        f"AIza{tail[:35]}",
        f"AKIA{tail[:16].upper()}",
        f"ghp_{tail[:36]}",
        f"eyJ{tail[:20]}.{tail[20:50]}.{tail[50:]}",
        f"rk_{'live'}_{tail[:24]}",
    )
    return shapes[number % len(shapes)]


def _send_all(account: Account, secrets: Iterator[str]) -> None:
    """Send different secrets through every input."""
    client = account.client
    for name in ("Authorization", "X-API-Key", "Cookie", "X-Auth-Token", "X-Custom"):
        for scheme in ("", "Bearer "):
            client.get("/api/v1/videos", headers={name: scheme + next(secrets)})
    for _ in range(20):
        client.post("/api/v1/videos/generate", json={"prompt": f"Use {next(secrets)} please"})
        client.post("/api/v1/videos/generate", json={"prompt": "A lamp", "api_key": next(secrets)})
        client.post("/api/v1/videos/generate", raw=next(secrets).encode())
        client.get("/api/v1/videos", query={"key": next(secrets)})
        client.get("/api/v1/videos", query={"cursor": next(secrets)})
        client.get(f"/api/v1/videos/{next(secrets)}")
        client.get(f"/nowhere/at/all/and/some/more/of/that/{next(secrets)}")
        form = {"url": f"https://user:{next(secrets)}@example.com/", "note": next(secrets)}
        client.post("/api/v1/documents/analyze", form=form)
    for _ in range(5):
        part = File(f"{next(secrets)}.pdf", b"%PDF-1.7\n" + next(secrets).encode())
        client.post("/api/v1/documents/analyze", form={"file": part})


@pytest.mark.parametrize("count", [_CANARIES])
def test_s28_no_canary_is_found_in_file_journal_snapshot_or_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    caplog.set_level(logging.DEBUG)
    app = create_app(database=tmp_path / "mock.db")
    account = make_world(WsgiClient(app, use_cookies=False)).account("ozor", credits=1_000)
    control, path = account.world.control, account.world.path
    sent: list[str] = []

    def secrets() -> Iterator[str]:
        for number in range(10 * count):
            sent.append(_secret(number))
            yield sent[-1]

    _send_all(account, secrets())
    account.world.advance_until_idle()
    control.post(f"{path}/snapshots", json={"name": "kept"})
    places = {
        "snapshot": control.get(f"{path}/snapshots/kept").content,
        "journal": b"".join(
            control.get(f"{path}/requests", query={"limit": 200, "cursor": after}).content
            for after in (0, 200)
        ),
        "events": control.get(f"{path}/events").content,
        "endpoints": control.get(f"{path}/webhooks/endpoints").content,
        "deliveries": control.get(f"{path}/webhooks/deliveries").content,
        "log": caplog.text.encode(),
    }
    app.extensions["screentest"].store.close()
    places |= {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    found = [(name, it) for name, raw in places.items() for it in sent if it.encode() in raw]

    assert len(sent) >= count
    assert found == []


@pytest.mark.parametrize("shape", [_in_address, _in_pem])
@pytest.mark.parametrize("writes", [str, quote, quote_plus, lambda it: quote(quote(it, safe=""))])
def test_s28_secret_that_is_written_another_way_is_found_nowhere(
    tmp_path: Path, shape: Callable[[int], str], writes: Callable[[str], str]
) -> None:
    """Clients encode queries and forms, and some escape slashes in JSON."""
    app = create_app(database=tmp_path / "mock.db")
    account = make_world(WsgiClient(app, use_cookies=False)).account("ozor", credits=1_000)
    texts = [writes(shape(number)) for number in range(5)]
    headers = {"Content-Type": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = json.dumps({"prompt": texts[2]}).replace("/", "\\/")

    account.client.get(f"/api/v1/videos?cursor={texts[0]}".replace("\n", "%0A"))
    account.client.post(_GENERATE, raw=f"prompt={texts[1]}&x=1".encode(), headers=form)
    account.client.post(_GENERATE, raw=body.encode(), headers=headers)
    account.client.post(_GENERATE, raw=body[:-1].encode(), headers=headers)
    account.client.post(_GENERATE, json={"prompt": f"[[screentest:fail={texts[3]}]]"})
    account.client.post(_GENERATE, json={"prompt": "A lamp", texts[4]: 1})
    account.world.advance_until_idle()

    places = _places(app, account.world, tmp_path)
    passwords = [_password(number) for number in range(5)]
    assert [(name, it) for name in places for it in passwords if it.encode() in places[name]] == []


def _places(app: Flask, world: MockWorld, folder: Path) -> dict[str, bytes]:
    """Everything that is shown or stored of *world*."""
    control, path = world.control, world.path
    control.post(f"{path}/snapshots", json={"name": "kept"})
    shown = {
        name: control.get(f"{path}/{name}").content
        for name in ("snapshots/kept", "requests", "events", "jobs", "faults")
    }
    app.extensions["screentest"].store.close()
    return shown | {file.name: file.read_bytes() for file in folder.iterdir()}


def test_s28_reasons_in_orders_are_kept_without_their_secrets(tmp_path: Path) -> None:
    app = create_app(database=tmp_path / "mock.db")
    account = make_world(WsgiClient(app, use_cookies=False)).account("ozor", credits=1_000)
    control, path = account.world.control, account.world.path
    keys = [*map(_secret, range(10)), _in_address(10), _in_pem(11)]
    secrets = [*map(_secret, range(10)), _password(10), _password(11)]
    for key in keys:
        job = account.client.post(_GENERATE, json={"prompt": "A lamp"}).json()["jobId"]
        order = {"outcome": "failed", "reason": f"no {key}", "now": True}
        assert control.patch(f"{path}/jobs/{job}", json=order).status == 200
        for attributes in ({"reason": key}, {"at": 0.5, "reason": f"see {key}"}):
            fault = {"type": "job_failure", "attributes": attributes}
            assert control.post(f"{path}/faults", json=fault).status == 201
        body = {"type": "http_error", "nth": 99, "attributes": {"body": {"error": key}}}
        assert control.post(f"{path}/faults", json=body).status == 201

    places = _places(app, account.world, tmp_path)

    assert [(name, it) for name in places for it in secrets if it.encode() in places[name]] == []


def test_s28_repetition_key_that_is_a_secret_still_replays_and_is_not_kept(tmp_path: Path) -> None:
    app = create_app(database=tmp_path / "mock.db")
    account = make_world(WsgiClient(app, use_cookies=False)).account("ugc_copilot", credits=1_000)
    call = {"engine": "sora", "visualPrompt": "A lamp"}
    headers = {"Idempotency-Key": _secret(3)}

    first = account.client.post("/proxyStartVideoGeneration", json=call, headers=headers)
    again = account.client.post("/proxyStartVideoGeneration", json=call, headers=headers)

    assert (again.status, again.content) == (first.status, first.content)
    places = _places(app, account.world, tmp_path)
    assert [name for name in places if _secret(3).encode() in places[name]] == []


@pytest.mark.parametrize(
    ("name", "status"), [(f"sk-{'0' * 40}", 422), ("disk-full-before-upgrade", 201)]
)
def test_s28_snapshot_is_not_called_like_a_key(name: str, status: int) -> None:
    world = make_world(WsgiClient(create_app()))

    answer = world.control.post(f"{world.path}/snapshots", json={"name": name})

    assert answer.status == status
    if status == 422:
        assert answer.json()["detail"] == (
            "the name of this snapshot looks like a key, and names are kept; take another"
        )


def test_s28_webhook_address_is_shown_without_its_secret() -> None:
    """The URL must be stored, because webhooks are sent there."""
    world = make_world(WsgiClient(create_app()))
    hook = {"provider": "ugc_copilot", "url": f"http://127.0.0.1:9/hook?token={_secret(0)}"}

    made = world.control.post(f"{world.path}/webhooks/endpoints", json=hook)
    listed = world.control.get(f"{world.path}/webhooks/endpoints")

    assert made.status == 201
    assert _secret(0).encode() not in made.content + listed.content


def test_s28_real_key_draws_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    account = make_world(WsgiClient(create_app())).account("ozor")

    for number in range(3):
        account.client.get("/api/v1/videos", headers={"X-API-Key": _secret(10 * number)})

    warnings = [it.getMessage() for it in caplog.records if it.name == "screentest"]
    assert len(warnings) == 1
    assert "looks like a real one" in warnings[0]


# --- Shapes and names that no contract knows ------------------------------------------------------

_TAIL = hashlib.sha256(b"odd canary").hexdigest()
_SHAPES = (
    f"github_{'pat'}_{_TAIL[:30]}",
    f"gl{'pat'}-{_TAIL[:20]}",
    f"h{'f'}_{_TAIL[:34]}",
    f"np{'m'}_{_TAIL[:36]}",
    f"r{'8'}_{_TAIL[:37]}",
    f"xox{'b'}-{_TAIL[:12]}-{_TAIL[12:24]}",
)
_HEADERS = ("X-Auth", "X-Auth-Key", "X-Access-Key", "X-Password", "X-Credential", "X-Private")
_QUERIES = ("auth", "credential", "access", "x_pwd", "api-key")
_FIELDS = (
    "api-key",
    "x-api-key",
    "accessKey",
    "credential",
    "private_key",
    "bearer",
    "pwd",
    "auth",
)


def _kept_of(world: MockWorld) -> str:
    """Everything that the world shows of its past."""
    world.control.post(f"{world.path}/snapshots", json={"name": "all"})
    pages = ("requests?limit=200", "events?limit=200", "snapshots/all")
    return "".join(world.control.get(f"{world.path}/{page}").text for page in pages)


@pytest.mark.parametrize("secret", _SHAPES, ids=lambda it: it[:4])
def test_secret_of_another_vendors_shape_is_cut_wherever_it_is(
    world: MockWorld, secret: str
) -> None:
    client = world.account("ozor").client
    for name in ("X-Custom", "User-Agent", "Referer", "Idempotency-Key"):
        client.get("/api/v1/videos", headers={name: secret})
    client.get(f"/api/v1/videos/{secret}", query={"next": secret})
    client.post(_GENERATE, json={"prompt": f"A lamp {secret}", "extra": secret})

    kept = _kept_of(world)

    assert secret not in kept
    assert "A lamp " in kept


def test_secret_of_no_shape_is_cut_under_a_telling_name(world: MockWorld) -> None:
    client = world.account("ozor").client
    secrets = iter(_password(number) for number in range(100, 200))
    sent: list[str] = []

    def next_secret() -> str:
        sent.append(next(secrets))
        return sent[-1]

    for name in _HEADERS:
        client.get("/api/v1/videos", headers={name: next_secret()})
    for name in _QUERIES:
        client.get("/api/v1/videos", query={name: next_secret()})
    for name in _FIELDS:
        client.post(_GENERATE, json={"prompt": "A lamp", name: next_secret()})

    kept = _kept_of(world)

    assert [it for it in sent if it in kept] == []


@pytest.mark.parametrize("name", ["author", "authority", "passenger", "accessible", "compass"])
def test_field_that_only_sounds_like_a_secret_is_kept(world: MockWorld, name: str) -> None:
    client = world.account("ozor").client
    client.get("/api/v1/videos", query={name: "plain words"}, headers={f"X-{name}": "other words"})

    kept = _kept_of(world)

    assert "plain" in kept
    assert "other words" in kept

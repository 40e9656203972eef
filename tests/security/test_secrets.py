"""S28: two hundred canaries through every input, and none of them is found anywhere."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from tests.mock_client import Account, File, make_world

_CANARIES = 200


def _secret(number: int) -> str:
    """A secret of one of the shapes that people paste; assembled, so that no scanner minds."""
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
    """Every way in, each with secrets of its own."""
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
    account = make_world(WsgiClient(app)).account("ozor", credits=1_000)
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


def test_s28_webhook_address_is_shown_without_its_secret() -> None:
    """The address itself has to be kept, or nothing could be sent there."""
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

"""The vendor's own SDK, unmodified, against the contract beside this file."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from magic_hour import Client
from make_api_request import ApiError


@pytest.fixture
def client(screentest: Any) -> Client:
    return Client(token=screentest.magic_hour.api_key)


def _create(client: Client) -> Any:
    return client.v1.text_to_video.create(end_seconds=5.0, style={"prompt": "a lamp"})


def test_a_video_is_made_polled_and_downloaded(
    screentest: Any, client: Client, tmp_path: Path
) -> None:
    video = client.v1.text_to_video.generate(
        end_seconds=5.0,
        style={"prompt": "a lamp"},
        wait_for_completion=True,
        download_outputs=True,
        download_directory=str(tmp_path),
    )

    assert (video.status, video.type_, video.credits_charged) == ("complete", "TEXT_TO_VIDEO", 60)
    (path,) = video.downloaded_paths or []
    assert Path(path).read_bytes()[4:8] == b"ftyp"
    assert screentest.magic_hour.credits == 340


def test_a_failure_is_shown_and_given_back(screentest: Any, client: Client) -> None:
    screentest.magic_hour.jobs.fail_next("the lamp broke")

    made = _create(client)
    screentest.clock.advance(300)
    video = client.v1.video_projects.get(id=made.id)

    assert video.error is not None
    assert (video.status, video.error.message) == ("error", "the lamp broke")
    assert (video.credits_charged, screentest.magic_hour.credits) == (0, 400)


def test_too_few_credits_are_a_402(screentest: Any) -> None:
    poor = screentest.magic_hour.account(credits=59)

    with pytest.raises(ApiError) as refused:
        _create(Client(token=poor.api_key))

    assert (refused.value.status_code, poor.credits) == (402, 59)


def test_a_deleted_video_is_gone(client: Client) -> None:
    made = _create(client)

    client.v1.video_projects.delete(id=made.id)

    with pytest.raises(ApiError) as gone:
        client.v1.video_projects.get(id=made.id)
    assert gone.value.status_code == 404


def test_webhooks_are_signed_as_the_vendor_documents(screentest: Any, client: Client) -> None:
    heard: list[tuple[str, str]] = []

    def handler(environ: Any, start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        signed = environ["HTTP_MAGIC_HOUR_EVENT_TIMESTAMP"].encode() + b"." + body
        wanted = hmac.new(endpoint.secret.encode(), signed, hashlib.sha256).hexdigest()
        is_right = hmac.compare_digest(wanted, environ["HTTP_MAGIC_HOUR_EVENT_SIGNATURE"])
        start_response("200 OK" if is_right else "401 Unauthorized", [])
        event = json.loads(body)
        heard.append((event["type"], event["payload"]["status"]))
        return [b""]

    hooks = screentest.magic_hour.webhooks
    endpoint = hooks.deliver_to(wsgi_app=handler)
    _create(client)
    screentest.clock.advance_until_idle()

    assert heard == [("video.started", "rendering"), ("video.completed", "complete")]
    assert [it.fate for it in hooks.deliveries] == ["delivered", "delivered"]

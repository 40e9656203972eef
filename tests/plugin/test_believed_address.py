"""Keys of the WSGI environment by which a caller in the same process controls the answer."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from werkzeug.test import Client

from screentest.mock_server.http.fault_effects import ConnectionCutError
from screentest.mock_server.kernel.environ_keys import BELIEVED_BASE, SLEEP

from ..mock_client import MockWorld

BASE = "https://ozor.example/api-of-ozor"


def _generate(wsgi: Client, world: MockWorld, environ: Mapping[str, object]) -> str:
    key = world.account("ozor").api_key
    answer = wsgi.post(
        f"/w/{world.id}/ozor/api/v1/videos/generate",
        json={"prompt": "A lamp"},
        headers={"X-API-Key": key, "Host": "ozor.example"},
        environ_overrides=dict(environ),
    )
    editor: str = answer.get_json()["videoId"]
    details = wsgi.get(
        f"/w/{world.id}/ozor/api/v1/videos/{editor}/",
        headers={"X-API-Key": key, "Host": "ozor.example"},
        environ_overrides={BELIEVED_BASE: BASE},
    )
    return details.headers["Location"]


def test_addresses_follow_what_the_client_believes(wsgi: Client, world: MockWorld) -> None:
    location = _generate(wsgi, world, {BELIEVED_BASE: BASE})

    assert location.startswith("/api-of-ozor/api/v1/videos/")


def test_a_foreign_host_is_refused_unless_the_caller_vouches_for_it(
    wsgi: Client, world: MockWorld
) -> None:
    path, headers = f"/w/{world.id}/ozor/api/v1/videos", {"Host": "ozor.example"}

    refused = wsgi.get(path, headers=headers)
    vouched = wsgi.get(path, headers=headers, environ_overrides={BELIEVED_BASE: BASE})
    smuggled = wsgi.get(path, headers={**headers, "screentest.base_url": BASE})

    assert (refused.status_code, vouched.status_code, smuggled.status_code) == (421, 401, 421)


def test_a_slow_answer_passes_its_time_as_the_caller_wants(wsgi: Client, world: MockWorld) -> None:
    body = {"type": "latency", "where": {"provider": "ozor"}, "attributes": {"delay_ms": 90_000}}
    world.control.post(f"{world.path}/faults", json=body)
    slept_s: list[float] = []

    _generate(wsgi, world, {BELIEVED_BASE: BASE, SLEEP: slept_s.append})

    assert slept_s == [90.0]


def test_a_broken_connection_is_an_exception_inside_the_process(
    wsgi: Client, world: MockWorld
) -> None:
    world.control.post(
        f"{world.path}/faults", json={"type": "reset_peer", "where": {"provider": "ozor"}}
    )

    with pytest.raises(ConnectionCutError, match="^closed by an injected fault$"):
        _generate(wsgi, world, {BELIEVED_BASE: BASE})

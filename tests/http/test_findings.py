"""The journal explains every refusal: a code, what was expected, a fix, and the provider's rule."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mock_client import Account, MockWorld

Json = Any


def _last(world: MockWorld) -> Json:
    return world.requests()[-1]


def test_value_of_the_wrong_type_is_explained_with_the_right_spelling(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "seconds": 4}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["violations"][0]
    assert finding["code"] == "SC102"
    assert finding["pointer"] == "/seconds"
    assert finding["fix"] == 'send it as text: "seconds": "4"'
    assert finding["source"].startswith("https://")
    assert "ZN-" in finding["source"]


def test_unknown_field_names_what_it_is_called_here(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "duration": 4}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["violations"][0]
    assert (finding["code"], finding["pointer"]) == ("SC103", "/duration")
    assert finding["fix"] == "leave 'duration' out (this provider may call it 'seconds')"


def test_size_that_nobody_offers_lists_the_sizes(world: MockWorld) -> None:
    account = world.account("znapai")
    body = {"model": "sora-2", "prompt": "A lamp", "size": "1920x1080"}

    account.client.post("/v1/videos", json=body)

    finding = _last(world)["violations"][0]
    assert finding["code"] == "SC108"
    assert "1280x720" in finding["fix"]


def test_unknown_route_names_the_nearest(ozor: Account) -> None:
    answer = ozor.client.post("/api/v1/vidoes/generate", json={"prompt": "A lamp"})

    line = _last(ozor.world)
    assert answer.status == 404
    assert line["near_misses"][0] == "POST /api/v1/videos/generate"
    assert line["violations"][0]["code"] == "SC110"
    assert line["violations"][0]["fix"] == "did you mean POST /api/v1/videos/generate?"


def test_wrong_auth_scheme_is_recognised(world: MockWorld) -> None:
    account = world.account("ozor")

    world.anonymous("ozor").get(
        "/api/v1/videos", headers={"Authorization": f"Bearer {account.api_key}"}
    )

    finding = _last(world)["violations"][0]
    assert finding["code"] == "SC104"
    assert finding["expected"] == "X-API-Key: KEY"
    assert finding["actual"] == "Authorization: Bearer …"


def test_missing_trailing_slash_is_recognised(world: MockWorld) -> None:
    account = world.account("oshara")

    answer = account.client.get("/api/video-jobs")

    assert answer.status == 301
    assert _last(world)["violations"][0]["code"] == "SC112"


@pytest.mark.parametrize(
    ("path", "provenance"), [("/api/v1/videos", "documented"), ("/nowhere", "assumed")]
)
def test_journal_says_where_a_route_comes_from(ozor: Account, path: str, provenance: str) -> None:
    ozor.client.get(path)

    assert _last(ozor.world)["provenance"] == provenance


def test_good_request_has_no_findings(ozor: Account) -> None:
    ozor.client.get("/api/v1/videos")

    assert "violations" not in _last(ozor.world)

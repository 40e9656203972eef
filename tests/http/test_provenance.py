"""The journal says what each answer rests on: documented, inferred or assumed."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld


def _last(world: MockWorld) -> Json:
    return world.requests()[-1]


ULAZAI_TEXT = "/api/v1/sora/generate/text-to-video/"
UGC_SCENE = {"visualPrompt": "A lamp"}
UGC_BODY = {"data": {"engine": "sora", "scene": UGC_SCENE}}
#: Provider, method, path, JSON body, status, and what the answer rests on.
SAMPLES: list[tuple[str, str, str, Json, int, str]] = [
    ("ozor", "GET", "/api/v1/videos", None, 200, "documented"),
    ("ozor", "GET", "/api/v1/videos/zzzzzzzzzzzz", None, 404, "documented"),
    (
        "ozor",
        "DELETE",
        "/api/api-keys/zzzzzzzzzzzz",
        None,
        401,
        "documented",
    ),  # no method is printed
    ("ozor", "PUT", "/api/v1/videos", None, 405, "assumed"),
    ("ozor", "GET", "/nowhere", None, 404, "assumed"),
    ("znapai", "POST", "/v1/videos", {"model": "sora-2", "prompt": "A"}, 200, "inferred"),
    ("znapai", "POST", "/v1/videos", {"model": "sora-2", "prompt": 5}, 400, "documented"),
    ("znapai", "GET", "/v1/videos", None, 200, "inferred"),  # OpenAI's, not ZnapAI's
    ("znapai", "GET", "/v1/videos/none", None, 404, "inferred"),
    ("ugc_copilot", "POST", "/proxyStartVideoGeneration", UGC_BODY, 200, "documented"),
    ("ugc_copilot", "POST", "/proxyStartVideoGeneration", {}, 400, "inferred"),
    ("ugc_copilot", "POST", "/freeTrendAnalyzer", {"data": {}}, 400, "inferred"),
    ("ugc_copilot", "POST", "/proxyNothing", {}, 404, "assumed"),
    ("ulazai", "POST", ULAZAI_TEXT, {"prompt": "A"}, 201, "documented"),
    ("ulazai", "POST", ULAZAI_TEXT, {}, 400, "documented"),
    ("ulazai", "DELETE", ULAZAI_TEXT, None, 405, "assumed"),
    ("oshara", "GET", "/api/video-jobs/stats/", None, 200, "documented"),
    ("oshara", "GET", "/api/video-jobs/9/", None, 404, "inferred"),
    ("oshara", "POST", "/api/video-jobs/", {}, 415, "inferred"),
]


@pytest.mark.parametrize(("provider", "method", "path", "body", "status", "provenance"), SAMPLES)
def test_journal_says_what_an_answer_rests_on(
    world: MockWorld,
    provider: str,
    method: str,
    path: str,
    body: Json,
    status: int,
    provenance: str,
) -> None:
    world.account(provider).client.request(method, path, json=body)

    line = _last(world)
    assert (line["response"]["status"], line["provenance"]) == (status, provenance)


def test_answer_of_a_set_outcome_is_assumed(ozor: Account) -> None:
    fault = {"type": "http_error", "where": {"provider": "ozor"}, "attributes": {"status": 500}}
    ozor.world.control.post(f"{ozor.world.path}/faults", json=fault)

    ozor.client.post("/api/v1/documents/analyze", form={"url": "https://example.com/"})

    assert _last(ozor.world)["provenance"] == "assumed"


def test_answer_outside_the_contract_is_assumed(ozor: Account) -> None:
    ozor.world.choose(ozor__validation_status="fastapi_422")

    ozor.client.post("/api/v1/videos/generate", json={})

    line = _last(ozor.world)
    assert (line["response"]["status"], line["provenance"]) == (422, "assumed")

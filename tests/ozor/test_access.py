"""Access: no key and a bad key get 401, resources of other accounts get 403, no call gets 429."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from screentest.specs.json_types import Json

from ..mock_client import Account, Client, MockWorld
from . import steps

#: Each operation that wants an API key: method, path, body.
PUBLIC: list[tuple[str, str, Json]] = [
    ("POST", "/api/v1/videos/generate", {"prompt": "A lamp"}),
    ("GET", "/api/v1/videos", None),
    ("GET", "/api/v1/videos/{video}", None),
    ("POST", "/api/v1/videos/{video}/export", {}),
    ("POST", "/api/v1/videos/{video}/message", {"message": "Slower"}),
    ("GET", "/api/v1/videos/{video}/jobs/{job}", None),
    ("GET", "/api/v1/videos/{video}/conversations/{conversation}/tool-trace", None),
    ("GET", "/api/v1/documents/voices", None),
    ("POST", "/api/v1/documents/analyze", None),
    ("GET", "/api/v1/documents/plans/{plan}", None),
    ("PATCH", "/api/v1/documents/plans/{plan}", {}),
    ("POST", "/api/v1/documents/plans/{plan}/generate", None),
]
OWNED = [call for call in PUBLIC if "{" in call[1]]
READS = [call for call in OWNED if call[0] == "GET"]
CHANGES = [call for call in OWNED if call[0] != "GET"]


def name_of(call: tuple[str, str, Json]) -> str:
    return f"{call[0]} {call[1]}"


def call_with(client: Client, call: tuple[str, str, Json], **ids: str) -> Any:
    method, path, body = call
    form = {"url": "https://example.com/"} if path.endswith("/analyze") else None
    return client.request(method, path.format(**ids), json=body, form=form)


@pytest.fixture
def ids_of_neighbour(neighbour: Account) -> dict[str, str]:
    """Real ids of another account, one for each place in a path."""
    submitted = steps.generate(neighbour)
    steps.finish_job(neighbour, submitted)
    return {
        "video": submitted["videoId"],
        "job": submitted["jobId"],
        "conversation": steps.conversation(neighbour, submitted),
        "plan": steps.analyze(neighbour)["planId"],
    }


NOWHERE = {
    "video": steps.NO_VIDEO,
    "job": steps.NO_JOB,
    "conversation": steps.NO_CONVERSATION,
    "plan": steps.NO_PLAN,
}


@pytest.mark.clause("OZ-001")
def test_contract_names_the_service_and_its_paths() -> None:
    contract = yaml.safe_load((steps.SPEC / "openapi.yaml").read_text())

    public = [path for path in contract["paths"] if not path.startswith("/api/api-keys")]
    assert contract["servers"][0]["url"] == "https://ozor.ai"
    assert len(public) == 11
    assert all(path.startswith("/api/v1/") for path in public)


@pytest.mark.clause("OZ-001")
def test_public_paths_are_below_their_version(ozor: Account) -> None:
    assert ozor.client.get("/api/v1/videos").status == 200
    assert steps.refusal(ozor.client.get("/videos"))[0] == 404
    assert steps.refusal(ozor.client.get("/api/videos"))[0] == 404


@pytest.mark.clause("OZ-031")
@pytest.mark.parametrize("call", PUBLIC, ids=name_of)
def test_without_a_key_everything_public_is_401(
    world: MockWorld, call: tuple[str, str, Json]
) -> None:
    answer = call_with(world.anonymous("ozor"), call, **NOWHERE)

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("OZ-032")
@pytest.mark.parametrize("call", PUBLIC, ids=name_of)
def test_unknown_key_is_401_everywhere(ozor: Account, call: tuple[str, str, Json]) -> None:
    """The key has the right form and was never issued."""
    unknown = "sk_live_" + "0" * 32

    answer = call_with(steps.with_key(ozor, unknown), call, **NOWHERE)

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("OZ-032")
@pytest.mark.parametrize("key", ["", "sk_live_", "Bearer", "sk_test_0123", "é"])
def test_malformed_key_is_401(ozor: Account, key: str) -> None:
    assert steps.refusal(steps.with_key(ozor, key).get(steps.VIDEOS)) == (401, "auth")


@pytest.mark.clause("OZ-002")
def test_key_is_read_from_its_header_alone(ozor: Account) -> None:
    stranger = ozor.world.anonymous("ozor")

    as_bearer = stranger.get(steps.VIDEOS, headers={"Authorization": f"Bearer {ozor.api_key}"})
    in_query = stranger.get(steps.VIDEOS, query={"api_key": ozor.api_key})
    in_header = stranger.get(steps.VIDEOS, headers={"X-API-Key": ozor.api_key})

    assert [as_bearer.status, in_query.status, in_header.status] == [401, 401, 200]


@pytest.mark.clause("OZ-032")
def test_key_of_another_world_is_unknown(world: MockWorld, other_world: MockWorld) -> None:
    stranger = other_world.account("ozor")
    client = Client(world.wsgi, f"/w/{world.id}/ozor", stranger.client.headers)

    assert steps.refusal(client.get(steps.VIDEOS)) == (401, "auth")


@pytest.mark.clause("OZ-033", "OZ-034", "OZ-145", "OZ-092", "OZ-185")
@pytest.mark.parametrize("call", READS, ids=name_of)
def test_reading_what_another_account_owns_is_403(
    ozor: Account, ids_of_neighbour: dict[str, str], call: tuple[str, str, Json]
) -> None:
    answer = call_with(ozor.client, call, **ids_of_neighbour)

    assert steps.refusal(answer) == (403, "ownership")


@pytest.mark.clause("OZ-033", "OZ-035", "OZ-122", "OZ-134", "OZ-199", "OZ-215")
@pytest.mark.parametrize("call", CHANGES, ids=name_of)
def test_changing_what_another_account_owns_is_403_and_changes_nothing(
    ozor: Account, neighbour: Account, ids_of_neighbour: dict[str, str], call: tuple[str, str, Json]
) -> None:
    before = _shape(neighbour, ids_of_neighbour)

    answer = call_with(ozor.client, call, **ids_of_neighbour)

    assert steps.refusal(answer) == (403, "ownership")
    assert _shape(neighbour, ids_of_neighbour) == before
    assert ozor.money == (10, 0, 0)


def _shape(account: Account, ids: dict[str, str]) -> tuple[Json, Json, int]:
    """What of the account could have changed."""
    plan = steps.plan(account, ids["plan"])
    return steps.video(account, ids["video"]), plan["scenes"][0]["voiceoverText"], plan["updatedAt"]


@pytest.mark.clause("OZ-034", "OZ-033")
def test_two_keys_of_one_account_share_what_it_owns(ozor: Account) -> None:
    video_id = steps.make_video(ozor)
    second = steps.with_key(ozor, steps.create_key(ozor)["rawKey"])

    assert second.get(f"{steps.VIDEOS}/{video_id}").status == 200


@pytest.mark.clause("OZ-091", "OZ-122", "OZ-134", "OZ-143", "OZ-153", "OZ-185", "OZ-199", "OZ-215")
@pytest.mark.parametrize("call", OWNED, ids=name_of)
def test_id_that_does_not_exist_is_404(ozor: Account, call: tuple[str, str, Json]) -> None:
    answer = call_with(ozor.client, call, **NOWHERE)

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-036")
def test_many_calls_in_a_row_are_never_rate_limited(ozor: Account) -> None:
    """The clock is manual, so all calls happen at one instant."""
    calls: list[Callable[[], Any]] = [
        lambda: ozor.client.get(steps.VIDEOS),
        lambda: ozor.client.get(steps.VOICES),
        lambda: ozor.client.post(steps.GENERATE, json={"prompt": ""}),
    ]

    statuses = {calls[number % 3]().status for number in range(300)}

    assert statuses == {200, 400}

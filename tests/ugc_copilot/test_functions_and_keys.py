"""Which functions there are, and whom a key lets in."""

from __future__ import annotations

import re

import pytest
import yaml

from screentest.specs.contracts.registry import load_contract

from ..mock_client import Account, MockWorld
from . import steps


@pytest.mark.clause("UG-001", "UG-002")
def test_sixteen_named_functions_are_served_by_post_and_the_document_by_get() -> None:
    operations = load_contract("ugc_copilot").operations.values()

    names = {(operation.method, operation.path) for operation in operations}

    assert names == {("POST", path) for path in (*steps.BODIES, *steps.FREE_BODIES)} | {
        ("POST", steps.CHECK),
        ("POST", steps.FETCH),
        ("POST", steps.STITCH),
        ("POST", steps.OVERLAY),
        ("GET", steps.DOCUMENT),
    }
    assert len(names) == 17


@pytest.mark.clause("UG-001")
@pytest.mark.parametrize("path", ["/proxyCreateTwin", "/proxyRegisterWebhook", "/", "/v1/videos"])
def test_function_whose_name_is_not_public_is_404(ugc: Account, path: str) -> None:
    answer = ugc.client.post(path, json={})

    assert steps.refusal(answer) == (404, "not-found")


@pytest.mark.clause("UG-002")
def test_function_is_not_called_by_get(ugc: Account) -> None:
    answer = ugc.client.get(steps.START)

    assert answer.status == 405
    assert answer.headers["allow"] == "POST"


@pytest.mark.clause("UG-003", "UG-004")
def test_key_begins_as_documented_and_opens_as_bearer_token(ugc: Account) -> None:
    answer = steps.with_key(ugc, ugc.api_key).post(steps.START, json=steps.body())

    assert ugc.api_key.startswith("ugc_live_")
    assert answer.status == 200


@pytest.mark.clause("UG-005")
@pytest.mark.parametrize("path", sorted(steps.BODIES))
def test_call_without_a_key_is_401(world: MockWorld, path: str) -> None:
    answer = world.anonymous("ugc_copilot").post(path, json=steps.BODIES[path])

    assert steps.refusal(answer) == (401, "unauthenticated")
    assert answer.json()["error"]["type"] == "authentication"


@pytest.mark.clause("UG-006", "UG-003")
@pytest.mark.parametrize(
    "header", ["Bearer nothing", "Token {key}", "{key}", "Bearer", "Basic abc"]
)
def test_unknown_key_or_one_in_another_form_is_401(ugc: Account, header: str) -> None:
    headers = {"Authorization": header.format(key=ugc.api_key)}

    answer = ugc.world.anonymous("ugc_copilot").post(
        steps.START, json=steps.body(), headers=headers
    )

    assert steps.refusal(answer) == (401, "unauthenticated")
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-074")
def test_key_reaches_nothing_of_another_account(ugc: Account, neighbour: Account) -> None:
    operation = steps.start(ugc)
    uri = steps.uri_of(steps.finish(ugc, operation))
    url = steps.fetch(ugc, uri)["videoUrl"]

    answers = [
        steps.try_check(neighbour, operation),
        neighbour.client.post(steps.FETCH, json={"uri": uri, "engine": "sora"}),
        neighbour.client.post(steps.STITCH, json={"videoUrls": [url]}),
        neighbour.client.post(steps.OVERLAY, json={"videoUri": url, "overlays": [{"text": "x"}]}),
    ]

    assert [steps.refusal(answer) for answer in answers] == [
        (404, "not-found"),
        (404, "not-found"),
        (400, "invalid-argument"),
        (400, "invalid-argument"),
    ]
    assert neighbour.money == (1_000, 0, 0)


@pytest.mark.clause("UG-074")
def test_render_is_paid_by_the_account_of_the_key(ugc: Account, neighbour: Account) -> None:
    steps.start(ugc)

    assert (ugc.money, neighbour.money) == ((982, 0, 18), (1_000, 0, 0))


@pytest.mark.clause("UG-075")
def test_revoked_key_opens_nothing(ugc: Account) -> None:
    operation = steps.start(ugc)

    ugc.world.change(f"accounts/{ugc.id}", {"api_key_revoked": True})
    answers = [steps.try_check(ugc, operation), steps.try_start(ugc)]

    assert [steps.refusal(answer) for answer in answers] == [(401, "unauthenticated")] * 2


@pytest.mark.clause("UG-076", "UG-037")
@pytest.mark.parametrize("tier", ["starter", "pro", "business"])
def test_every_tier_pays_the_same(world: MockWorld, tier: str) -> None:
    account = world.account("ugc_copilot", credits=100, tier=tier)

    assert steps.price(account, "sora", duration=8) == 18


@pytest.mark.clause("UG-037")
def test_new_account_has_the_smallest_pack(world: MockWorld) -> None:
    assert world.account("ugc_copilot").money == (200, 0, 0)


@pytest.mark.clause("UG-036", "UG-037")
def test_packs_cost_what_is_published() -> None:
    behaviour = yaml.safe_load(steps.SPEC.joinpath("behaviour.yaml").read_text())
    packs = behaviour["facts"]["prices"]["packs_usd"]

    cents = {credits: usd * 100 / int(credits) for credits, usd in packs.items()}

    assert (cents["200"], cents["10000"]) == (12.5, 7.0)
    assert 18 * cents["10000"] == 126


@pytest.mark.clause("UG-079", "UG-002")
def test_contract_is_openapi_3_1_at_the_documented_host() -> None:
    document = yaml.safe_load(steps.SPEC.joinpath("openapi.yaml").read_text())

    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert document["servers"][0]["url"] == (
        "https://us-central1-viral-ugc-copilot.cloudfunctions.net"
    )


@pytest.mark.clause("UG-037")
def test_world_tells_clients_where_to_call_and_with_which_key(world: MockWorld) -> None:
    detail = world.control.get(world.path).json()["env"]

    assert detail["UGC_COPILOT_BASE_URL"].endswith(f"/w/{world.id}/ugc_copilot")
    assert detail["UGC_COPILOT_API_KEY"].startswith("ugc_live_")

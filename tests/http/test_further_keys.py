"""Further keys of an account: they open the same things, beside the keys that it has."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld

#: Provider, method, path, JSON body, and the status that only a good key gets.
CALLS: list[tuple[str, str, str, Json, int]] = [
    ("oshara", "GET", "/api/video-jobs/", None, 200),
    ("ozor", "GET", "/api/v1/videos", None, 200),
    ("ugc_copilot", "POST", "/proxyFetchFullMarketAnalysis", {"industry": "Gaming & eSports"}, 200),
    ("ulazai", "GET", "/api/v1/sora/status/sra_2_0000000000000000/", None, 404),
    ("znapai", "GET", "/v1/videos", None, 200),
]


@pytest.mark.parametrize(("provider", "method", "path", "body", "status"), CALLS)
def test_further_key_opens_what_the_first_one_opens(
    world: MockWorld, provider: str, method: str, path: str, body: Json, status: int
) -> None:
    account = world.account(provider)
    ((header, first),) = account.client.headers.items()
    further = first.replace(account.api_key, account.further_keys()["api_key"])

    statuses = [
        account.client.request(method, path, json=body, headers={header: value}).status
        for value in (first, further, further + "x")
    ]

    assert further != first
    assert statuses == [status, status, 401]


def test_further_key_pays_from_the_same_balance(world: MockWorld) -> None:
    account = world.account("ulazai")
    key = account.further_keys()["api_key"]

    account.client.post(
        "/api/v1/sora/generate/text-to-video/",
        json={"prompt": "A lamp"},
        headers={"Authorization": f"Token {key}"},
    )

    assert account.money == (930, 0, 70)


def test_account_with_all_keys_that_the_provider_allows_gets_no_more(ozor: Account) -> None:
    """OZ-007: five active keys."""
    for _ in range(4):
        ozor.further_keys()
    before = ozor.world.control.get(ozor.world.path).content

    refused = ozor.world.control.post(f"{_path(ozor)}/keys", json={})

    assert (refused.status, refused.json()["code"]) == (409, "too_many")
    assert refused.json()["detail"] == (
        f"account {ozor.id} has 5 active keys and may have 5; revoke one"
    )
    assert ozor.world.control.get(ozor.world.path).content == before


def test_number_of_keys_has_a_limit_where_the_provider_has_none(world: MockWorld) -> None:
    account = world.account("znapai")
    for _ in range(99):
        account.further_keys()

    refused = world.control.post(f"{_path(account)}/keys", json={})

    assert (refused.status, refused.json()["code"]) == (409, "too_many")


def test_keys_of_an_unknown_account_are_refused(world: MockWorld) -> None:
    answer = world.control.post(f"{world.path}/accounts/acct_999/keys", json={})

    assert answer.status == 404


def _path(account: Account) -> str:
    return f"{account.world.path}/accounts/{account.id}"

"""Bearer tokens, what happens without a good one, and paths that end with a slash."""

from __future__ import annotations

import pytest
import yaml

from ..mock_client import Account, MockWorld
from . import steps

CALLS = [
    ("POST", steps.JOBS),
    ("GET", steps.JOBS),
    ("GET", steps.STATS),
    ("GET", steps.NO_JOB),
    ("POST", steps.VIDEO_ONLY),
]
CHALLENGE = 'Bearer realm="api"'
BAD_HEADER = {
    "detail": "Authorization header must contain two space-delimited values",
    "code": "bad_authorization_header",
}


def bad_token(message: str) -> dict[str, object]:
    return {
        "detail": "Given token not valid for any token type",
        "code": "token_not_valid",
        "messages": [{"token_class": "AccessToken", "token_type": "access", "message": message}],
    }


@pytest.mark.clause("OS-001")
def test_contract_names_the_service_and_its_paths() -> None:
    contract = yaml.safe_load((steps.SPEC / "openapi.yaml").read_text())

    assert contract["servers"][0]["url"] == "https://api.oshara.ai"
    assert len(contract["paths"]) == 6
    assert all(path.endswith("/") for path in contract["paths"])


@pytest.mark.clause("OS-001")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_path_without_its_slash_is_redirected_to_the_one_with(
    oshara: Account, method: str, path: str
) -> None:
    answer = oshara.client.request(method, path.rstrip("/"), query={"page": 2})

    assert answer.status == 301
    assert answer.headers["location"] == f"{oshara.client.base}{path}?page=2"
    assert answer.content == b""


@pytest.mark.clause("OS-002")
def test_bearer_token_opens_every_call(oshara: Account) -> None:
    client = steps.with_token(oshara, f"Bearer {oshara.api_key}")

    answers = [client.request(method, path) for method, path in CALLS]

    assert [answer.status for answer in answers] == [400, 200, 200, 404, 400]


@pytest.mark.clause("OS-003")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_call_without_a_token_is_401(world: MockWorld, method: str, path: str) -> None:
    answer = world.anonymous("oshara").request(method, path)

    assert answer.status == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.clause("OS-003")
@pytest.mark.parametrize("header", ["Token {key}", "Basic {key}", "{key}"])
def test_token_under_another_scheme_counts_as_none(oshara: Account, header: str) -> None:
    client = steps.with_token(oshara, header.format(key=oshara.api_key))

    answer = client.get(steps.JOBS)

    assert answer.status == 401
    assert answer.json() == {"detail": "Authentication credentials were not provided."}


@pytest.mark.clause("OS-003", "OS-004")
@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer {key} more"])
def test_header_that_is_not_two_words_says_so(oshara: Account, header: str) -> None:
    client = steps.with_token(oshara, header.format(key=oshara.api_key))

    answer = client.get(steps.JOBS)

    assert (answer.status, answer.json()) == (401, BAD_HEADER)
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.clause("OS-004")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_unknown_token_is_401(oshara: Account, method: str, path: str) -> None:
    answer = steps.with_token(oshara, f"Bearer {oshara.api_key}x").request(method, path)

    assert (answer.status, answer.json()) == (401, bad_token("Token is invalid"))
    assert answer.headers["www-authenticate"] == CHALLENGE


@pytest.mark.clause("OS-004")
def test_token_of_another_provider_is_401(world: MockWorld, oshara: Account) -> None:
    stranger = world.account("ozor").api_key

    answer = steps.with_token(oshara, f"Bearer {stranger}").get(steps.JOBS)

    assert (answer.status, answer.json()) == (401, bad_token("Token is invalid"))


@pytest.mark.clause("OS-004")
def test_token_of_a_closed_account_is_401(world: MockWorld, oshara: Account) -> None:
    world.change(f"accounts/{oshara.id}", {"api_key_revoked": True})

    answer = oshara.client.get(steps.JOBS)

    assert answer.status == 401
    assert answer.json() == {"detail": "User is inactive", "code": "user_inactive"}


@pytest.mark.clause("OS-003")
def test_missing_token_is_refused_first(world: MockWorld) -> None:
    answer = world.anonymous("oshara").post(steps.JOBS, json={"title": 7})

    assert answer.status == 401

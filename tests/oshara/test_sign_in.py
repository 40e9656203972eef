"""Signing in and refreshing, for clients that insist on fetching their own tokens (S21, S26)."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account
from . import steps
from .test_access import bad_token

DAY_MS = 24 * HOUR_MS


def sign_in(account: Account) -> Json:
    body = {"email": f"{account.id}@example.com", "password": "screentest"}
    return steps.accepted(account.client.post(steps.LOGIN, json=body))


@pytest.mark.clause("OS-002")
def test_signing_in_gives_a_token_that_opens_the_account(oshara: Account) -> None:
    job = steps.create(oshara)

    tokens = sign_in(oshara)
    answer = steps.with_token(oshara, f"Bearer {tokens['access']}").get(steps.JOBS)

    assert set(tokens) == {"access", "refresh"}
    assert [shown["id"] for shown in answer.json()] == [job["id"]]


@pytest.mark.clause("OS-002")
def test_signing_in_needs_no_token(oshara: Account) -> None:
    body = {"email": f"{oshara.id}@example.com", "password": "screentest"}

    answer = oshara.world.anonymous("oshara").post(steps.LOGIN, json=body)

    assert answer.status == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("{id}@example.com", "wrong"),
        ("{id}", "screentest"),
        ("nobody@example.com", "screentest"),
        ("{other}@example.com", "screentest"),
    ],
)
def test_wrong_address_or_password_is_401(oshara: Account, email: str, password: str) -> None:
    other = oshara.world.account("ozor")
    body = {"email": email.format(id=oshara.id, other=other.id), "password": password}

    answer = oshara.client.post(steps.LOGIN, json=body)

    assert answer.status == 401
    assert answer.json() == {"detail": "No active account found with the given credentials"}
    assert answer.headers["www-authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (
            {},
            {"email": ["This field is required."], "password": ["This field is required."]},
        ),
        (
            {"email": "", "password": None},
            {
                "email": ["This field may not be blank."],
                "password": ["This field may not be null."],
            },
        ),
        ({"email": [], "password": "x"}, {"email": ["Not a valid string."]}),
        ([], {"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}),
    ],
)
def test_sign_in_that_lacks_something_is_400(oshara: Account, body: Json, messages: Json) -> None:
    answer = oshara.client.post(steps.LOGIN, json=body)

    assert (answer.status, answer.json()) == (400, messages)


def test_sign_in_without_json_is_400(oshara: Account) -> None:
    answer = oshara.client.post(steps.LOGIN, raw=b"{", headers={"Content-Type": "application/json"})

    assert answer.status == 400
    assert answer.json()["detail"].startswith("JSON parse error - ")


def test_access_token_lives_ten_days(oshara: Account) -> None:
    client = steps.with_token(oshara, f"Bearer {sign_in(oshara)['access']}")

    oshara.world.advance(10 * DAY_MS - 1)
    before = client.get(steps.JOBS)
    oshara.world.advance(1)
    after = client.get(steps.JOBS)

    assert before.status == 200
    assert (after.status, after.json()) == (401, bad_token("Token is expired"))
    assert after.headers["x-screentest-reason"] == "auth"


def test_token_from_the_control_api_does_not_expire(oshara: Account) -> None:
    oshara.world.advance(300 * DAY_MS)

    assert oshara.client.get(steps.JOBS).status == 200


def test_refresh_token_gives_another_access_token(oshara: Account) -> None:
    tokens = sign_in(oshara)
    oshara.world.advance(29 * DAY_MS)

    fresh = steps.accepted(oshara.client.post(steps.REFRESH, json={"refresh": tokens["refresh"]}))
    answer = steps.with_token(oshara, f"Bearer {fresh['access']}").get(steps.JOBS)

    assert set(fresh) == {"access"}
    assert fresh["access"] != tokens["access"]
    assert answer.status == 200


def test_refresh_token_lives_thirty_days(oshara: Account) -> None:
    tokens = sign_in(oshara)
    oshara.world.advance(30 * DAY_MS)

    answer = oshara.client.post(steps.REFRESH, json={"refresh": tokens["refresh"]})

    assert answer.status == 401
    assert answer.json() == {"detail": "Token is expired", "code": "token_not_valid"}


@pytest.mark.parametrize("kind", ["access", "nonsense"])
def test_only_a_refresh_token_refreshes(oshara: Account, kind: str) -> None:
    sent = sign_in(oshara).get(kind, "nonsense")

    answer = oshara.client.post(steps.REFRESH, json={"refresh": sent})

    assert answer.status == 401
    assert answer.json() == {"detail": "Token is invalid", "code": "token_not_valid"}


@pytest.mark.clause("OS-004")
def test_refresh_token_opens_nothing_else(oshara: Account) -> None:
    client = steps.with_token(oshara, f"Bearer {sign_in(oshara)['refresh']}")

    answer = client.get(steps.JOBS)

    assert (answer.status, answer.json()) == (401, bad_token("Token has wrong type"))


def test_refresh_without_a_token_is_400(oshara: Account) -> None:
    answer = oshara.client.post(steps.REFRESH, json={})

    assert (answer.status, answer.json()) == (400, {"refresh": ["This field is required."]})

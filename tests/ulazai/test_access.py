"""Who may do what: no key and bad keys get 401, other people's tasks 404."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer, Client, MockWorld
from . import steps

#: Every operation: method, path, body.
CALLS: list[tuple[str, str, Json]] = [
    ("POST", steps.TEXT, steps.TEXT_BODY),
    ("POST", steps.IMAGE, steps.IMAGE_BODY),
    ("GET", steps.status_path(steps.NO_TASK), None),
]

everywhere = pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]} {call[1]}")


def send(client: Client, call: tuple[str, str, Json], **headers: str) -> Answer:
    method, path, body = call
    return client.request(method, path, json=body, headers=headers)


def headers_with(account: Account, form: str) -> Client:
    return steps.with_header(account, form.format(key=account.api_key))


@pytest.mark.clause("UL-002")
def test_key_is_sent_after_the_word_token(ulazai: Account) -> None:
    stranger = ulazai.world.anonymous("ulazai")
    header = {"Authorization": f"Token {ulazai.api_key}"}

    answer = stranger.post(steps.TEXT, json=steps.TEXT_BODY, headers=header)

    assert answer.status == 201


@pytest.mark.clause("UL-003")
@everywhere
def test_call_without_a_key_is_401(world: MockWorld, call: tuple[str, str, Json]) -> None:
    answer = send(world.anonymous("ulazai"), call)

    assert steps.refusal(answer) == (401, "auth")
    assert answer.json()["error"] == "No API key. Send it as Authorization: Token YOUR_API_KEY."
    assert answer.headers["www-authenticate"] == "Token"


@pytest.mark.clause("UL-003")
@pytest.mark.parametrize("name", ["X-API-Key", "Api-Key", "Cookie"])
def test_key_in_another_header_is_not_a_key(ulazai: Account, name: str) -> None:
    stranger = ulazai.world.anonymous("ulazai")

    answer = stranger.post(steps.TEXT, json=steps.TEXT_BODY, headers={name: ulazai.api_key})

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("UL-003")
def test_key_in_the_query_is_not_a_key(ulazai: Account) -> None:
    stranger = ulazai.world.anonymous("ulazai")

    answer = stranger.post(steps.TEXT, json=steps.TEXT_BODY, query={"token": ulazai.api_key})

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("UL-004")
@everywhere
def test_unknown_key_is_401(ulazai: Account, call: tuple[str, str, Json]) -> None:
    """The key has the right form."""
    unknown = "ulazai_live_" + "0" * 32

    answer = send(steps.with_header(ulazai, f"Token {unknown}"), call)

    assert steps.refusal(answer) == (401, "auth")
    assert answer.headers["www-authenticate"] == "Token"
    assert unknown not in answer.text


@pytest.mark.clause("UL-004")
@pytest.mark.parametrize(
    "form",
    [
        "Token",
        "Token ",
        "Bearer",
        "Basic {key}",
        "Token {key} more",
        "Token {key}0",
        "Token\t{key}",
        "Key {key}",
        "token=é",
    ],
)
def test_malformed_header_is_401(ulazai: Account, form: str) -> None:
    answer = headers_with(ulazai, form).post(steps.TEXT, json=steps.TEXT_BODY)

    assert steps.refusal(answer) == (401, "auth")
    assert ulazai.money == (1000, 0, 0)


@pytest.mark.clause("UL-002", "UL-074")
@pytest.mark.parametrize(
    "form", ["Token {key}", "token {key}", "Bearer {key}", "bearer {key}", "{key}"]
)
@everywhere
def test_token_bearer_and_the_bare_key_are_understood(
    ulazai: Account, call: tuple[str, str, Json], form: str
) -> None:
    answer = send(headers_with(ulazai, form), call)

    assert answer.status == (404 if call[0] == "GET" else 201)


@pytest.mark.clause("UL-074")
def test_all_forms_are_one_account(ulazai: Account) -> None:
    task_id = steps.from_text(ulazai)["task_id"]

    statuses = [
        headers_with(ulazai, form).get(steps.status_path(task_id)).status
        for form in ("Token {key}", "Bearer {key}", "{key}")
    ]

    assert statuses == [200, 200, 200]


@pytest.mark.clause("UL-075")
@pytest.mark.parametrize("form", ["Token {key}", "Bearer {key}", "{key}"])
@everywhere
def test_revoked_key_is_401(ulazai: Account, call: tuple[str, str, Json], form: str) -> None:
    ulazai.world.change(f"accounts/{ulazai.id}", {"api_key_revoked": True})

    answer = send(headers_with(ulazai, form), call)

    assert steps.refusal(answer) == (401, "auth")
    assert answer.json()["error"] == "This API key has been revoked."


@pytest.mark.clause("UL-075")
def test_task_of_a_revoked_key_goes_on(ulazai: Account) -> None:
    task_id = str(steps.from_text(ulazai)["task_id"])
    ulazai.world.change(f"accounts/{ulazai.id}", {"api_key_revoked": True})

    ulazai.world.advance_until_idle()

    assert steps.job(ulazai.world, task_id)["state"] == "success"


@pytest.mark.clause("UL-004")
def test_key_of_another_world_is_unknown(world: MockWorld, other_world: MockWorld) -> None:
    stranger = other_world.account("ulazai")
    client = Client(world.wsgi, f"/w/{world.id}/ulazai", stranger.client.headers)

    answer = client.post(steps.TEXT, json=steps.TEXT_BODY)

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("UL-072")
@pytest.mark.parametrize(
    "task_id", [steps.NO_TASK, "sra_2_1", "sra_1_0000000000000000", "7", "None", "..", "%00"]
)
def test_task_that_does_not_exist_is_404(ulazai: Account, task_id: str) -> None:
    answer = ulazai.client.get(steps.status_path(task_id))

    assert steps.refusal(answer)[0] == 404


@pytest.mark.clause("UL-073")
def test_task_of_another_account_is_404_as_if_it_did_not_exist(
    ulazai: Account, neighbour: Account
) -> None:
    theirs = str(steps.from_text(neighbour)["task_id"])

    answer = ulazai.client.get(steps.status_path(theirs))
    unknown = ulazai.client.get(steps.status_path(steps.NO_TASK))

    assert steps.refusal(answer) == (404, "not_found")
    assert answer.text.replace(theirs, steps.NO_TASK) == unknown.text
    assert answer.headers["x-screentest-reason"] == unknown.headers["x-screentest-reason"]

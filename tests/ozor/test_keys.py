"""API keys: made, listed and revoked with a Firebase token, never with a key."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account, Client, MockWorld, make_world
from . import steps

#: 2026-01-01T00:00:00Z, the first instant of a test's world.
START_MS = 1_767_225_600_000


@pytest.mark.clause("OZ-011", "OZ-014", "OZ-018")
def test_create_answers_the_whole_key_once(ozor: Account) -> None:
    answer = steps.firebase(ozor).post(steps.KEYS, json={"name": "Production"})

    assert answer.status == 200
    assert set(answer.json()) == {"keyId", "name", "prefix", "rawKey", "createdAt"}
    assert answer.json()["name"] == "Production"


@pytest.mark.clause("OZ-002", "OZ-011")
def test_each_call_looks_at_its_own_kind_of_credential_where_both_are_sent(
    ozor: Account, neighbour: Account
) -> None:
    """A client with one set of headers for every call sends the key and the token."""
    made = steps.create_key(ozor)
    both = {"Authorization": f"Bearer {ozor.bearer}", "X-API-Key": neighbour.api_key}

    listed = ozor.client.get(steps.KEYS, headers=both)
    videos = ozor.client.get(steps.VIDEOS, headers=both)

    assert made["keyId"] in {it["keyId"] for it in listed.json()}
    assert videos.status == 200


@pytest.mark.clause("OZ-003", "OZ-004", "OZ-020")
def test_key_has_its_documented_form(ozor: Account) -> None:
    made = steps.create_key(ozor)

    assert re.fullmatch(r"sk_live_[0-9a-f]{32}", made["rawKey"])
    assert len(made["rawKey"]) == 40
    assert made["prefix"] == made["rawKey"][:12]


@pytest.mark.clause("OZ-003", "OZ-004")
def test_key_of_a_new_account_has_the_same_form(ozor: Account) -> None:
    assert re.fullmatch(r"sk_live_[0-9a-f]{32}", ozor.api_key)


@pytest.mark.clause("OZ-019")
def test_key_is_dated_in_milliseconds(ozor: Account) -> None:
    ozor.world.advance(1_234)

    made = steps.create_key(ozor)

    assert made["createdAt"] == START_MS + 1_234
    assert isinstance(made["createdAt"], int)


@pytest.mark.clause("OZ-002", "OZ-003")
def test_new_key_opens_the_public_calls(ozor: Account) -> None:
    made = steps.create_key(ozor)

    answer = steps.with_key(ozor, made["rawKey"]).get(steps.VIDEOS)

    assert answer.status == 200


@pytest.mark.clause("OZ-005", "OZ-024")
def test_raw_key_is_shown_by_no_later_call(ozor: Account) -> None:
    made = steps.create_key(ozor)

    listed = steps.firebase(ozor).get(steps.KEYS)
    revoked = steps.revoke_key(ozor, made["keyId"])
    listed_again = steps.firebase(ozor).get(steps.KEYS)

    for answer in (listed, revoked, listed_again):
        assert made["rawKey"] not in answer.text
        assert "rawKey" not in answer.text


@pytest.mark.clause("OZ-006")
def test_raw_key_is_not_in_the_journal(ozor: Account) -> None:
    """Neither the call that made the key nor a call that carried it may keep it."""
    made = steps.create_key(ozor)
    steps.with_key(ozor, made["rawKey"]).get(steps.VIDEOS)

    journal = ozor.world.control.get(f"{ozor.world.path}/requests")

    assert journal.status == 200
    assert made["prefix"] in journal.text
    assert made["rawKey"] not in journal.text


@pytest.mark.clause("OZ-006")
def test_store_holds_the_digest_of_a_key_and_never_the_key(tmp_path: Path) -> None:
    """Every byte of the database is looked at, the write-ahead log included."""
    world = make_world(WsgiClient(create_app(database=tmp_path / "mock.db")))
    account = world.account("ozor")
    made = steps.create_key(account)
    steps.with_key(account, made["rawKey"]).get(steps.VIDEOS)

    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    digest = sha256(made["rawKey"].encode())
    assert made["rawKey"].encode() not in stored
    assert account.api_key.encode() not in stored
    assert digest.hexdigest().encode() in stored or digest.digest() in stored


@pytest.mark.clause("OZ-007", "OZ-008")
def test_sixth_active_key_is_refused(ozor: Account) -> None:
    """The account is born with one key, which counts."""
    for number in range(2, 6):
        steps.create_key(ozor, f"key {number}")

    sixth = steps.firebase(ozor).post(steps.KEYS, json={"name": "key 6"})

    assert steps.refusal(sixth)[0] == 400
    assert "5" in sixth.json()["detail"]
    assert len(steps.list_keys(ozor)) == 5


@pytest.mark.clause("OZ-009")
def test_revoking_one_of_five_makes_room(ozor: Account) -> None:
    made = [steps.create_key(ozor, f"key {number}") for number in range(2, 6)]
    steps.revoke_key(ozor, made[0]["keyId"])

    answer = steps.firebase(ozor).post(steps.KEYS, json={"name": "key 6"})

    assert answer.status == 200


@pytest.mark.clause("OZ-010")
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("GET", ""), ("DELETE", "/{key}")])
def test_api_key_does_not_manage_keys(ozor: Account, method: str, path: str) -> None:
    made = steps.create_key(ozor)
    body = {"name": "More"} if method == "POST" else None

    answer = ozor.client.request(method, steps.KEYS + path.format(key=made["keyId"]), json=body)

    assert steps.refusal(answer) == (401, "auth")


@pytest.mark.clause("OZ-010")
def test_api_key_is_not_a_bearer_token(ozor: Account) -> None:
    client = Client(ozor.client.wsgi, ozor.client.base, {"Authorization": f"Bearer {ozor.api_key}"})

    assert steps.refusal(client.get(steps.KEYS)) == (401, "auth")


@pytest.mark.clause("OZ-012")
@pytest.mark.parametrize(("method", "path"), [("POST", ""), ("GET", ""), ("DELETE", "/abc123xyz")])
def test_without_a_firebase_token_nothing_is_managed(ozor: Account, method: str, path: str) -> None:
    body = {"name": "Production"} if method == "POST" else None

    answer = ozor.world.anonymous("ozor").request(method, steps.KEYS + path, json=body)

    assert steps.refusal(answer) == (401, "auth")
    assert len(steps.list_keys(ozor)) == 1


@pytest.mark.clause("OZ-013")
@pytest.mark.parametrize("credential", ["Bearer not-a-token", "Bearer ", "Bearer", "Basic YTpi"])
def test_forged_firebase_token_is_refused(ozor: Account, credential: str) -> None:
    client = Client(ozor.client.wsgi, ozor.client.base, {"Authorization": credential})

    assert steps.refusal(client.get(steps.KEYS)) == (401, "auth")


@pytest.mark.clause("OZ-013")
def test_changed_firebase_token_is_refused(ozor: Account) -> None:
    assert ozor.bearer is not None
    changed = ozor.bearer[:-1] + ("a" if ozor.bearer[-1] != "a" else "b")
    client = Client(ozor.client.wsgi, ozor.client.base, {"Authorization": f"Bearer {changed}"})

    assert steps.refusal(client.get(steps.KEYS)) == (401, "auth")


@pytest.mark.clause("OZ-015", "OZ-016", "OZ-225")
@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "n" * 65}, {"name": None}, {"title": "Production"}]
)
def test_key_needs_a_name_of_1_to_64_characters(ozor: Account, body: Json) -> None:
    answer = steps.firebase(ozor).post(steps.KEYS, json=body)

    assert steps.refusal(answer) == (400, "validation")
    assert "name" in answer.json()["detail"]
    assert len(steps.list_keys(ozor)) == 1


@pytest.mark.clause("OZ-014")
@pytest.mark.parametrize("name", [5, True, ["Production"], {"text": "Production"}])
def test_name_is_a_text(ozor: Account, name: Json) -> None:
    answer = steps.firebase(ozor).post(steps.KEYS, json={"name": name})

    assert steps.refusal(answer) == (400, "validation")


@pytest.mark.clause("OZ-016")
@pytest.mark.parametrize("name", ["n", "n" * 64, "é" * 64, "🎬" * 64])
def test_name_of_1_and_of_64_characters_passes(ozor: Account, name: str) -> None:
    assert steps.create_key(ozor, name)["name"] == name


@pytest.mark.clause("OZ-017")
def test_revoked_key_fails_on_its_next_call(ozor: Account) -> None:
    made = steps.create_key(ozor)
    client = steps.with_key(ozor, made["rawKey"])
    before = client.get(steps.VIDEOS)
    steps.revoke_key(ozor, made["keyId"])

    after = client.get(steps.VIDEOS)

    assert before.status == 200
    assert steps.refusal(after) == (401, "auth")


@pytest.mark.clause("OZ-009", "OZ-017")
def test_revoking_one_key_leaves_the_others_alone(ozor: Account) -> None:
    steps.revoke_key(ozor, steps.create_key(ozor)["keyId"])

    assert ozor.client.get(steps.VIDEOS).status == 200


@pytest.mark.clause("OZ-021", "OZ-022", "OZ-023", "OZ-025")
def test_list_is_an_array_of_active_and_revoked_keys(ozor: Account) -> None:
    kept = steps.create_key(ozor, "Production")
    dropped = steps.create_key(ozor, "Old")
    steps.revoke_key(ozor, dropped["keyId"])

    answer = steps.firebase(ozor).get(steps.KEYS)

    assert answer.status == 200
    fields = {"keyId", "name", "prefix", "status", "createdAt", "lastUsedAt"}
    assert [set(item) for item in answer.json()] == [fields, fields, fields]
    status = {item["keyId"]: item["status"] for item in answer.json()}
    assert status[kept["keyId"]] == "active"
    assert status[dropped["keyId"]] == "revoked"


@pytest.mark.clause("OZ-023")
def test_list_repeats_the_answer_of_the_creation(ozor: Account) -> None:
    made = steps.create_key(ozor, "Production")

    (listed,) = [item for item in steps.list_keys(ozor) if item["keyId"] == made["keyId"]]

    assert listed == {
        "keyId": made["keyId"],
        "name": "Production",
        "prefix": made["prefix"],
        "status": "active",
        "createdAt": START_MS,
        "lastUsedAt": None,
    }


@pytest.mark.clause("OZ-026", "OZ-027")
def test_last_use_is_null_and_then_a_number_of_milliseconds(ozor: Account) -> None:
    made = steps.create_key(ozor)
    unused = _last_use(ozor, made["keyId"])
    ozor.world.advance(90_000)
    steps.with_key(ozor, made["rawKey"]).get(steps.VIDEOS)

    used = _last_use(ozor, made["keyId"])

    assert (unused, used) == (None, START_MS + 90_000)


def _last_use(account: Account, key_id: str) -> int | None:
    (last_use,) = [k["lastUsedAt"] for k in steps.list_keys(account) if k["keyId"] == key_id]
    assert last_use is None or isinstance(last_use, int)
    return last_use


@pytest.mark.clause("OZ-028")
def test_keys_of_another_account_are_not_listed(ozor: Account, neighbour: Account) -> None:
    theirs = steps.create_key(neighbour, "Theirs")

    listed = [item["keyId"] for item in steps.list_keys(ozor)]

    assert len(listed) == 1
    assert theirs["keyId"] not in listed


@pytest.mark.clause("OZ-029")
def test_revoking_names_the_key(ozor: Account) -> None:
    made = steps.create_key(ozor)

    answer = steps.revoke_key(ozor, made["keyId"])

    assert answer.status == 200
    assert answer.json() == {"message": f"API key {made['keyId']} revoked"}


@pytest.mark.clause("OZ-030")
def test_revoking_an_unknown_key_is_404(ozor: Account) -> None:
    answer = steps.revoke_key(ozor, steps.NO_KEY)

    assert steps.refusal(answer) == (404, "not_found")


@pytest.mark.clause("OZ-013")
def test_firebase_token_of_another_world_is_refused(
    world: MockWorld, other_world: MockWorld
) -> None:
    """Worlds never meet, so a session of one is a stranger in the next."""
    stranger = other_world.account("ozor")
    client = Client(world.wsgi, f"/w/{world.id}/ozor", steps.firebase(stranger).headers)

    assert steps.refusal(client.get(steps.KEYS)) == (401, "auth")


@pytest.mark.clause("OZ-013")
def test_firebase_token_runs_out_after_an_hour(ozor: Account) -> None:
    """A39; its successor works, and the account's API key has no such end."""
    token = ozor.further_keys()["bearer"]

    ozor.world.advance(HOUR_MS - 1)
    in_time = with_token(ozor, token).get(steps.KEYS)
    ozor.world.advance(1)
    too_late = with_token(ozor, token).get(steps.KEYS)
    renewed = with_token(ozor, ozor.further_keys()["bearer"]).get(steps.KEYS)

    assert (in_time.status, renewed.status) == (200, 200)
    assert steps.refusal(too_late) == (401, "auth")
    assert too_late.json() == {"detail": "Bearer token has expired. Log in again for a new one."}
    assert ozor.world.requests(code="SC403")[0]["response"]["status"] == 401
    assert ozor.client.get(steps.VIDEOS).status == 200


@pytest.mark.clause("OZ-013")
def test_first_token_of_an_account_never_runs_out(ozor: Account) -> None:
    """Tests jump over days."""
    ozor.world.advance(30 * 24 * HOUR_MS)

    assert steps.firebase(ozor).get(steps.KEYS).status == 200


def with_token(account: Account, token: str) -> Client:
    return Client(account.client.wsgi, account.client.base, {"Authorization": f"Bearer {token}"})

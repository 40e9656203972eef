"""Who may call, under which paths."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ..mock_client import Account, MockWorld
from . import steps

CALLS = [
    ("POST", "/v1/videos"),
    ("GET", "/v1/videos"),
    ("GET", f"/v1/videos/{steps.NO_VIDEO}"),
    ("DELETE", f"/v1/videos/{steps.NO_VIDEO}"),
    ("GET", f"/v1/videos/{steps.NO_VIDEO}/content"),
    ("POST", f"/v1/videos/{steps.NO_VIDEO}/remix"),
]


@pytest.mark.clause("ZN-002", "ZN-054", "ZN-067")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_call_without_a_key_is_401(world: MockWorld, method: str, path: str) -> None:
    answer = world.anonymous("znapai").request(method, path)

    assert answer.status == 401
    assert answer.json() == {
        "error": {
            "message": "Authentication Error, No api key passed in.",
            "type": "auth_error",
            "param": "None",
            "code": "401",
        }
    }


@pytest.mark.clause("ZN-055", "ZN-067")
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_call_with_an_unknown_key_is_401(world: MockWorld, method: str, path: str) -> None:
    key = "sk-nobody-has-this-1234"
    headers = {"Authorization": f"Bearer {key}"}

    answer = world.anonymous("znapai").request(method, path, headers=headers)

    assert answer.status == 401
    error = answer.json()["error"]
    assert (error["type"], error["param"], error["code"]) == ("token_not_found_in_db", "key", "401")
    assert "Received API Key = sk-...1234" in error["message"]
    assert sha256(key.encode()).hexdigest() in error["message"]


@pytest.mark.clause("ZN-055")
def test_revoked_key_is_401(znapai: Account) -> None:
    znapai.world.change(f"accounts/{znapai.id}", {"api_key_revoked": True})

    answer = znapai.client.get(steps.VIDEOS)

    assert (answer.status, answer.json()["error"]["code"]) == (401, "401")


@pytest.mark.clause("ZN-002")
@pytest.mark.parametrize("header", ["api-key", "x-api-key"])
def test_key_in_another_header_is_401(znapai: Account, header: str) -> None:
    """Z28: a client that relies on more than the documented header should learn so."""
    client = znapai.world.anonymous("znapai")

    answer = client.get(steps.VIDEOS, headers={header: znapai.api_key})

    assert answer.status == 401


@pytest.mark.clause("ZN-002")
def test_bearer_is_not_case_sensitive(znapai: Account) -> None:
    headers = {"Authorization": f"bearer {znapai.api_key}"}

    answer = znapai.world.anonymous("znapai").get(steps.VIDEOS, headers=headers)

    assert answer.status == 200


@pytest.mark.clause("ZN-001", "ZN-068")
def test_paths_work_with_and_without_version(znapai: Account) -> None:
    made = steps.accepted(znapai.client.post("/videos", json=steps.LEAST))
    znapai.world.advance_until_idle()
    path = f"/videos/{made['id']}"

    both = [(znapai.client.get(path), znapai.client.get(f"/v1{path}"))]
    both += [(znapai.client.get(f"{path}/content"), znapai.client.get(f"/v1{path}/content"))]
    both += [(znapai.client.get("/videos"), znapai.client.get("/v1/videos"))]

    assert [(one.status, one.content == other.content) for one, other in both] == [(200, True)] * 3


@pytest.mark.clause("ZN-068")
def test_errors_are_the_same_without_version(znapai: Account) -> None:
    body = {**steps.LEAST, "duration": "4"}

    plain = znapai.client.post("/videos", json=body)

    assert plain.content == znapai.client.post("/v1/videos", json=body).content


@pytest.mark.clause("ZN-031")
def test_video_of_another_account_is_not_found(znapai: Account, neighbour: Account) -> None:
    video_id = steps.finished(znapai)["id"]

    statuses = [
        neighbour.client.get(f"/v1/videos/{video_id}").status,
        neighbour.client.get(f"/v1/videos/{video_id}/content").status,
        neighbour.client.delete(f"/v1/videos/{video_id}").status,
        neighbour.client.post(f"/v1/videos/{video_id}/remix", json={"prompt": "x"}).status,
    ]

    assert statuses == [404, 404, 404, 404]
    assert steps.accepted(neighbour.client.get("/v1/videos"))["data"] == []


@pytest.mark.clause("ZN-001")
@pytest.mark.parametrize("path", ["/v1/nope", "/v2/videos", "/v1/videos/", "/v1"])
def test_unknown_path_is_404_in_the_words_of_the_framework(znapai: Account, path: str) -> None:
    answer = znapai.client.get(path)

    assert (answer.status, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.clause("ZN-053")
def test_content_needs_the_id_in_its_path(znapai: Account) -> None:
    """Without it, `content` is taken for the id."""
    assert znapai.client.get("/v1/videos/content").status == 404


@pytest.mark.clause("ZN-003")
def test_wrong_method_is_405_and_names_the_right_ones(znapai: Account) -> None:
    answer = znapai.client.request("PUT", steps.VIDEOS)

    assert (answer.status, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.headers["allow"] == "GET, POST"

"""`POST …/requests/verify`: count, order, absence, and the nearest miss."""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account
from tests.ozor.steps import GENERATE, VIDEOS


@pytest.fixture
def client(ozor: Account) -> Account:
    """An account whose client has ordered a lamp and listed its videos."""
    ozor.client.post(GENERATE, json={"prompt": "A lamp"})
    ozor.client.get(VIDEOS)
    return ozor


def _verified(account: Account, **wanted: Json) -> Json:
    path = f"{account.world.path}/requests/verify"
    answer = account.world.control.post(path, json=wanted)
    assert answer.status == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("wanted", "requests"),
    [
        ({"operations": ["generateVideo"]}, ["req_1"]),
        ({"operations": ["generateVideo"], "times": 1, "body": {"prompt": "A lamp"}}, ["req_1"]),
        ({"operations": ["exportVideo"], "times": 0}, []),
        ({"operations": ["generateVideo", "listVideos"], "status": 200}, ["req_1", "req_2"]),
        ({"operations": ["listVideos"], "provider": "ozor", "path": "/api/v1/videos"}, ["req_2"]),
    ],
)
def test_requests_are_as_wanted(client: Account, wanted: Json, requests: list[str]) -> None:
    assert _verified(client, **wanted) == {"holds": True, "detail": "", "requests": requests}


@pytest.mark.parametrize(
    ("wanted", "detail", "requests"),
    [
        (
            {"operations": ["generateVideo"], "body": {"prompt": "A chair"}},
            "expected at least one request to generateVideo with body={'prompt': 'A chair'}, got 0;"
            " nearest: req_1 POST /api/v1/videos/generate: body.prompt was 'A lamp'",
            [],
        ),
        (
            {"operations": ["listVideos"], "times": 0},
            "expected 0 requests to listVideos, got 1: req_2",
            ["req_2"],
        ),
        (
            {"operations": ["listVideos", "generateVideo"]},
            "expected generateVideo after req_2 (listVideos); the order was: "
            "generateVideo -> listVideos",
            ["req_2"],
        ),
    ],
)
def test_what_is_different_is_named(
    client: Account, wanted: Json, detail: str, requests: list[str]
) -> None:
    assert _verified(client, **wanted) == {"holds": False, "detail": detail, "requests": requests}


@pytest.mark.parametrize(
    ("wanted", "detail"),
    [
        (
            {"operations": ["listVideo"], "times": 0},
            "no operation 'listVideo'; did you mean 'listVideos'?",
        ),
        ({"operations": ["listVideos", "getJob"], "times": 1}, "times counts one operation"),
        ({"operations": []}, "operations: "),
        ({"operations": ["listVideos"], "time": 1}, "no field 'time'; did you mean 'times'?"),
    ],
)
def test_mistake_in_the_question_is_refused(client: Account, wanted: Json, detail: str) -> None:
    answer = client.world.control.post(f"{client.world.path}/requests/verify", json=wanted)

    assert 400 <= answer.status < 500
    assert detail in answer.json()["detail"]

"""What retires on a day: announced by headers, then answered 410, on the world's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.behaviour.retirement import Retirement, near_retirements
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError

from ..mock_client import Answer, MockWorld, make_world

_OPENAPI = """
openapi: 3.1.0
info: {title: Lamp}
security: [{key: []}]
paths:
  /videos:
    post:
      operationId: createVideo
      requestBody:
        content: {application/json: {schema: {type: object, properties: {model: {type: string}}}}}
      responses: {201: {description: Made, content: {application/json: {schema: {type: object}}}}}
  /videos/{id}:
    get:
      operationId: getVideo
      responses: {200: {description: It, content: {application/json: {schema: {type: object}}}}}
components: {securitySchemes: {key: {type: http, scheme: bearer}}}
"""
_BEHAVIOUR = """
behaviour: 1
provider: {id: lamp}
refusals: {order: [authentication, body, validation, existence]}
lifecycles:
  video:
    states:
      queued: {kind: waiting, lasts_ms: [1000, 1000]}
      done: {kind: succeeded}
      bad: {kind: failed}
    edges: {queued: [done, bad], done: [], bad: []}
resources: {video: {id: "v_{hex:8}", lifecycle: video}}
operations:
  createVideo:
    effect: write
    does: create
    starts: video
    models: {at: [body.model], names: [lamp-1, lamp-2]}
  getVideo: {effect: read, does: read, acts_on: [{resource: video, id: path.id}]}
"""
_MODEL = """
retires:
  - {day: "2026-02-01", announced: "2026-01-02", models: [lamp-1], link: "https://lamp.example/end"}
"""
_DAY_MS = 86_400_000
_ANNOUNCED = {
    "deprecation": "@1767312000",
    "sunset": "Sun, 01 Feb 2026 00:00:00 GMT",
    "link": '<https://lamp.example/end>; rel="sunset"',
}


def lamp(folder: Path, retires: str) -> MockWorld:
    """A world of a provider whose behaviour file ends with *retires*; it is 2026-01-01 in it."""
    (folder / "openapi.yaml").write_text(_OPENAPI)
    (folder / "behaviour.yaml").write_text(_BEHAVIOUR + retires)
    world = make_world(WsgiClient(create_app(contracts=[read_contract(folder)])))
    now = datetime.fromisoformat(world.control.get(world.path).json()["clock"]["now"])
    assert now == datetime(2026, 1, 1, tzinfo=UTC)
    return world


def announced(answer: Answer) -> dict[str, str]:
    return {name: answer.headers[name] for name in _ANNOUNCED if name in answer.headers}


def test_a_model_is_announced_and_then_gone(tmp_path: Path) -> None:
    world = lamp(tmp_path, _MODEL)
    account = world.account("lamp")

    first = account.client.post("/videos", json={"model": "lamp-1"})
    world.advance(_DAY_MS)
    second = account.client.post("/videos", json={"model": "lamp-1"})
    world.advance(30 * _DAY_MS)
    third = account.client.post("/videos", json={"model": "lamp-1"})
    other = account.client.post("/videos", json={"model": "lamp-2"})

    assert [it.status for it in (first, second, third, other)] == [201, 201, 410, 201]
    assert [announced(it) for it in (first, second, third, other)] == [
        {},
        _ANNOUNCED,
        _ANNOUNCED,
        {},
    ]
    assert third.headers["x-screentest-reason"] == "retired"
    assert "model lamp-1 retired on 2026-02-01" in third.text


def test_a_poll_that_is_remembered_ends_with_the_api(tmp_path: Path) -> None:
    world = lamp(tmp_path, 'retires: [{day: "2026-01-03"}]\n')
    account = world.account("lamp")
    path = f"/videos/{account.client.post('/videos', json={}).json()['id']}"

    world.advance(_DAY_MS)
    before = [account.client.get(path) for _ in range(3)]
    world.advance(_DAY_MS)
    after = account.client.get(path)

    assert [it.status for it in before] == [200, 200, 200]
    assert {it.headers["sunset"] for it in before} == {"Sat, 03 Jan 2026 00:00:00 GMT"}
    assert {it.headers["deprecation"] for it in before} == {"@1767398400"}
    assert (after.status, after.headers["deprecation"]) == (410, "@1767398400")


def test_an_operation_retires_alone(tmp_path: Path) -> None:
    world = lamp(tmp_path, 'retires: [{day: "2025-12-31", operations: [createVideo]}]\n')
    account = world.account("lamp")

    made, read = account.client.post("/videos", json={}), account.client.get("/videos/v_00000000")

    assert (made.status, read.status) == (410, 404)
    assert "sunset" not in read.headers


@pytest.mark.parametrize(
    ("retires", "problem"),
    [
        (
            '[{day: "2026-02-30"}]',
            "at retires/0/day: day is out of range for month",
        ),
        ('[{day: "soon"}]', '"soon" does not match'),
        ('[{day: "2026-02-01", models: [lamp-3]}]', "no model 'lamp-3'; did you mean 'lamp-"),
        ('[{day: "2026-02-01", operations: [makeVideo]}]', "no operation 'makeVideo'"),
    ],
)
def test_a_wrong_retirement_is_refused(tmp_path: Path, retires: str, problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        lamp(tmp_path, f"retires: {retires}\n")


def test_what_retires_within_thirty_days_is_near() -> None:
    ends = [
        Retirement(day="2026-01-01", models=frozenset({"lamp-1"})),
        Retirement(day="2026-03-03", operations=frozenset({"createVideo"})),
        Retirement(day="2026-03-04"),
    ]

    near = list(near_retirements(ends, datetime(2026, 2, 1, tzinfo=UTC).date()))

    assert near == [
        "model lamp-1 retired on 2026-01-01",
        "operation createVideo retires on 2026-03-03, in 30 days",
    ]


@pytest.mark.parametrize(
    ("provider", "path", "body"),
    [
        ("znapai", "/videos", {"prompt": "a lamp", "model": "sora-2"}),
        ("ulazai", "/api/v1/sora/generate/text-to-video/", {"prompt": "a lamp"}),
    ],
)
def test_a_packaged_model_ends_under_its_reading_alone(
    provider: str, path: str, body: dict[str, str]
) -> None:
    answers = []
    for reading in ("served", "ended"):
        world = make_world(WsgiClient(create_app()))
        world.choose(**{f"{provider}__upstream_end": reading})
        account = world.account(provider)
        answers.append(account.client.post(path, json=body))
        world.advance(300 * _DAY_MS)
        answers.append(account.client.post(path, json=body))

    statuses = [it.status for it in answers]
    assert statuses[0] == statuses[1] == statuses[2] < 300
    assert statuses[3] == 410
    assert ["sunset" in it.headers for it in answers] == [False, False, True, True]
    assert answers[3].headers["sunset"] == "Thu, 24 Sep 2026 00:00:00 GMT"

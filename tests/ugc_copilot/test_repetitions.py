"""Idempotency keys: a repeated call gets the first answer, once paid and once rendered."""

from __future__ import annotations

import json
from typing import cast

import pytest
from flask import Flask

from screentest.mock_server.engine.provider import Request
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.pipeline.handle import handle, turn_of
from screentest.specs.json_types import Json

from ..mock_client import HOUR_MS, Account, Answer
from . import steps

KEY = "0b5e9c1e-6f0a-4a53-9a53-0c8f6e6f6c55"


def send(account: Account, path: str, body: Json, key: str = KEY) -> Answer:
    return account.client.post(path, json=body, headers={"Idempotency-Key": key})


@pytest.mark.clause("UG-039", "UG-040", "UG-041")
def test_repeated_start_gets_the_same_bytes_and_renders_once(ugc: Account) -> None:
    first = send(ugc, steps.START, steps.body())
    ugc.world.advance(30_000)

    second = send(ugc, steps.START, steps.body())

    assert (first.status, first.content) == (second.status, second.content)
    assert first.headers["content-type"] == second.headers["content-type"]
    assert ugc.money == (982, 0, 18)
    assert steps.job_count(ugc.world) == 1


@pytest.mark.clause("UG-038", "UG-039", "UG-040")
@pytest.mark.parametrize(
    ("path", "cost"),
    [
        (steps.START, 18),
        (steps.IMAGE, 1),
        (steps.SCRIPT, 1),
        (steps.PARSE, 1),
        (steps.TONE, 1),
        (steps.ANALYSIS, 0),
        (steps.PRODUCTS, 0),
    ],
)
def test_every_function_that_costs_can_be_repeated(ugc: Account, path: str, cost: int) -> None:
    answers = [send(ugc, path, steps.BODIES[path]) for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1
    assert ugc.money[2] == cost


@pytest.mark.clause("UG-038", "UG-040")
def test_overlay_and_cut_can_be_repeated(ugc: Account, video_url: str) -> None:
    overlay = {"videoUri": video_url, "overlays": [{"text": "New"}]}

    overlays = [send(ugc, steps.OVERLAY, overlay).content for _ in range(2)]
    cuts = [send(ugc, steps.STITCH, {"videoUrls": [video_url]}).content for _ in range(2)]

    assert (len(set(overlays)), len(set(cuts))) == (1, 1)
    assert ugc.money[2] == 19


@pytest.mark.clause("UG-042")
def test_another_key_is_another_call(ugc: Account) -> None:
    names = {
        send(ugc, steps.START, steps.body(), key).json()["operation"]["name"]
        for key in ("one", "two")
    }

    assert len(names) == 2
    assert ugc.money == (964, 0, 36)


@pytest.mark.clause("UG-042")
def test_call_without_a_key_is_never_a_repetition(ugc: Account) -> None:
    assert steps.start(ugc) != steps.start(ugc)


@pytest.mark.clause("UG-039", "UG-059")
def test_same_key_with_another_body_is_409(ugc: Account) -> None:
    """U5."""
    send(ugc, steps.START, steps.body())

    answer = send(ugc, steps.START, steps.body(duration=4))

    assert steps.refusal(answer) == (409, "idempotency-conflict")
    assert answer.json()["error"]["type"] == "idempotency"
    assert ugc.money == (982, 0, 18)


@pytest.mark.clause("UG-039")
def test_key_is_one_accounts_and_one_functions_own(ugc: Account, neighbour: Account) -> None:
    """U5."""
    answers = [
        send(ugc, steps.SCRIPT, steps.BODIES[steps.SCRIPT]),
        send(ugc, steps.PARSE, steps.BODIES[steps.PARSE]),
        send(neighbour, steps.SCRIPT, steps.BODIES[steps.SCRIPT]),
    ]

    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False] * 3
    assert (ugc.money[2], neighbour.money[2]) == (2, 1)


@pytest.mark.clause("UG-039")
def test_key_is_kept_for_a_day(ugc: Account) -> None:
    """U5."""
    names: list[str] = []

    for wait_ms in (0, 24 * HOUR_MS - 1, 1):
        ugc.world.advance(wait_ms)
        names.append(send(ugc, steps.START, steps.body()).json()["operation"]["name"])

    assert names[0] == names[1] != names[2]


@pytest.mark.clause("UG-039")
def test_replay_bears_a_diagnostic_header(ugc: Account) -> None:
    """U6."""
    first, second = (send(ugc, steps.START, steps.body()) for _ in range(2))

    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"


@pytest.mark.clause("UG-039", "UG-078")
def test_refusal_is_not_kept(ugc: Account) -> None:
    """U8: the same key succeeds once there are credits."""
    ugc.set_credits(0)
    refused = send(ugc, steps.START, steps.body())
    ugc.set_credits(100)

    accepted = send(ugc, steps.START, steps.body())

    assert (refused.status, accepted.status) == (402, 200)
    assert "idempotent-replayed" not in accepted.headers


@pytest.mark.clause("UG-039")
def test_failure_is_not_kept(ugc: Account) -> None:
    """U8."""
    steps.fail_next(ugc.world, "overloaded", "proxyGenerateViralScript")

    statuses = [send(ugc, steps.SCRIPT, steps.BODIES[steps.SCRIPT]).status for _ in range(2)]

    assert statuses == [500, 200]


@pytest.mark.clause("UG-039", "UG-040")
def test_replay_is_neither_limited_nor_counted(ugc: Account) -> None:
    """U20: a replay passes where window, cap and balance would refuse."""
    ugc.world.change(f"accounts/{ugc.id}", {"tier": "business"})
    for number in range(10):
        send(ugc, steps.START, steps.body(), f"key-{number}")
    ugc.set_credits(0)

    statuses = [send(ugc, steps.START, steps.body(), f"key-{n}").status for n in (0, 9, 10)]

    assert statuses == [200, 200, 429]


@pytest.mark.clause("UG-038")
@pytest.mark.parametrize("key", ["", "a b", "ü", "x" * 256])
def test_key_of_another_form_is_refused(ugc: Account, key: str) -> None:
    answer = send(ugc, steps.START, steps.body(), key)

    assert steps.refusal(answer) == (400, "invalid-argument")
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-091", "UG-038")
def test_key_on_a_poll_means_nothing(ugc: Account) -> None:
    """A poll is not replayed; a replay would never show the end."""
    operation = steps.start(ugc)
    body = {"operationName": operation, "engine": "sora"}

    first = send(ugc, steps.CHECK, body)
    ugc.world.advance(steps.LONGEST_MS)
    second = send(ugc, steps.CHECK, body)

    assert (first.json()["done"], second.json()["done"]) == (False, True)


@pytest.mark.clause("UG-039", "UG-040", "UG-041")
def test_repetition_while_the_first_call_still_runs_is_409(ugc: Account) -> None:
    """U7: the first answer is held back, so the client tries again before it has one."""
    fault = {"type": "latency", "where": {"operation": "proxyStartVideoGeneration"}}
    assert ugc.world.control.post(f"{ugc.world.path}/faults", json=fault).status == 201
    worlds = cast(Worlds, cast(Flask, ugc.client.wsgi.application).extensions["screentest"])
    world = worlds.get(ugc.world.id)
    request = Request(
        method="POST",
        path=steps.START,
        headers={
            "authorization": f"Bearer {ugc.api_key}",
            "content-type": "application/json",
            "idempotency-key": KEY,
        },
        body=json.dumps(steps.body()).encode(),
    )

    first = handle(worlds, turn_of(worlds, world, "ugc_copilot", request))
    early = send(ugc, steps.START, steps.body())
    world.unanswered.pop(first.number)
    late = send(ugc, steps.START, steps.body())

    assert steps.refusal(early) == (409, "idempotency-conflict")
    assert (late.status, late.headers["idempotent-replayed"]) == (200, "true")
    assert ugc.money == (982, 0, 18)

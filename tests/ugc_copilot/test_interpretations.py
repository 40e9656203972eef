"""The points where the public page is silent: which reading is in force, and what the others do."""

from __future__ import annotations

import base64

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, MockWorld
from . import steps

PICTURE = {"data": base64.b64encode(bytes(30)).decode(), "mimeType": "image/png"}


def readings(world: MockWorld) -> dict[str, Json]:
    listed = world.control.get(f"{world.path}/interpretations").json()
    return {name: item for name, item in listed.items() if name.startswith("ugc_copilot.")}


@pytest.mark.clause("UG-059")
def test_every_silent_point_is_listed_once_with_its_reason(world: MockWorld) -> None:
    listed = readings(world).values()

    ids = [item["id"] for item in listed]

    assert sorted(ids) == sorted(f"U{number}" for number in range(1, 41))
    assert all(item["value"] == item["default"] and item["reason"] for item in listed)


@pytest.mark.clause("UG-082", "UG-083")
def test_answers_are_direct(ugc: Account) -> None:
    """U2, direct: also after a wrapped request."""
    assert "operation" in steps.accepted(steps.try_start(ugc))


@pytest.mark.clause("UG-082", "UG-083", "UG-041")
def test_answers_may_be_wrapped_in_result(ugc: Account) -> None:
    """U2, result: as callable functions answer; a replay is wrapped as well."""
    ugc.world.choose(ugc_copilot__callable_envelope="result")
    headers = {"Idempotency-Key": "once"}

    first, second = (
        ugc.client.post(steps.START, json=steps.body(), headers=headers) for _ in range(2)
    )
    name = steps.accepted(first)["result"]["operation"]["name"]

    assert first.content == second.content
    assert steps.check(ugc, name)["result"]["done"] is False
    assert set(steps.try_check(ugc, "x").json()) == {"error"}


@pytest.mark.clause("UG-027", "UG-032")
@pytest.mark.parametrize(
    ("reading", "costs"), [("ceil", [12, 63, 36, 32]), ("half_up", [11, 63, 36, 31])]
)
def test_fraction_of_a_credit(ugc: Account, reading: str, costs: list[int]) -> None:
    """U3: 11.25, 62.5, 36 and 31.25."""
    ugc.world.choose(ugc_copilot__rounding=reading)
    ugc.world.change(f"accounts/{ugc.id}", {"tier": "business"})

    billed = [
        steps.price(ugc, "sora", duration=5),
        steps.price(ugc, "kling", quality="hq", duration=8),
        steps.price(ugc, "seedance", duration=8),
        steps.price(ugc, "kling", duration=8),
    ]

    assert billed == costs


@pytest.mark.clause("UG-060", "UG-078")
@pytest.mark.parametrize("is_rich", [True, False])
def test_refused_call_takes_room_in_its_window_and_no_place(ugc: Account, *, is_rich: bool) -> None:
    """U16: nine 400s or 402s leave room for one call, and all three places are free."""
    bad = steps.body(engine="pika") if is_rich else steps.body()
    ugc.set_credits(1_000 if is_rich else 0)
    refused = {ugc.client.post(steps.START, json=bad).status for _ in range(9)}
    ugc.set_credits(1_000)

    answers = [steps.try_start(ugc) for _ in range(2)]

    assert refused == {400 if is_rich else 402}
    assert [answer.status for answer in answers] == [200, 429]
    assert steps.refusal(answers[1]) == (429, "rate-limited")


@pytest.mark.clause("UG-005", "UG-060")
def test_call_without_a_key_takes_no_room(ugc: Account) -> None:
    """U16: whose room would it be?"""
    anonymous = ugc.world.anonymous("ugc_copilot")
    for _ in range(12):
        assert anonymous.post(steps.START, json=steps.body()).status == 401

    assert steps.try_start(ugc).status == 200


@pytest.mark.clause("UG-083", "UG-086")
def test_another_engine_than_the_rendering_one_is_refused(ugc: Account) -> None:
    """U18, 400."""
    operation = steps.start(ugc, "veo")

    refused = steps.try_check(ugc, operation, "sora")
    assert steps.refusal(refused) == (400, "invalid-argument")
    assert refused.json()["error"]["field"] == "engine"
    assert refused.json()["error"]["message"] == (
        "engine: expected veo, which renders this, got sora"
    )
    uri = steps.uri_of(steps.finish(ugc, operation, "veo"))
    answer = ugc.client.post(steps.FETCH, json={"uri": uri, "engine": "kling"})
    assert steps.refusal(answer) == (400, "invalid-argument")


@pytest.mark.clause("UG-083", "UG-086")
def test_another_engine_may_be_ignored(ugc: Account) -> None:
    """U18, ignore."""
    ugc.world.choose(ugc_copilot__engine_mismatch="ignore")
    operation = steps.start(ugc, "veo")

    uri = steps.uri_of(steps.finish(ugc, operation, "kling"))

    assert steps.fetch(ugc, uri, "sora")["mimeType"] == "video/mp4"


@pytest.mark.clause("UG-083")
def test_progress_never_falls(ugc: Account) -> None:
    """U19: looked at every second."""
    operation = steps.start(ugc)
    seen: list[int] = []

    for _ in range(55):
        seen.append(steps.check(ugc, operation)["progress"])
        ugc.world.advance(3_000)

    assert seen == sorted(seen)


@pytest.mark.clause("UG-007", "UG-008")
@pytest.mark.parametrize("engine", ["sora", "veo", "kling", "seedance"])
def test_scene_image_is_optional(ugc: Account, engine: str) -> None:
    """U22, optional: the page's own quickstart has none."""
    assert steps.try_start(ugc, engine, isFaceless=True).status == 200


@pytest.mark.clause("UG-080", "UG-081")
@pytest.mark.parametrize(
    ("engine", "is_faceless", "status"),
    [
        ("sora", False, 400),
        ("veo", False, 400),
        ("kling", False, 400),
        ("seedance", False, 200),
        ("seedance", True, 400),
    ],
)
def test_scene_image_may_be_required(
    ugc: Account, engine: str, status: int, *, is_faceless: bool
) -> None:
    """U22, required."""
    ugc.world.choose(ugc_copilot__scene_image="required")

    without = steps.try_start(ugc, engine, isFaceless=is_faceless)
    having = steps.try_start(ugc, engine, isFaceless=is_faceless, sceneImage=PICTURE)

    assert (without.status, having.status) == (status, 200)
    if status == 400:
        error = without.json()["error"]
        assert error["field"] == "data.sceneImage"
        assert "required" in error["message"]


@pytest.mark.clause("UG-082")
@pytest.mark.parametrize(
    ("reading", "fields"),
    [
        ("with_durations", {"requestedDuration": None, "effectiveDuration": 6.4}),
        ("launch", {}),
        (
            "later",
            {
                "requestedDuration": None,
                "effectiveDuration": 6.4,
                "creditCost": 25,
                "quality": "standard",
            },
        ),
    ],
)
def test_answer_of_a_start_grew_over_time(ugc: Account, reading: str, fields: Json) -> None:
    """U24; without a length the engine's baseline is rendered (U26)."""
    ugc.world.choose(ugc_copilot__start_answer=reading)

    started = steps.accepted(steps.try_start(ugc, "kling"))

    assert started["operation"]["name"]
    assert {k: v for k, v in started.items() if k not in ("operation", "assembledPrompt")} == fields


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize(("reading", "status"), [("clamp", 200), ("refuse", 400)])
@pytest.mark.parametrize(("engine", "seconds"), [("sora", 21), ("veo", 7), ("kling", 16)])
def test_length_that_the_engine_cannot_do(
    ugc: Account, reading: str, status: int, engine: str, seconds: int
) -> None:
    """U25."""
    ugc.world.choose(ugc_copilot__duration_limits=reading)

    assert steps.try_start(ugc, engine, duration=seconds).status == status
    assert steps.try_start(ugc, engine, duration=8).status == 200


@pytest.mark.clause("UG-025", "UG-030", "UG-033", "UG-028")
@pytest.mark.parametrize(
    ("engine", "seconds", "cost"),
    [("sora", 8, 18), ("veo", 8, 40), ("kling", 6.4, 25), ("seedance", 4, 18)],
)
def test_omitted_length_is_the_baseline(
    ugc: Account, engine: str, seconds: float, cost: int
) -> None:
    """U26."""
    started = steps.accepted(steps.try_start(ugc, engine))

    assert (started["effectiveDuration"], ugc.money[2]) == (seconds, cost)


@pytest.mark.clause("UG-063", "UG-066")
def test_account_that_never_paid_has_twenty_analyses_a_day(ugc: Account) -> None:
    """U28, never_paid."""
    ugc.world.choose(ugc_copilot__account_history="never_paid")
    for _ in range(2):
        for _ in range(10):
            answer = ugc.client.post(steps.ANALYSIS, json=steps.BODIES[steps.ANALYSIS])
            assert answer.status == 200
        ugc.world.advance(60_000)

    answer = ugc.client.post(steps.ANALYSIS, json=steps.BODIES[steps.ANALYSIS])

    assert steps.refusal(answer) == (429, "rate-limited")
    assert answer.headers["retry-after"] == str(24 * 3_600 - 120)


@pytest.mark.clause("UG-007", "UG-081")
def test_unknown_fields_are_ignored(ugc: Account) -> None:
    """U29: newer clients send seed and more."""
    answers = [
        steps.try_start(ugc, seed=7, qcRetryOfOperation="x"),
        ugc.client.post(steps.SCRIPT, json={**steps.BODIES[steps.SCRIPT], "mood": "calm"}),
    ]

    assert [answer.status for answer in answers] == [200, 200]


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize(("seconds", "cost"), [(5.5, 13), (8.0, 18), (4.1, 10)])
def test_fraction_of_a_second_is_rendered_and_billed(
    ugc: Account, seconds: float, cost: int
) -> None:
    """U32: 12.375, 18 and 9.225."""
    assert steps.price(ugc, "sora", duration=seconds) == cost

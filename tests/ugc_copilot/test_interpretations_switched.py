"""The other readings of points whose default is tested beside: what each switch changes.

Each test begins with the id of the point as the contract lists it. Those of webhooks (U9, U11) are
in `test_webhooks.py`, where their receiver is.
"""

from __future__ import annotations

import pytest

from screentest.specs.json_types import Json

from ..mock_client import Account, Answer
from . import steps

FLAT: Json = {"engine": "sora", **steps.SCENE}


def send(account: Account, path: str, body: Json, key: str = "once") -> Answer:
    return account.client.post(path, json=body, headers={"Idempotency-Key": key})


@pytest.mark.clause("UG-007", "UG-081")
@pytest.mark.parametrize(
    ("reading", "statuses"), [("both", [200, 200]), ("wrapped", [200, 400]), ("flat", [400, 200])]
)
def test_form_of_a_body(ugc: Account, reading: str, statuses: list[int]) -> None:
    """U1: what is refused names `data`, and costs nothing."""
    ugc.world.choose(ugc_copilot__body_form=reading)

    answers = [ugc.client.post(steps.START, json=body) for body in (steps.body(), FLAT)]

    assert [answer.status for answer in answers] == statuses
    refused = [answer.json()["error"]["field"] for answer in answers if answer.status == 400]
    assert set(refused) <= {"data"}
    assert ugc.money[2] == 18 * statuses.count(200)


@pytest.mark.clause("UG-062", "UG-090")
def test_form_of_a_body_holds_for_every_function_with_a_key(ugc: Account) -> None:
    """U1, flat: those without a key are documented wrapped."""
    ugc.world.choose(ugc_copilot__body_form="flat")
    wrapped = {"data": steps.BODIES[steps.SCRIPT]}

    script = ugc.client.post(steps.SCRIPT, json=wrapped)
    free = ugc.client.post(steps.FREE_HOOKS, json=steps.FREE_BODIES[steps.FREE_HOOKS])

    assert steps.refusal(script) == (400, "invalid-argument")
    assert free.status == 200
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-068", "UG-072")
def test_one_render_too_many_may_be_503(ugc: Account) -> None:
    """U4, 503."""
    ugc.world.choose(ugc_copilot__concurrency_status="503")
    for _ in range(3):
        steps.start(ugc)

    answer = steps.try_start(ugc)

    assert steps.refusal(answer) == (503, "concurrency-exceeded")
    assert answer.headers["retry-after"] == "15"


@pytest.mark.clause("UG-039", "UG-042")
@pytest.mark.parametrize(
    ("reading", "status"), [("account_function_key_24h", 200), ("account_24h", 409)]
)
def test_key_of_another_function(ugc: Account, reading: str, status: int) -> None:
    """U5."""
    ugc.world.choose(ugc_copilot__idempotency_scope=reading)

    first = send(ugc, steps.START, steps.body())
    other = send(ugc, steps.SCRIPT, steps.BODIES[steps.SCRIPT])
    again = send(ugc, steps.START, steps.body())

    assert (other.status, first.content == again.content) == (status, True)


@pytest.mark.clause("UG-041")
@pytest.mark.parametrize(("reading", "marker"), [("diagnostic_header", "true"), ("none", None)])
def test_mark_of_a_repetition(ugc: Account, reading: str, marker: str | None) -> None:
    """U6."""
    ugc.world.choose(ugc_copilot__replay_marker=reading)

    first, second = (send(ugc, steps.START, steps.body()) for _ in range(2))

    assert first.content == second.content
    assert second.headers.get("idempotent-replayed") == marker


@pytest.mark.clause("UG-039", "UG-078")
@pytest.mark.parametrize(("reading", "status"), [("only_2xx", 200), ("refusals_too", 402)])
def test_repetition_of_a_refused_call(ugc: Account, reading: str, status: int) -> None:
    """U8: after the purchase the old key may still get the refusal for the empty balance."""
    ugc.world.choose(ugc_copilot__failures_kept=reading)
    ugc.set_credits(0)
    refused = send(ugc, steps.START, steps.body())
    ugc.set_credits(1_000)

    again = send(ugc, steps.START, steps.body())
    other = send(ugc, steps.START, steps.body(), key="another")

    assert (refused.status, again.status, other.status) == (402, status, 200)
    assert (again.content == refused.content) == (status == 402)


@pytest.mark.clause("UG-030", "UG-031", "UG-032")
@pytest.mark.parametrize(("reading", "costs"), [("linear", [32, 100]), ("fixed", [25, 50])])
def test_price_of_kling_by_its_length(ugc: Account, reading: str, costs: list[int]) -> None:
    """U14: 8 s, and 12.8 s in high quality."""
    ugc.world.choose(ugc_copilot__kling_scales=reading)

    billed = [
        steps.price(ugc, "kling", duration=8),
        steps.price(ugc, "kling", quality="hq", duration=12.8),
    ]

    assert billed == costs


@pytest.mark.clause("UG-028", "UG-029")
@pytest.mark.parametrize(("reading", "costs"), [("fixed", [40, 130]), ("linear", [20, 98])])
def test_price_of_veo_by_its_length(ugc: Account, reading: str, costs: list[int]) -> None:
    """U23: 4 s, and 6 s in high quality."""
    ugc.world.choose(ugc_copilot__veo_price=reading)

    billed = [
        steps.price(ugc, "veo", duration=4),
        steps.price(ugc, "veo", quality="hq", duration=6),
    ]

    assert billed == costs


@pytest.mark.clause("UG-039", "UG-060")
@pytest.mark.parametrize(
    ("reading", "status"),
    [("auth_validation_replay_rate_concurrency_credits", 200), ("limits_before_replay", 429)],
)
def test_repetition_in_a_full_window(ugc: Account, reading: str, status: int) -> None:
    """U20: nine refused calls and the first fill it."""
    ugc.world.choose(ugc_copilot__refusal_order=reading)
    send(ugc, steps.START, steps.body())
    for _ in range(9):
        assert steps.try_start(ugc, engine="pika").status == 400

    again = send(ugc, steps.START, steps.body())

    assert again.status == status


@pytest.mark.clause("UG-060", "UG-078")
@pytest.mark.parametrize(
    ("reading", "refusal"),
    [
        ("auth_validation_replay_rate_concurrency_credits", (429, "rate-limited")),
        ("credits_before_limits", (402, "insufficient-credits")),
    ],
)
def test_empty_balance_in_a_full_window(
    ugc: Account, reading: str, refusal: tuple[int, str]
) -> None:
    """U20."""
    ugc.world.choose(ugc_copilot__refusal_order=reading)
    for _ in range(10):
        assert steps.try_start(ugc, engine="pika").status == 400
    ugc.set_credits(0)

    assert steps.refusal(steps.try_start(ugc)) == refusal


@pytest.mark.clause("UG-014")
@pytest.mark.parametrize(("seconds", "status"), [(8, 200), (8.0, 200), (5.5, 400), (None, 200)])
def test_length_may_have_to_be_in_whole_seconds(
    ugc: Account, seconds: float | None, status: int
) -> None:
    """U32, whole_seconds: Kling's own baseline of 6.4 stays what it is."""
    ugc.world.choose(ugc_copilot__duration_type="whole_seconds")
    given = {} if seconds is None else {"duration": seconds}

    answer = steps.try_start(ugc, "kling", **given)

    assert answer.status == status
    if status == 400:
        assert answer.json()["error"]["message"] == (
            "data.duration: expected whole seconds, got 5.5"
        )

"""Credits: what a render costs, when it is taken, and that a failure gives it back.

`account.money` is (available, held, spent).
"""

from __future__ import annotations

import pytest

from ..mock_client import Account
from . import steps


@pytest.mark.clause("UG-022")
def test_price_is_taken_with_the_start(ugc: Account) -> None:
    operation = steps.start(ugc, "sora", quality="standard", duration=8)

    at_start = ugc.money
    steps.finish(ugc, operation)

    assert at_start == (982, 0, 18)
    assert ugc.money == (982, 0, 18)


@pytest.mark.clause("UG-025", "UG-026", "UG-027")
@pytest.mark.parametrize(
    ("quality", "seconds", "cost"),
    [
        ("standard", 4, 9),
        ("standard", 5, 12),  # 11.25
        ("standard", 8, 18),
        ("standard", 16, 36),
        ("standard", 20, 45),
        ("hq", 4, 33),  # 32.5
        ("hq", 8, 65),
        ("hq", 12, 98),  # 97.5
    ],
)
def test_sora_scales_from_eight_seconds(
    ugc: Account, quality: str, seconds: int, cost: int
) -> None:
    assert steps.price(ugc, "sora", quality=quality, duration=seconds) == cost


@pytest.mark.clause("UG-028", "UG-029")
@pytest.mark.parametrize(("quality", "cost"), [("standard", 40), ("hq", 130)])
@pytest.mark.parametrize("seconds", [4, 6, 8, 11])
def test_veo_costs_the_same_at_any_length(
    ugc: Account, quality: str, cost: int, seconds: int
) -> None:
    assert steps.price(ugc, "veo", quality=quality, duration=seconds) == cost


@pytest.mark.clause("UG-030", "UG-031", "UG-032")
@pytest.mark.parametrize(
    ("quality", "seconds", "cost"),
    [
        ("standard", 6.4, 25),
        ("hq", 6.4, 50),
        ("standard", 8, 32),  # 31.25
        ("hq", 8, 63),  # 62.5
        ("standard", 5, 20),  # 19.53
        ("hq", 15, 118),  # 117.19
    ],
)
def test_kling_scales_from_its_baseline(
    ugc: Account, quality: str, seconds: float, cost: int
) -> None:
    assert steps.price(ugc, "kling", quality=quality, duration=seconds) == cost


@pytest.mark.clause("UG-033", "UG-034", "UG-035")
@pytest.mark.parametrize(
    ("quality", "seconds", "cost"),
    [
        ("standard", 4, 18),
        ("hq", 4, 35),
        ("standard", 8, 36),
        ("hq", 7, 62),  # 61.25
        ("hq", 15, 132),  # 131.25
        ("standard", 5, 23),  # 22.5
    ],
)
def test_seedance_scales_from_four_seconds(
    ugc: Account, quality: str, seconds: int, cost: int
) -> None:
    assert steps.price(ugc, "seedance", quality=quality, duration=seconds) == cost


@pytest.mark.clause("UG-014", "UG-027", "UG-032", "UG-035", "UG-082")
@pytest.mark.parametrize(
    ("engine", "asked", "effective", "cost"),
    [
        ("sora", 30, 20, 45),
        ("sora", 2, 4, 9),
        ("veo", 11, 8, 40),
        ("veo", 5, 4, 40),
        ("veo", 7, 6, 40),
        ("kling", 20, 15, 59),  # 58.59
        ("seedance", 16, 15, 68),  # 67.5
        ("seedance", 1, 4, 18),
    ],
)
def test_length_that_the_engine_cannot_do_is_clamped_and_billed_so(
    ugc: Account, engine: str, asked: int, effective: int, cost: int
) -> None:
    started = steps.accepted(steps.try_start(ugc, engine, duration=asked))

    assert (started["requestedDuration"], started["effectiveDuration"]) == (asked, effective)
    assert ugc.money[2] == cost


@pytest.mark.clause("UG-023", "UG-024")
def test_failed_render_gives_its_price_back_once(ugc: Account) -> None:
    steps.fail_next(ugc.world, "SAFETY_BLOCK: no brands")
    operation = steps.start(ugc, "kling", quality="hq", duration=8)
    at_start = ugc.money

    detail = steps.finish(ugc, operation, "kling")
    after = ugc.money
    steps.check(ugc, operation, "kling")

    assert at_start == (937, 0, 63)
    assert detail["error"]["code"] == "SAFETY_BLOCK"
    assert after == ugc.money == (1_000, 0, 0)
    assert [e["kind"] for e in ugc.ledger()["entries"]] == ["grant", "charge", "refund"]


@pytest.mark.clause("UG-023", "UG-024")
def test_credits_are_back_before_the_first_poll(ugc: Account) -> None:
    """The refund bears the date of the failure, not of a poll."""
    steps.fail_next(ugc.world, "SAFETY_BLOCK")
    operation = steps.start(ugc)

    fired = ugc.world.advance(600_000)

    (refund,) = [e["at"] for e in ugc.ledger()["entries"] if e["kind"] == "refund"]
    assert refund == fired[-1]["at"]
    assert fired[-1]["subject"] == operation
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-024")
def test_no_poll_sees_the_failure_before_the_credits_are_back(ugc: Account) -> None:
    steps.fail_next(ugc.world, "SAFETY_BLOCK")
    operation = steps.start(ugc)
    seen: set[tuple[bool, int]] = set()

    for _ in range(200):
        seen.add((steps.check(ugc, operation)["done"], ugc.money[0]))
        ugc.world.advance(1_000)

    assert seen == {(False, 982), (True, 1_000)}


@pytest.mark.clause("UG-023")
def test_failure_may_be_decided_while_it_renders(ugc: Account) -> None:
    operation = steps.start(ugc)
    ugc.world.advance(10_000)

    ugc.world.fail_job(steps.job_id(operation), "the engine is overloaded")

    assert steps.finish(ugc, operation)["error"] == {
        "code": "RENDER_FAILED",
        "message": "the engine is overloaded",
    }
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-078", "UG-088")
def test_too_few_credits_are_refused_and_nothing_is_taken(ugc: Account) -> None:
    ugc.set_credits(17)

    answer = steps.try_start(ugc)

    assert answer.status == 402
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("permission", "insufficient-credits")
    assert ("18" in error["message"], "17" in error["message"]) == (True, True)
    assert ugc.money[:2] == (17, 0)
    assert steps.job_count(ugc.world) == 0


@pytest.mark.clause("UG-078")
def test_exactly_enough_is_enough(ugc: Account) -> None:
    ugc.set_credits(18)

    steps.start(ugc)

    assert ugc.money[:2] == (0, 0)


@pytest.mark.clause("UG-038", "UG-022")
@pytest.mark.parametrize(
    ("path", "change", "cost"),
    [
        (steps.IMAGE, {}, 1),
        (steps.IMAGE, {"quality": "standard"}, 1),
        (steps.IMAGE, {"quality": "hq"}, 2),
        (steps.SCRIPT, {}, 1),
        (steps.PARSE, {}, 1),
        (steps.TONE, {}, 1),
        (steps.INFLUENCER, {}, 0),
        (steps.ANALYSIS, {}, 0),
    ],
)
@pytest.mark.parametrize("is_wrapped", [True, False])
def test_small_calls_have_their_prices(
    ugc: Account, path: str, change: dict[str, str], cost: int, *, is_wrapped: bool
) -> None:
    body = {**steps.BODIES[path], **change}

    steps.accepted(ugc.client.post(path, json={"data": body} if is_wrapped else body))

    assert ugc.money == (1_000 - cost, 0, cost)


@pytest.mark.clause("UG-038")
def test_first_product_search_of_an_account_is_free(ugc: Account, neighbour: Account) -> None:
    spent: list[int] = []

    for account in (ugc, ugc, ugc, neighbour):
        steps.accepted(account.client.post(steps.PRODUCTS, json=steps.BODIES[steps.PRODUCTS]))
        spent.append(account.money[2])

    assert spent == [0, 1, 2, 0]


@pytest.mark.clause("UG-078")
@pytest.mark.parametrize("path", [steps.IMAGE, steps.SCRIPT, steps.PARSE, steps.TONE])
def test_small_calls_are_refused_with_an_empty_balance(ugc: Account, path: str) -> None:
    ugc.set_credits(0)

    answer = ugc.client.post(path, json=steps.BODIES[path])

    assert steps.refusal(answer) == (402, "insufficient-credits")


@pytest.mark.clause("UG-023")
@pytest.mark.parametrize("path", [steps.IMAGE, steps.SCRIPT, steps.PARSE, steps.TONE])
def test_small_call_that_breaks_costs_nothing(ugc: Account, path: str) -> None:
    steps.fail_next(ugc.world, "the model is overloaded", path[1:])

    answer = ugc.client.post(path, json=steps.BODIES[path])

    assert steps.refusal(answer) == (500, "internal")
    assert ugc.money == (1_000, 0, 0)


@pytest.mark.clause("UG-091")
def test_asking_and_fetching_cost_nothing(ugc: Account) -> None:
    operation = steps.start(ugc)
    before = ugc.money

    uri = steps.uri_of(steps.finish(ugc, operation))
    for _ in range(3):
        steps.fetch(ugc, uri)

    assert ugc.money == before == (982, 0, 18)

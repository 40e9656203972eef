"""Windows of a minute or a day, and how many renders run at once."""

from __future__ import annotations

import json
from typing import cast

import pytest
from flask import Flask

from screentest.mock_server.engine.provider import Request
from screentest.mock_server.engine.worlds import Worlds
from screentest.mock_server.pipeline.handle import handle, turn_of

from ..mock_client import HOUR_MS, MINUTE_MS, Account, Answer, Client, MockWorld
from . import steps

#: (a function of the window, calls in a minute)
WINDOWS = [
    (steps.START, 10),
    (steps.IMAGE, 40),
    (steps.SCRIPT, 20),
    (steps.PARSE, 20),
    (steps.TONE, 20),
    (steps.PRODUCTS, 10),
    (steps.ANALYSIS, 10),
    (steps.INFLUENCER, 60),
]
#: Every function that deducts credits, except those that need a render.
PAID = [steps.IMAGE, steps.SCRIPT, steps.PARSE, steps.TONE, steps.PRODUCTS]


@pytest.fixture
def ugc(world: MockWorld) -> Account:
    """An account whose cap of renders is not what stops it."""
    return world.account("ugc_copilot", credits=10_000, tier="business")


def call(account: Account, path: str) -> Answer:
    return account.client.post(path, json=steps.BODIES[path])


def second_key(account: Account) -> Client:
    """A client with another key of the same account, as the provider's profile page makes them."""
    return steps.with_key(account, account.further_keys()["api_key"])


@pytest.mark.clause("UG-060", "UG-061", "UG-062", "UG-063", "UG-064")
@pytest.mark.parametrize(("path", "limit"), WINDOWS)
def test_window_of_a_minute_has_room_for_so_many(ugc: Account, path: str, limit: int) -> None:
    statuses = [call(ugc, path).status for _ in range(limit + 1)]

    assert statuses == [200] * limit + [429]


@pytest.mark.clause("UG-064")
def test_polls_are_sixty_a_minute(ugc: Account) -> None:
    operation = steps.start(ugc)

    statuses = [steps.try_check(ugc, operation).status for _ in range(61)]

    assert statuses == [200] * 60 + [429]


@pytest.mark.clause("UG-062", "UG-063")
@pytest.mark.parametrize(
    ("paths", "limit"),
    [((steps.SCRIPT, steps.PARSE, steps.TONE), 20), ((steps.PRODUCTS, steps.ANALYSIS), 10)],
)
def test_functions_of_a_kind_share_a_window(
    ugc: Account, paths: tuple[str, ...], limit: int
) -> None:
    """U15."""
    statuses = [call(ugc, paths[n % len(paths)]).status for n in range(limit + 1)]

    assert statuses == [200] * limit + [429]


@pytest.mark.clause("UG-067")
def test_full_window_leaves_the_others_open(ugc: Account) -> None:
    started = [call(ugc, steps.START).status for _ in range(11)]

    others = [call(ugc, path).status for path, _ in WINDOWS[1:]]

    assert started[-1] == 429
    assert others == [200] * 7


@pytest.mark.clause("UG-066", "UG-089", "UG-059")
def test_429_says_how_long_to_wait_in_header_and_body(ugc: Account) -> None:
    for _ in range(10):
        call(ugc, steps.START)
    ugc.world.advance(17_500)

    answer = call(ugc, steps.START)

    error = answer.json()["error"]
    assert steps.refusal(answer) == (429, "rate-limited")
    assert error["message"] == (
        "At most 10 calls of video generation a minute. Try again in 43 seconds."
    )
    assert error["type"] == "rate_limit"
    assert (answer.headers["retry-after"], error["retryAfter"]) == ("43", 43)


@pytest.mark.clause("UG-065", "UG-066")
def test_waiting_retry_after_is_enough_and_a_second_less_is_not(ugc: Account) -> None:
    for _ in range(10):
        call(ugc, steps.START)
    ugc.world.advance(7_000)
    wait_s = int(call(ugc, steps.START).headers["retry-after"])

    ugc.world.advance((wait_s - 1) * 1_000)
    early = call(ugc, steps.START)
    ugc.world.advance(1_000)
    late = call(ugc, steps.START)

    assert (wait_s, early.status, late.status) == (53, 429, 200)


@pytest.mark.clause("UG-065")
def test_room_comes_back_call_by_call(ugc: Account) -> None:
    """The window slides: five calls leave half a minute before the other five."""
    for _ in range(2):
        for _ in range(5):
            call(ugc, steps.START)
        ugc.world.advance(30_000)

    statuses = [call(ugc, steps.START).status for _ in range(6)]

    assert statuses == [200] * 5 + [429]


@pytest.mark.clause("UG-065")
def test_refused_call_does_not_lengthen_the_wait(ugc: Account) -> None:
    for _ in range(10):
        call(ugc, steps.START)
    ugc.world.advance(59_000)
    for _ in range(5):
        assert call(ugc, steps.START).status == 429

    ugc.world.advance(1_000)

    assert [call(ugc, steps.START).status for _ in range(10)] == [200] * 10


@pytest.mark.clause("UG-060")
def test_window_is_one_accounts_own(ugc: Account, neighbour: Account) -> None:
    for _ in range(11):
        call(ugc, steps.START)

    assert call(neighbour, steps.START).status == 200


@pytest.mark.clause("UG-063", "UG-066")
def test_market_analyses_are_two_hundred_a_day(ugc: Account) -> None:
    """U28, paid: ten a minute, and after the two hundredth the day is over."""
    for _ in range(20):
        assert [call(ugc, steps.ANALYSIS).status for _ in range(10)] == [200] * 10
        ugc.world.advance(MINUTE_MS)

    answer = call(ugc, steps.ANALYSIS)

    assert answer.status == 429
    assert answer.headers["retry-after"] == str(24 * 3_600 - 20 * 60)
    assert answer.json()["error"]["message"].startswith(
        "At most 200 calls of market analyses a day."
    )


# --- Concurrency ----------------------------------------------------------------------------------


@pytest.mark.clause("UG-068", "UG-069", "UG-070", "UG-059")
@pytest.mark.parametrize(("tier", "cap"), [("starter", 3), ("pro", 8)])
def test_so_many_renders_run_at_once(world: MockWorld, tier: str, cap: int) -> None:
    account = world.account("ugc_copilot", credits=1_000, tier=tier)

    answers = [steps.try_start(account) for _ in range(cap + 1)]

    assert [answer.status for answer in answers] == [200] * cap + [429]
    assert steps.refusal(answers[-1]) == (429, "concurrency-exceeded")
    assert account.money[2] == 18 * cap


@pytest.mark.clause("UG-070")
def test_twenty_five_renders_run_at_once_on_the_highest_tier(ugc: Account) -> None:
    """Ten begin in a minute, so the cap is met in the third, before the first have ended."""
    statuses: list[int] = []
    for count in (10, 10, 6):
        held = [
            steps.try_start(ugc, scene={"visualPrompt": "[[screentest:slow=1h]]"})
            for _ in range(count)
        ]
        statuses += [answer.status for answer in held]
        ugc.world.advance(MINUTE_MS)

    assert statuses == [200] * 25 + [429]


@pytest.mark.clause("UG-066", "UG-089", "UG-068")
def test_refusal_for_the_cap_says_how_long_to_wait(neighbour: Account) -> None:
    """U4."""
    for _ in range(3):
        steps.start(neighbour)

    answer = steps.try_start(neighbour)

    assert answer.headers["retry-after"] == "15"
    assert answer.json()["error"]["retryAfter"] == 15


@pytest.mark.clause("UG-073")
@pytest.mark.parametrize("reason", [None, "SAFETY_BLOCK"])
def test_render_that_ends_makes_room(neighbour: Account, reason: str | None) -> None:
    if reason is not None:
        steps.fail_next(neighbour.world, reason)
    first = steps.start(neighbour)
    for _ in range(2):
        steps.start(neighbour, scene={"visualPrompt": "[[screentest:slow=1h]]"})
    assert steps.try_start(neighbour).status == 429

    ended = steps.finish(neighbour, first)

    assert ("error" in ended) is (reason is not None)
    assert [steps.try_start(neighbour).status for _ in range(2)] == [200, 429]


@pytest.mark.clause("UG-072")
@pytest.mark.parametrize("path", PAID)
def test_every_credit_deducting_call_is_refused_beside_a_full_cap(
    neighbour: Account, path: str
) -> None:
    """Three renders take the places of the lowest tier; nothing is charged for the refusal."""
    call(neighbour, steps.PRODUCTS)  # the first search is free
    for _ in range(3):
        steps.start(neighbour)
    before = neighbour.money

    answer = call(neighbour, path)

    assert steps.refusal(answer) == (429, "concurrency-exceeded")
    message = "3 credit-deducting operations are in flight, the most that this key may have."
    assert answer.json()["error"]["message"] == message
    assert answer.headers["retry-after"] == "15"
    assert neighbour.money == before


@pytest.mark.clause("UG-072", "UG-091")
def test_calls_that_deduct_nothing_work_beside_a_full_cap(neighbour: Account) -> None:
    """The first search of an account is free, so it takes no place either."""
    operation, *_ = [steps.start(neighbour) for _ in range(3)]

    statuses = [call(neighbour, path).status for path in (steps.INFLUENCER, steps.ANALYSIS)]

    assert statuses == [200, 200]
    assert call(neighbour, steps.PRODUCTS).status == 200
    assert steps.check(neighbour, operation)["done"] is False


@pytest.mark.clause("UG-072")
def test_paid_call_without_a_render_is_in_flight_until_its_answer(neighbour: Account) -> None:
    """U33, until_answered: one after another they meet no cap."""
    for path in PAID:
        assert call(neighbour, path).status == 200

    statuses = [steps.try_start(neighbour).status for _ in range(4)]

    assert statuses == [200, 200, 200, 429]


@pytest.mark.clause("UG-072")
def test_paid_call_whose_answer_is_held_back_takes_a_place(neighbour: Account) -> None:
    """U33, until_answered: as a client with several threads sees it."""
    fault = {"type": "latency", "where": {"operation": "proxyGenerateViralScript"}, "times": 3}
    control = neighbour.world.control
    assert control.post(f"{neighbour.world.path}/faults", json=fault).status == 201
    worlds = cast(Worlds, cast(Flask, neighbour.client.wsgi.application).extensions["screentest"])
    world = worlds.get(neighbour.world.id)
    headers = {
        "authorization": f"Bearer {neighbour.api_key}",
        "content-type": "application/json",
    }
    body = json.dumps(steps.BODIES[steps.SCRIPT]).encode()
    request = Request(method="POST", path=steps.SCRIPT, headers=headers, body=body)

    held = [handle(worlds, turn_of(worlds, world, "ugc_copilot", request)) for _ in range(3)]
    during = handle(worlds, turn_of(worlds, world, "ugc_copilot", request)).answer.status
    world.unanswered.pop(held[0].number)
    after = handle(worlds, turn_of(worlds, world, "ugc_copilot", request)).answer.status

    assert [it.answer.status for it in held] == [200, 200, 200]
    assert (during, after) == (429, 200)


@pytest.mark.clause("UG-072", "UG-073")
def test_paid_call_may_be_in_flight_for_ten_seconds(neighbour: Account) -> None:
    """U33, ten_seconds: by the world's clock, so that a test needs no second thread."""
    neighbour.world.choose(ugc_copilot__calls_in_flight="ten_seconds")
    first = [call(neighbour, steps.IMAGE).status for _ in range(3)]
    started = steps.try_start(neighbour).status

    neighbour.world.advance(9_999)
    early = call(neighbour, steps.SCRIPT).status
    neighbour.world.advance(1)
    late = call(neighbour, steps.SCRIPT).status

    assert (first, started, early, late) == ([200, 200, 200], 429, 429, 200)


@pytest.mark.clause("UG-071", "UG-072")
def test_paid_calls_of_another_key_take_no_place(neighbour: Account) -> None:
    neighbour.world.choose(ugc_copilot__calls_in_flight="ten_seconds")
    for _ in range(3):
        call(neighbour, steps.IMAGE)

    answer = second_key(neighbour).post(steps.IMAGE, json=steps.BODIES[steps.IMAGE])

    assert answer.status == 200


@pytest.mark.clause("UG-071")
def test_cap_counts_the_renders_of_one_key(neighbour: Account) -> None:
    """Another key of the same account has places of its own, and the same balance."""
    other = second_key(neighbour)
    for _ in range(3):
        steps.start(neighbour)

    statuses = [other.post(steps.START, json=steps.body()).status for _ in range(4)]

    assert steps.try_start(neighbour).status == 429
    assert statuses == [200, 200, 200, 429]
    assert neighbour.money == (892, 0, 108)


@pytest.mark.clause("UG-071")
def test_renders_of_another_account_are_not_counted(ugc: Account, neighbour: Account) -> None:
    for _ in range(5):
        steps.start(ugc)

    assert steps.try_start(neighbour).status == 200


@pytest.mark.clause("UG-090")
def test_free_calls_come_back_a_day_later(world: MockWorld) -> None:
    """U27: a day is the last 24 hours."""
    free, body = world.anonymous("ugc_copilot"), steps.FREE_BODIES[steps.FREE_TRENDS]
    statuses: list[int] = []

    for _ in range(3):
        statuses.append(free.post(steps.FREE_TRENDS, json=body).status)
        world.advance(HOUR_MS)
    refused = free.post(steps.FREE_TRENDS, json=body)
    world.advance(int(refused.headers["retry-after"]) * 1_000)
    again = free.post(steps.FREE_TRENDS, json=body)

    assert statuses == [200] * 3
    assert refused.headers["retry-after"] == str(21 * 3_600)
    assert (refused.status, again.status) == (429, 200)

"""Lantern, whose webhooks the tests of the engine receive, lives as the other providers do."""

from __future__ import annotations

import re

import pytest

from .lantern import Lantern, make_lantern


@pytest.fixture
def lantern() -> Lantern:
    return make_lantern(credits=12)


def test_film_is_created(lantern: Lantern) -> None:
    answer = lantern.client.post("/films", json={"line": "a fox crosses the snow"})

    assert answer.status == 201
    film = answer.json()
    assert re.fullmatch("film_[0-9a-f]{8}", film.pop("id"))
    assert film == {
        "state": "waiting",
        "line": "a fox crosses the snow",
        "made_at": "2026-01-01T00:00:00Z",
        "percent": 0,
    }


def test_film_goes_through_its_states_when_polled(lantern: Lantern) -> None:
    film = lantern.start()

    seen = []
    for _ in range(3):
        detail = lantern.client.get(f"/films/{film}").json()
        seen.append((detail["state"], detail["percent"]))
        lantern.world.advance(6_000)

    assert seen == [("waiting", 0), ("cutting", 50), ("shown", 100)]


def test_finished_film_says_when(lantern: Lantern) -> None:
    film = lantern.start()

    lantern.world.advance(60_000)

    detail = lantern.client.get(f"/films/{film}").json()
    assert (detail["shown_at"], "why" in detail) == ("2026-01-01T00:00:10Z", False)


def test_longer_film_takes_longer(lantern: Lantern) -> None:
    film = lantern.start(length="long")

    lantern.world.advance(29_999)
    before = lantern.client.get(f"/films/{film}").json()["state"]
    lantern.world.advance(1)
    after = lantern.client.get(f"/films/{film}").json()["state"]

    assert (before, after) == ("cutting", "shown")


def test_films_are_listed_newest_first(lantern: Lantern) -> None:
    first, second = lantern.start("one"), lantern.start("two")

    everything = lantern.client.get("/films").json()["films"]
    newest = lantern.client.get("/films", query={"limit": 1}).json()["films"]

    assert [film["id"] for film in everything] == [second, first]
    assert [film["id"] for film in newest] == [second]


@pytest.mark.parametrize("line", ["a fox", "[[screentest:fail=the paper tore]]"])
def test_film_fails_by_a_directive(lantern: Lantern, line: str) -> None:
    film = lantern.start(line)
    if line == "a fox":
        lantern.world.fail_job(film, "the paper tore")

    lantern.world.advance(10_000)

    detail = lantern.client.get(f"/films/{film}").json()
    assert (detail["state"], detail["why"]) == ("torn", "the paper tore")


def test_film_is_completed_by_hand(lantern: Lantern) -> None:
    film = lantern.start("[[screentest:fail]]")

    lantern.world.change(f"jobs/{film}", {"outcome": "completed"})
    lantern.world.advance(10_000)

    assert lantern.client.get(f"/films/{film}").json()["state"] == "shown"


def test_money_is_set_aside_taken_and_given_back(lantern: Lantern) -> None:
    lantern.start()
    lantern.start("[[screentest:fail]]")
    while_cutting = lantern.account.money

    lantern.world.advance_until_idle()

    assert (while_cutting, lantern.account.money) == ((2, 10, 0), (7, 0, 5))


def test_film_without_credits_is_refused(lantern: Lantern) -> None:
    lantern.start()
    lantern.start()

    answer = lantern.client.post("/films", json={"line": "one too many"})

    assert (answer.status, answer.json()) == (402, {"error": "5 needed, 2 there"})


def test_only_a_finished_film_is_deleted(lantern: Lantern) -> None:
    film = lantern.start()

    early = lantern.client.delete(f"/films/{film}")
    lantern.world.advance(10_000)
    late = lantern.client.delete(f"/films/{film}")
    again = lantern.client.get(f"/films/{film}")

    assert (early.status, early.json()) == (409, {"error": f"film {film} is waiting"})
    assert (late.status, late.content) == (204, b"")
    assert (again.status, again.json()) == (404, {"error": f"no film {film}"})


@pytest.mark.parametrize(
    ("body", "status"),
    [({}, 400), ({"line": ""}, 400), ({"line": 3}, 400), ({"line": "a", "length": "huge"}, 400)],
)
def test_wrong_bodies_are_refused(lantern: Lantern, body: object, status: int) -> None:
    answer = lantern.client.post("/films", json=body)

    assert (answer.status, list(answer.json())) == (status, ["error"])


def test_call_without_a_key_is_refused(lantern: Lantern) -> None:
    answer = lantern.world.anonymous("lantern").get("/films")

    assert (answer.status, answer.json()) == (401, {"error": "a key is needed"})

"""A provider is two files: the mock serves an invented one, with money, limits and media."""

from __future__ import annotations

import pytest

from ..mock_client import Account
from .marionette import ENDS_MS, Note, open_world, order, play, take_notes


@pytest.fixture
def theatre() -> Account:
    """An account with the documented 50 credits."""
    return open_world().account("marionette")


def test_job_is_created_as_its_view_says(theatre: Account) -> None:
    answer = theatre.client.post("/v1/plays", json={"title": "Faust"})

    made = answer.json()
    assert answer.status == 201
    assert made.pop("id").startswith("play_")
    assert made == {"title": "Faust", "stage": "rehearsing", "percent": 0, "begun": 1_767_225_600}


def test_job_runs_through_its_lifecycle(theatre: Account) -> None:
    id_ = order(theatre)

    seen: list[tuple[str, int]] = []
    for by_ms in (0, 4_999, 1, 10_000, 9_999, 1):
        theatre.world.advance(by_ms)
        shown = play(theatre, id_)
        seen.append((shown["stage"], shown["percent"]))

    assert seen == [
        ("rehearsing", 0),
        ("rehearsing", 0),
        ("playing", 0),
        ("playing", 50),
        ("playing", 99),
        ("applauded", 100),
    ]


def test_durations_scale_by_the_fact_that_the_contract_names(theatre: Account) -> None:
    id_ = order(theatre, strings="many")

    theatre.world.advance(2 * ENDS_MS - 1)
    before = play(theatre, id_)["stage"]
    theatre.world.advance(1)

    assert (before, play(theatre, id_)["stage"]) == ("playing", "applauded")


def test_failed_job_tells_its_reason(theatre: Account) -> None:
    id_ = order(theatre)
    theatre.world.fail_job(id_, "A string broke.")

    theatre.world.advance(ENDS_MS)

    shown = play(theatre, id_)
    assert (shown["stage"], shown["reason"]) == ("booed", "A string broke.")
    assert "film" not in shown


def test_failure_without_a_reason_tells_the_contracts(theatre: Account) -> None:
    id_ = order(theatre, "[[screentest:fail]]")

    theatre.world.advance(ENDS_MS)

    assert play(theatre, id_)["reason"] == "The strings got tangled."


def test_finished_job_has_a_film_behind_a_signed_url(theatre: Account) -> None:
    id_ = order(theatre)
    theatre.world.advance(ENDS_MS)
    url = play(theatre, id_)["film"]

    first = theatre.client.follow(url)
    forged = theatre.client.follow(url.replace(id_, "play_0000000000"))
    theatre.world.advance(600_000)
    later = theatre.client.follow(url)

    assert first.headers["content-type"] == "video/mp4"
    assert first.content[4:8] == b"ftyp"
    assert (first.status, forged.status, later.status) == (200, 403, 403)


def test_list_is_newest_first_and_ones_own(theatre: Account) -> None:
    ids = [order(theatre, "Faust"), order(theatre, "Medea")]
    stranger = theatre.world.account("marionette")

    listed = theatre.client.get("/v1/plays").json()["plays"]
    shortened = theatre.client.get("/v1/plays", query={"limit": 1}).json()["plays"]

    assert [it["id"] for it in listed] == [ids[1], ids[0]]
    assert [it["title"] for it in shortened] == ["Medea"]
    assert stranger.client.get("/v1/plays").json() == {"plays": []}


def test_foreign_job_is_as_unknown_as_one_that_never_was(theatre: Account) -> None:
    id_ = order(theatre)
    stranger = theatre.world.account("marionette")

    answer = stranger.client.get(f"/v1/plays/{id_}")

    assert answer.status == 404
    assert answer.json() == {"fault": {"says": f"No play {id_}."}}


def test_deleted_job_is_gone(theatre: Account) -> None:
    id_ = order(theatre)

    deleted = theatre.client.delete(f"/v1/plays/{id_}")

    assert (deleted.status, deleted.content) == (204, b"")
    assert theatre.client.get(f"/v1/plays/{id_}").status == 404


def test_operation_without_rules_answers_its_example(theatre: Account) -> None:
    answer = theatre.client.get("/v1/puppets")

    assert answer.json() == {"puppets": [{"name": "Hansel"}, {"name": "Gretel"}]}


def test_price_is_held_and_then_taken_or_given_back(theatre: Account) -> None:
    good, bad = order(theatre, acts=2), order(theatre, acts=3)
    theatre.world.fail_job(bad, "")

    running = theatre.money
    theatre.world.advance(ENDS_MS)

    assert play(theatre, good)["stage"] == "applauded"
    assert (running, theatre.money) == ((0, 50, 0), (30, 0, 20))


def test_job_that_is_too_dear_is_refused_and_costs_nothing(theatre: Account) -> None:
    theatre.set_credits(9)

    answer = theatre.client.post("/v1/plays", json={"title": "Faust"})

    assert answer.status == 402
    assert answer.json() == {"fault": {"says": "It costs 10, you have 9."}}
    assert theatre.money == (9, 0, 0)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "title: expected a value, got nothing"),
        ({"title": ""}, 422, "title: expected at least 1 character, got 0"),
        ({"title": "Faust", "acts": 5}, 422, "acts: expected at most 4, got 5"),
        ({"title": "Faust", "masks": 1}, 422, "masks: expected no such field, got a value"),
        ({"title": "[[screentest:reject]]"}, 422, "Not on our stage: content policy violation"),
    ],
)
def test_bad_order_is_refused_in_the_providers_words(
    theatre: Account, body: dict[str, object], status: int, says: str
) -> None:
    answer = theatre.client.post("/v1/plays", json=body)

    assert (answer.status, answer.json()) == (status, {"fault": {"says": says}})


def test_key_is_demanded_in_the_documented_header(theatre: Account) -> None:
    anonymous = theatre.world.anonymous("marionette").get("/v1/plays")
    stranger = theatre.world.anonymous("marionette").get(
        "/v1/plays", headers={"X-Stage-Key": "stage_" + "0" * 24}
    )

    assert (anonymous.status, anonymous.json()["fault"]["says"]) == (
        401,
        "Send your key as X-Stage-Key.",
    )
    assert (stranger.status, stranger.json()["fault"]["says"]) == (401, "That key opens nothing.")


def test_third_job_at_a_time_has_to_wait(theatre: Account) -> None:
    for _ in range(2):
        order(theatre)

    refused = theatre.client.post("/v1/plays", json={"title": "Faust"})
    theatre.world.advance(ENDS_MS)

    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    assert order(theatre)


def test_seventh_job_of_a_minute_has_to_wait(theatre: Account) -> None:
    account = theatre.world.account("marionette", credits=100, tier="troupe")
    for _ in range(5):
        order(account)
    account.world.advance(ENDS_MS)
    order(account)

    refused = account.client.post("/v1/plays", json={"title": "Faust"})
    account.world.advance(35_000)

    assert refused.json() == {"fault": {"says": "At most 6 a minute."}}
    assert (refused.status, refused.headers["retry-after"]) == (429, "35")
    assert order(account)


def test_end_is_delivered_in_the_providers_own_form(theatre: Account) -> None:
    notes, seal = take_notes(theatre)
    good, bad = order(theatre, "Faust"), order(theatre, "Medea")
    theatre.world.fail_job(bad, "A string broke.")

    theatre.world.advance(ENDS_MS)

    detail = {note.body["play"]["id"]: note for note in notes}
    assert detail[good].body["about"] == "play.applauded"
    assert detail[good].body["at"] == 1_767_225_625_000
    assert detail[good].body["play"] == {"id": good, "title": "Faust", "stage": "applauded"}
    assert detail[bad].body["about"] == "play.booed"
    assert detail[bad].body["more"] == {"reason": "A string broke."}
    assert [note.is_sealed_with(seal) for note in notes] == [True, True]


def test_film_that_a_note_names_can_be_fetched_at_once(theatre: Account) -> None:
    statuses: list[int] = []

    def fetch(note: Note) -> None:
        statuses.append(theatre.client.follow(note.body["more"]["film"]).status)

    take_notes(theatre, fetch)
    order(theatre)

    theatre.world.advance(ENDS_MS)

    assert statuses == [200]

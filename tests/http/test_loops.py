"""Loops that no answer can end: found once it is certain, and not before."""

from __future__ import annotations

import json

import pytest

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld
from tests.ozor import steps as ozor_steps

from .paid_jobs import LOOK, START, each_provider


def _found(world: MockWorld, code: str) -> list[Json]:
    return world.findings(code=code)


@each_provider
def test_twenty_polls_after_the_end_are_a_loop_without_an_end(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)
    job = START[provider](account)
    world.advance_until_idle()

    counts: list[int] = []
    for _ in range(25):
        LOOK[provider](account, job)
        world.advance(10_000)
        counts.append(len(_found(world, "SC214")))

    assert counts == [0] * 19 + [1] * 6
    assert _found(world, "SC214")[0]["severity"] == "error"


@each_provider
def test_polls_whose_answers_were_spoilt_are_no_loop(world: MockWorld, provider: str) -> None:
    """The client has not been shown the end, so it is right to ask again."""
    account = world.account(provider)
    job = START[provider](account)
    world.advance_until_idle()
    world.order_fault("malformed_json", times=25)

    for _ in range(25):
        with pytest.raises(json.JSONDecodeError):
            LOOK[provider](account, job)
        world.advance(60_000)
    LOOK[provider](account, job)

    assert [it["code"] for it in world.findings()] == []


@pytest.mark.parametrize(("shown", "codes"), [("processing", []), ("settling", ["SC214"])])
def test_client_that_is_shown_another_state_is_to_know_what_states_there_are(
    ozor: Account, shown: str, codes: list[str]
) -> None:
    """It cannot know that the job has ended, but that it does not know the state."""
    job = ozor_steps.generate(ozor)
    ozor.world.advance_until_idle()
    changes = {"pointer": "/status", "value": shown}
    ozor.world.order_fault("changed_field", times=25, attributes=changes)

    for _ in range(25):
        assert ozor_steps.job(ozor, job)["status"] == shown
        ozor.world.advance(10_000)

    assert [it["code"] for it in ozor.world.findings()] == ["SC212", *codes]


def test_polls_with_a_field_too_many_are_a_loop_as_ever(ozor: Account) -> None:
    job = ozor_steps.generate(ozor)
    ozor.world.advance_until_idle()
    ozor.world.order_fault("changed_field", times=25)

    for _ in range(25):
        ozor_steps.job(ozor, job)
        ozor.world.advance(10_000)

    assert len(_found(ozor.world, "SC214")) == 1


def test_poll_of_a_stuck_job_is_a_loop_without_an_end_after_two_hours(ozor: Account) -> None:
    job = ozor_steps.generate(ozor, prompt="A lamp [[screentest:stall]]")
    ozor.world.advance_until_idle()

    counts: list[int] = []
    for minutes in (0, 119, 60, 60):
        ozor.world.advance(minutes * 60_000)
        ozor_steps.job(ozor, job)
        counts.append(len(_found(ozor.world, "SC214")))

    assert counts == [0, 0, 1, 1]
    assert "has not moved for" in _found(ozor.world, "SC214")[0]["actual"]


def test_client_with_a_deadline_of_an_hour_is_not_accused_of_a_loop(ozor: Account) -> None:
    job = ozor_steps.generate(ozor, prompt="A lamp [[screentest:stall]]")

    for _ in range(360):
        ozor.world.advance(10_000)
        ozor_steps.job(ozor, job)

    assert _found(ozor.world, "SC214") == []


@each_provider
def test_fifty_polls_at_one_instant_ask_for_a_clock_that_moves(
    world: MockWorld, provider: str
) -> None:
    account = world.account(provider)
    job = START[provider](account)

    for _ in range(55):
        LOOK[provider](account, job)

    found = _found(world, "SC504")
    assert [it["severity"] for it in found] == ["warning"]
    assert 'use clock "auto"' in found[0]["fix"]


def test_polls_between_which_the_clock_moves_are_not_frozen(ozor: Account) -> None:
    job = ozor_steps.generate(ozor)

    for _ in range(80):
        ozor_steps.job(ozor, job)
        ozor.world.advance(10)

    assert _found(ozor.world, "SC504") == []

"""A target that answers from memory sends nothing, and keeps the time of then."""

from __future__ import annotations

import pytest

from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.needs import UnableError
from screentest.contract_tests.targets.replayed import Answer, Replayed, credits_answer
from screentest.contract_tests.targets.target import Identity, OutgoingRequest
from screentest.specs.contracts.registry import load_contract

READ = OutgoingRequest("GET", "/v1/videos/1", "", {"Authorization": "Bearer k"})
OWNER = Identity("owner")


def _answer(status: int, at_ms: int, wire: OutgoingRequest = READ) -> Answer:
    return wire, wire.answered(status, {}, b"", at_ms, at_ms + 5)


def _replayed(*answers: Answer) -> Replayed:
    contract = load_contract("znapai")
    return Replayed(InProcessTarget(make_app(contract), contract), answers)


def test_each_answer_is_given_once_in_order() -> None:
    target = _replayed(_answer(200, 100), _answer(404, 900))

    assert [target.send(READ).status, target.send(READ).status] == [200, 404]
    with pytest.raises(UnableError, match="the server was not asked this"):
        target.send(READ)


def test_a_request_of_another_caller_was_not_asked() -> None:
    target = _replayed(_answer(200, 100))

    with pytest.raises(UnableError):
        target.send(OutgoingRequest("GET", "/v1/videos/1", "", {"authorization": "Bearer other"}))


def test_names_of_headers_are_alike_in_any_case() -> None:
    target = _replayed(_answer(200, 100))

    wire = OutgoingRequest("GET", "/v1/videos/1", "", {"AUTHORIZATION": "Bearer k"})

    assert target.send(wire).status == 200


def test_the_clock_is_that_of_the_answers_and_waiting_costs_no_time() -> None:
    target = _replayed(_answer(200, 100), _answer(200, 5_000))
    times = [target.now_ms()]

    target.send(READ)
    times.append(target.now_ms())
    target.wait(2_000)
    times.append(target.now_ms())
    target.send(READ)
    times.append(target.now_ms())

    assert times == [100, 105, 2_105, 5_005]


def test_files_and_credits_are_remembered_too() -> None:
    file = OutgoingRequest("GET", "/f.mp4").answered(200, {}, b"video", 7)
    target = _replayed(("https://files.example/f.mp4", file), credits_answer(OWNER, 930, 8))

    assert target.fetch("https://files.example/f.mp4").body == b"video"
    assert target.credits(OWNER) == 930

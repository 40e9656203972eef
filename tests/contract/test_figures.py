"""Figures of money in answers: each is the price, and each balance follows from the last one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from screentest.contract_tests.monitors.figures import Figures
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.traces.trace import Balance, Exchange
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

CONTRACT = load_contract("ulazai")
PRICE = "money.generateTextToVideo.price"
SHOWN = "money.generateTextToVideo.shown"
REFUSED = "money.generateTextToVideo.refused"


def _exchange(
    method: str, path: str, operation: str, status: int, reply: Any, sent: Any
) -> Exchange:
    return Exchange(
        1, 0, "owner", "owner", operation, method, path, "", {}, b"", sent, status, {}, b"", reply
    )


def _made(task: str, charged: int, left: int) -> Exchange:
    data = {"task_id": task, "credits_charged": charged, "credits_remaining": left}
    path, sent = "/api/v1/sora/generate/text-to-video/", {"prompt": "a lamp"}
    reply = {"success": True, "data": {**data, "status": "processing"}}
    return _exchange("POST", path, "generateTextToVideo", 201, reply, sent)


def _refused() -> Exchange:
    return _exchange(
        "POST", "/api/v1/sora/generate/text-to-video/", "generateTextToVideo", 400, {}, {}
    )


def _read(task: str, status: str) -> Exchange:
    path = f"/api/v1/sora/status/{task}/"
    reply = {"success": True, "data": {"task_id": task, "status": status}}
    read = _exchange("GET", path, "getTaskStatus", 200, reply, None)
    return replace(read, path_values={"task_id": task})


def _judged(*events: Exchange | Balance) -> Judge:
    checks = load_checks(CONTRACT)
    judge = Judge(rules_of(CONTRACT, checks))
    figures = Figures(CONTRACT, checks, judge)
    for event in events:
        figures.see(event)
    return judge


def test_a_charge_is_the_price_and_the_next_balance_is_less_by_it() -> None:
    judge = _judged(_made("t1", 70, 930), _made("t2", 70, 860))

    assert (judge.kept[PRICE], judge.kept[SHOWN], judge.findings) == (2, 1, [])


def test_a_charge_that_is_not_the_price_is_found() -> None:
    judge = _judged(_made("t1", 71, 929))

    assert [it.summary for it in judge.findings] == [
        "$response.body#/data/credits_charged is 71; it costs 70"
    ]


@pytest.mark.parametrize("left", [930, 861, 859])
def test_a_balance_that_does_not_follow_is_found(left: int) -> None:
    ended = _read("t1", "success")

    judge = _judged(_made("t1", 70, 930), ended, _made("t2", 70, left))

    assert [it.rule.id for it in judge.findings if it.rule.id == SHOWN] == [SHOWN]


def test_a_job_that_has_not_ended_may_return_its_price() -> None:
    judge = _judged(_made("t1", 70, 930), _made("t2", 70, 930))

    assert judge.findings == []


def test_a_refusal_between_two_balances_took_nothing() -> None:
    ended = _read("t1", "success")

    judge = _judged(_made("t1", 70, 930), ended, _refused(), _made("t2", 70, 790))

    assert REFUSED in {it.rule.id for it in judge.findings}


def test_a_balance_that_was_set_is_followed_by_any_figure() -> None:
    judge = _judged(_made("t1", 70, 930), Balance(0, "owner", 5_000), _made("t2", 70, 4_930))

    assert (judge.kept[SHOWN], judge.findings) == (0, [])

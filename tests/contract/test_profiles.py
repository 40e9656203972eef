"""A profile says what a server was seen to do, and the mock that follows it does the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from screentest.contract_tests.report.drift import drift
from screentest.contract_tests.report.profile import profile_of, profile_report
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.scenarios.readings import Memories
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import (
    Ran,
    Result,
    Supplied,
    scenarios_of,
    verify,
)
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.contract_tests.traces.trace import Exchange, Trace
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.profile import Profile, Span, read_profile
from screentest.specs.contracts.registry import load_contract, shipped_contracts
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json

#: A server that is slower than documented, and sends what no document shows.
_SLOW: Json = {
    "profile": 1,
    "provider": "ulazai",
    "readings": {"ulazai.image_to_video_status": "200", "ulazai.created_at": "microseconds"},
    "open_readings": {},
    "refused_first": [],
    "extra_fields": {
        "getTaskStatus": {"200": {"/data/owner": "string", "/trace": "object"}},
        "generateTextToVideo": {"201": {"/data/queue": "integer"}},
    },
    "durations": {
        "generation": {
            "processing": {
                "jobs": 1,
                "least_ms": 300_000,
                "p50_ms": 300_000,
                "p90_ms": 300_000,
                "most_ms": 300_000,
                "within_ms": 0,
            }
        }
    },
    "rate_headers": {},
}


def _file(folder: Path, content: Json, name: str = "profile.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content, indent=1), "utf-8")
    return path


def _verified(profile: Path, *names: str, provider: str = "ulazai", fits: bool = True) -> Result:
    """The verdicts of scenarios called *names…* on a mock that follows *profile*, as a stranger's.

    *fits* finds out which readings fit.
    """
    served = shipped_contracts().profiled([profile]).load(provider)
    contract = load_contract(provider)
    checks = load_checks(contract)
    mock = PlainTarget(InProcessTarget(make_app(served), served))
    target = Guarded(mock, contract, CreditBudget(None))
    memories = Memories(target)
    chosen = [it for it in scenarios_of(contract, checks) if it.name.startswith(names)]
    result = verify(
        contract,
        checks,
        lambda: target,
        chosen,
        is_open=True,
        is_shared=True,
        on_begin=memories.begin,
    )
    memories.find(result, {}, is_profiled=fits)
    return result


def test_durations_and_further_fields_are_seen(tmp_path: Path) -> None:
    slow = {**_SLOW, "readings": {}}

    found = profile_of(_verified(_file(tmp_path, slow), "walk task", fits=False))

    assert found.extra_fields == _SLOW["extra_fields"]
    stay = found.durations["generation"]["processing"]
    assert (stay.jobs, abs(stay.p50_ms - 300_000) <= stay.within_ms <= 30_000) == (1, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "readings"),
    [
        ("ulazai", _SLOW["readings"]),
        ("oshara", {"oshara.foreign_job": "403", "oshara.list_form": "paginated"}),
    ],
)
def test_a_mock_that_follows_a_profile_has_that_profile(
    provider: str, readings: dict[str, str], tmp_path: Path
) -> None:
    """Server A is made by hand, mock B follows what was seen of A."""
    slow = _SLOW if provider == "ulazai" else {}
    made = {**_SLOW, "provider": provider, "extra_fields": {}, "durations": {}, **slow}
    made["readings"] = readings

    names = ("walk", "owners", "list", "credentials of get", "example")
    path_a, path_b = tmp_path / "a.json", tmp_path / "b.json"
    of_a = _verified(_file(tmp_path, made), *names, provider=provider)
    path_a.write_text(profile_report(of_a), "utf-8")
    of_b = _verified(path_a, *names, provider=provider)
    path_b.write_text(profile_report(of_b), "utf-8")

    a, b = read_profile(path_a), read_profile(path_b)
    assert {name: a.readings[name] for name in readings} == readings
    assert a.extra_fields == made["extra_fields"]
    for part in ("readings", "open_readings", "refused_first", "extra_fields", "rate_headers"):
        assert getattr(a, part) == getattr(b, part), part
    assert a.durations.keys() == b.durations.keys() != set()
    assert drift(path_a, path_b, provider, tolerance=0.25) == []


def _seen(*exchanges: Exchange) -> Profile:
    """The profile of a server of ulazai that gave these answers."""
    contract = load_contract("ulazai")
    checks = load_checks(contract)
    judge = Judge(rules_of(contract, checks))
    result = Result(contract, checks, "", judge, Supplied(frozenset(), 0))
    scenario = Scenario("by hand", "", lambda session: None)
    result.ran = [Ran(scenario, Trace("ulazai", list(exchanges)), 0.0)]
    return profile_of(result)


def _exchange(operation: str, status: int, at_s: float = 0, **more: Any) -> Exchange:
    found = Exchange(
        number=1,
        at_ms=round(at_s * 1_000),
        actor="owner",
        key="owner",
        operation=operation,
        method="",
        path="",
        query="",
        request_headers={"content-type": "application/json"},
        request_body=b"{}",
        sent={"prompt": "A lamp"},
        status=status,
        headers={"content-type": "application/json"},
        body=b"{}",
        reply={},
        ended_ms=round(at_s * 1_000),
    )
    return replace(found, **more)


def _made(at_s: float, task: str, **sent: Json) -> Exchange:
    reply = {"success": True, "data": {"task_id": task, "status": "processing"}}
    body = {"prompt": "A lamp", **sent}
    return _exchange("generateTextToVideo", 201, at_s, reply=reply, sent=body)


def _polled(at_s: float, task: str, status: str) -> Exchange:
    reply = {"success": True, "data": {"task_id": task, "status": status}}
    return _exchange("getTaskStatus", 200, at_s, reply=reply, path_values={"task_id": task})


def test_the_first_of_two_refusals_is_seen() -> None:
    found = _seen(
        # No key and a broken body; no credits and no prompt; an unknown key and a good body.
        _exchange("generateTextToVideo", 401, actor="anonymous", sent=None, request_body=b"{"),
        _exchange("generateTextToVideo", 400, actor="empty", sent={}),
        _exchange("generateTextToVideo", 401, actor="unknown"),
        _exchange("generateTextToVideo", 201, sent={}),
    )

    assert found.refused_first == (("authentication", "body"), ("validation", "credits"))


def test_numbers_in_headers_about_rates_are_seen_and_no_others() -> None:
    def answer(**headers: str) -> Exchange:
        named = {name.replace("_", "-"): it for name, it in headers.items()}
        return _exchange("getTaskStatus", 200, headers=named)

    found = _seen(
        answer(x_ratelimit_remaining="7", retry_after="soon", x_request_id="12"),
        answer(x_ratelimit_remaining="3", ratelimit_limit="60"),
    )

    assert found.rate_headers == {
        "getTaskStatus": {"x-ratelimit-remaining": (3, 7), "ratelimit-limit": (60, 60)}
    }


def test_a_stay_lies_in_the_middle_between_two_polls() -> None:
    found = _seen(
        _made(0, "a"),
        _polled(100, "a", "processing"),
        _polled(110, "a", "success"),
        # High quality takes 1.2 times as long.
        _made(200, "b", quality="high"),
        _polled(374, "b", "processing"),
        _polled(386, "b", "success"),
        # One that failed, one without an end, one that another program made, one left alone.
        _made(0, "c"),
        _polled(10, "c", "failed"),
        _made(0, "d"),
        _polled(500, "e", "processing"),
        _polled(510, "e", "success"),
        _made(0, "f"),
        _polled(900, "f", "success"),
    )

    assert found.durations == {
        "generation": {"processing": Span(2, 105_000, 105_000, 150_000, 150_000, 5_000)}
    }


_A_SPAN = {"jobs": 1, "least_ms": 1, "p50_ms": 2, "p90_ms": 3, "most_ms": 3, "within_ms": 0}


@pytest.mark.parametrize(
    ("change", "line", "detail"),
    [
        ({"profile": 2}, 2, "this is not a profile: Invalid enum value 2"),
        ({"further": 1}, 1, "this is not a profile: Object contains unknown field `further`"),
        ({"provider": "ulasai"}, 3, "no provider 'ulasai'; did you mean 'ulazai'?"),
        ({"readings": {"ulazai.retry_aftr": "30"}}, 5, "no interpretation 'ulazai.retry_aftr'"),
        ({"readings": {"ulazai.retry_after": "3"}}, 5, "no reading of ulazai.retry_after '3'"),
        ({"extra_fields": {"getTask": {}}}, 8, "no operation 'getTask'; did you mean"),
        ({"durations": {"task": {}}}, 9, "no lifecycle 'task' (there are: generation)"),
        (
            {"durations": {"generation": {"success": _A_SPAN}}},
            10,
            "no state that lasts 'success' (there are: processing)",
        ),
        (
            {"durations": {"generation": {"processing": {**_A_SPAN, "least_ms": 4}}}},
            10,
            "least_ms is 4 and p90_ms is 3",
        ),
        (
            {"durations": {"generation": {"processing": {**_A_SPAN, "jobs": "1"}}}},
            8,
            "this is not a profile: Expected `int`, got `str`",
        ),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_the_line(
    change: Json, line: int, detail: str, tmp_path: Path
) -> None:
    path = _file(tmp_path, {**_SLOW, "readings": {}, "extra_fields": {}, **change})

    with pytest.raises(ContractError) as refused:
        shipped_contracts().profiled([path])

    assert str(refused.value).startswith(f"{path}:{line}: ")
    assert detail in str(refused.value)


def test_two_profiles_of_one_provider_are_refused(tmp_path: Path) -> None:
    path = _file(tmp_path, _SLOW)

    with pytest.raises(ContractError, match=r":3: at provider: another profile of ulazai was"):
        shipped_contracts().profiled([path, path])


def test_a_reading_that_is_chosen_takes_precedence_over_the_profile(tmp_path: Path) -> None:
    contracts = shipped_contracts().profiled([_file(tmp_path, _SLOW)])
    name = "ulazai.image_to_video_status"

    followed = contracts.load("ulazai")
    chosen = contracts.load("ulazai", {name: "201"})

    statuses = [it.reading_of("image_to_video_status") for it in (followed, chosen)]
    assert statuses == ["200", "201"]
    replies = [it.operations["generateImageToVideo"].replies.keys() for it in (followed, chosen)]
    assert ["201" in it for it in replies] == [False, True]
    assert chosen.reading_of("created_at") == "microseconds"
    assert chosen.behaviour.lifecycles["generation"].states["processing"].lasts_ms == (
        300_000,
        300_000,
    )
    assert load_contract("ulazai").reading_of("created_at") == "submission"

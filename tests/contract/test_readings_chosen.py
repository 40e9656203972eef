"""`--reading`: the kit judges by the reading that is named, and our own mock follows it."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.contract_tests.recordings.recorded import judge_recording, read_recording
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.traces.trace_file import write_trace
from screentest.mock_server.http.app import create_app
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import read_contract
from screentest.specs.contracts.registry import load_contract
from screentest.specs.errors import ContractError, UnknownNameError
from tests.mock_client import make_world

from .hands import PROVIDERS, verified

_ABSENT = {"ulazai.retry_after": "absent"}
_BUSY = {
    "provider": "ulazai",
    "operation": "generateTextToVideo",
    "status": 429,
    "headers": {"Content-Type": "application/json"},
    "body": {"success": False, "error": "Too many tasks", "error_code": "rate_limited"},
}


def _recorded(path: Path) -> Path:
    """Eleven tasks at once, at a mock whose 429 comes without Retry-After."""
    contract = load_contract("ulazai", _ABSENT)
    checks = load_checks(contract)
    target = InProcessTarget(make_app(contract), contract, readings=_ABSENT)
    session = Session(target, contract, checks, Judge(rules_of(contract, checks)))
    for _ in range(11):
        session.call("generateTextToVideo")
    write_trace(session.trace, path)
    return path


def test_recording_is_judged_by_the_reading_that_is_named(tmp_path: Path) -> None:
    trace = read_recording(_recorded(tmp_path / "trace.ndjson"), "ulazai").trace

    by_default = [it.summary for it in judge_recording(trace).judge.findings]
    by_reading = [it.summary for it in judge_recording(trace, _ABSENT).judge.findings]

    assert trace.exchanges[-1].status == 429
    assert ("the header Retry-After is missing" in " ".join(by_default), by_reading) == (True, [])


def test_our_own_mock_follows_the_reading() -> None:
    result = run_verify(
        VerifyOptions("ulazai", readings=_ABSENT, tier="full", only="jobs of"), lambda *_: None
    )

    assert (result.is_broken, result.judge.broken_rules) == (False, [])


@pytest.mark.parametrize(
    ("readings", "detail"),
    [
        (
            {"ulazai.retry_aftr": "absent"},
            "no interpretation 'ulazai.retry_aftr'; did you mean 'ulazai.retry_after'?",
        ),
        (
            {"ozor.credit_hold": "check_only"},
            "no interpretation 'ozor.credit_hold' (there are 30, such as ",
        ),
        (
            {"ulazai.retry_after": "abscent"},
            "no reading of ulazai.retry_after 'abscent'; did you mean 'absent'? "
            "(there are: 30, absent)",
        ),
    ],
)
def test_unknown_reading_is_refused_with_the_nearest(readings: dict[str, str], detail: str) -> None:
    with pytest.raises(UnknownNameError) as refused:
        _ = VerifyOptions("ulazai", readings=readings).contract

    assert str(refused.value).startswith(detail)


def test_replies_are_linted_by_the_readings_of_the_world_and_of_the_call() -> None:
    world = make_world(WsgiClient(create_app()))
    path = f"{world.path}/replies/lint"

    def pointers(**more: object) -> list[str]:
        answer = world.control.post(path, json={**_BUSY, **more})
        assert answer.status == 200, answer.text
        return [it["pointer"] for it in answer.json()["violations"] if "retry" in str(it).lower()]

    default = pointers()
    of_call = pointers(readings=_ABSENT)
    world.choose(ulazai__retry_after="absent")
    of_world, of_both = pointers(), pointers(readings={"ulazai.retry_after": "30"})
    refused = world.control.post(path, json={**_BUSY, "readings": {"ulazai.retry_after": "x"}})

    assert (len(default), of_call, of_world, len(of_both)) == (1, [], [], 1)
    assert (refused.status, refused.json()["code"]) == (422, "unknown_reading")


_ALTERNATIVES = [
    (provider, f"{provider}.{it.name}", value)
    for provider in PROVIDERS
    for it in load_contract(provider).behaviour.interpretations.values()
    for value in it.alternatives
]


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "name", "value"), _ALTERNATIVES)
def test_the_kit_finds_nothing_in_a_mock_of_any_reading(
    provider: str, name: str, value: str
) -> None:
    result = verified(provider, readings={name: value})

    assert [f"{it.rule.id}: {it.summary}" for it in result.judge.findings] == []
    assert [rule.id for rule in result.judge.not_judged] == []


def test_a_part_of_the_checks_holds_under_the_readings_that_it_names() -> None:
    by_default = load_checks(load_contract("ulazai"))
    by_reading = load_checks(load_contract("ulazai", {"ulazai.optin_default": "false"}))

    costs = [
        {it.name: it.costs for it in checks.accepted if "only a prompt" in it.summary}
        for checks in (by_default, by_reading)
    ]

    assert costs == [{"accepted.3": 70}, {"accepted.11": 80}]
    facts = [it.price_facts["generateTextToVideo"] for it in (by_default, by_reading)]
    assert [it["prompt_directory_optin"].default for it in facts] == [True, False]


def test_a_part_that_names_an_unknown_interpretation_is_refused(tmp_path: Path) -> None:
    folder = Path(str(copytree(load_contract("ulazai").folder, tmp_path / "ulazai")))
    file = folder / "checks.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("when: {optin_default", "when: {option_default"), "utf-8")

    with pytest.raises(
        ContractError,
        match=r"checks.yaml: when: no interpretation 'ulazai\.option_default'",
    ):
        load_checks(read_contract(folder))

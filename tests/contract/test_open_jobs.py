"""A job that was paid for is gone on with, and never paid for twice."""

from __future__ import annotations

from pathlib import Path

from screentest.contract_tests.in_process import InProcess, make_app
from screentest.contract_tests.judge import Judge
from screentest.contract_tests.open_jobs import OpenJobs
from screentest.contract_tests.rules import rules_of
from screentest.contract_tests.session import Session
from screentest.specs.checks import load_checks
from screentest.specs.contract import load_contract


def _session(target: InProcess, jobs: OpenJobs) -> Session:
    contract, checks = load_contract("ulazai"), load_checks("ulazai")
    judge = Judge(rules_of(contract, checks))
    return Session(target, contract, checks, judge, open_jobs=jobs)


def test_the_next_run_goes_on_with_the_job_of_the_last(tmp_path: Path) -> None:
    path = tmp_path / "open.json"
    contract = load_contract("ulazai")
    target = InProcess(make_app(contract), contract)
    first = _session(target, OpenJobs(path)).make("task")

    second = _session(target, OpenJobs(path))
    resumed = second.make("task")
    second.finish(resumed)

    assert resumed.ids == first.ids
    assert target.balance(target.owner).total == 1000 - 70
    assert OpenJobs(path).found == {}


def test_the_journal_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "open.json"
    contract = load_contract("ulazai")
    target = InProcess(make_app(contract), contract)

    _session(target, OpenJobs(path)).make("task")

    assert target.owner.keys["api_key"] not in path.read_text()

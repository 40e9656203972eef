"""A job that was paid for is gone on with, and never paid for twice."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.scenarios.verify import run_scenario, scenarios_of
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.needs import UnableError
from screentest.contract_tests.targets.open_jobs import (
    JobPlace,
    JournalError,
    OpenJobs,
    journal_in,
    place_of,
)
from screentest.contract_tests.targets.plans import changed
from screentest.contract_tests.targets.target import OutgoingRequest, Target
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

from .hands import PROVIDERS

HERE = place_of("ulazai", "http://127.0.0.1:8787/ulazai", ["a-key"])


@dataclass(slots=True)
class Unwell(InProcessTarget):
    """A world whose answers to GET have another *status* for once."""

    status: int = 0

    def send(self, wire: OutgoingRequest) -> Raw:
        raw = InProcessTarget.send(self, wire)
        if wire.method != "GET" or not self.status:
            return raw
        status, self.status = self.status, 0
        return replace(raw, status=status, body=b"{}")


def _world(provider: str = "ulazai", status: int = 0) -> Unwell:
    contract = load_contract(provider)
    return Unwell(make_app(contract), contract, status=status)


def _session(target: Target, jobs: OpenJobs, provider: str = "ulazai") -> Session:
    contract = load_contract(provider)
    checks = load_checks(contract)
    judge = Judge(rules_of(contract, checks))
    return Session(target, contract, checks, judge, open_jobs=jobs)


def test_the_next_run_goes_on_with_the_job_of_the_last(tmp_path: Path) -> None:
    path = tmp_path / "open.json"
    target = _world()
    first = _session(target, OpenJobs(path, HERE)).resources.make("task")

    second = _session(target, OpenJobs(path, HERE))
    resumed = second.resources.make("task")
    second.resources.finish(resumed)

    assert resumed.ids == first.ids
    assert target.controls.balance(target.owner).total == 1000 - 70
    assert OpenJobs(path, HERE).found == ()


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_job_that_the_server_does_not_speak_of_is_kept_and_not_paid_again(
    tmp_path: Path, status: int
) -> None:
    path, target = tmp_path / "open.json", _world()
    first = _session(target, OpenJobs(path, HERE)).resources.make("task")
    second = _session(target, OpenJobs(path, HERE))

    target.status = status
    with pytest.raises(UnableError, match="the task of an earlier run may still run"):
        second.resources.make("task")
    resumed = second.resources.make("task")

    assert resumed.ids == first.ids
    assert target.controls.balance(target.owner).total == 1000 - 70


def test_a_job_that_the_server_does_not_know_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "open.json"
    first = _session(_world(), OpenJobs(path, HERE)).resources.make("task")
    target = _world(status=404)

    made = _session(target, OpenJobs(path, HERE)).resources.make("task")

    assert [it.ids for it in OpenJobs(path, HERE).found] == [made.ids]
    assert made.ids.keys() == first.ids.keys()
    assert target.controls.balance(target.owner).total == 1000 - 70


def test_two_open_jobs_are_two_entries_and_each_is_gone_on_with_once(tmp_path: Path) -> None:
    path, target = tmp_path / "open.json", _world()
    broken_off = _session(target, OpenJobs(path, HERE))
    first = [broken_off.resources.make("task").ids, broken_off.resources.make("task").ids]

    later = _session(target, OpenJobs(path, HERE))
    second = [later.resources.make("task").ids, later.resources.make("task").ids]

    assert second == first
    assert target.controls.balance(target.owner).total == 1000 - 140


def test_another_request_is_not_answered_with_an_open_job(tmp_path: Path) -> None:
    path, target = tmp_path / "open.json", _world()
    session = _session(target, OpenJobs(path, HERE))
    first = session.resources.make("task")
    plan = changed(session.plan("generateTextToVideo"), {"prompt": "something else"})

    other = _session(target, OpenJobs(path, HERE)).resources.make("task", plan=plan)

    assert other.ids != first.ids


@pytest.mark.parametrize(
    "elsewhere",
    [
        place_of("ulazai", "https://ulazai.com", ["a-key"]),
        place_of("ulazai", "http://127.0.0.1:8787/ulazai", ["another-key"]),
    ],
)
def test_jobs_of_another_server_or_account_stay_as_they_are(
    tmp_path: Path, elsewhere: JobPlace
) -> None:
    path, target = tmp_path / "open.json", _world()
    theirs = _session(_world(), OpenJobs(path, elsewhere)).resources.make("task")

    session = _session(target, OpenJobs(path, HERE))
    session.resources.finish(session.resources.make("task"))

    assert [it.ids for it in OpenJobs(path, elsewhere).found] == [theirs.ids]
    assert target.controls.balance(target.owner).total == 1000 - 70


def test_what_a_scenario_has_shown_is_not_kept(tmp_path: Path) -> None:
    path, contract = tmp_path / "open.json", load_contract("ulazai")
    checks = load_checks(contract)
    session = _session(_world(), OpenJobs(path, HERE))
    scenario = next(it for it in scenarios_of(contract, checks) if it.name == "walk task")

    ran = run_scenario(scenario, session)

    assert (ran.unable, OpenJobs(path, HERE).found) == ("", ())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_journal_holds_neither_keys_nor_addresses_of_files(
    tmp_path: Path, provider: str
) -> None:
    path, target = tmp_path / "open.json", _world(provider)
    place = place_of(provider, "http://127.0.0.1:8787", list(target.owner.keys.values()))
    session = _session(target, OpenJobs(path, place), provider)

    for kind, make in session.checks.makes.items():
        if make.needs is None:
            session.resources.make(kind)

    jobs = json.loads(path.read_text())["open_jobs"]
    assert {it["kind"] for it in jobs} <= {*session.contract.behaviour.resources}
    assert [it for job in jobs for it in job["ids"].values() if "://" in str(it)] == []
    assert [it for it in target.owner.keys.values() if it in path.read_text()] == []


def test_the_bill_has_what_a_job_of_an_earlier_run_takes_in_this_one(tmp_path: Path) -> None:
    path, contract, budget = tmp_path / "open.json", load_contract("ozor"), CreditBudget(1)
    world = _world("ozor")
    _session(world, OpenJobs(path, HERE), "ozor").resources.make("agent_job")
    target = Guarded(world, contract, budget)
    session = _session(target, OpenJobs(path, HERE, target.adopt), "ozor")

    made = session.resources.make("agent_job")
    before = (budget.spent, budget.pending)
    session.resources.finish(made)

    assert (before, (budget.spent, budget.pending)) == ((0, 1), (1, 0))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": {"task_id": "t"}}', "\xff"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "open.json"
    path.write_text(text, encoding="latin-1")

    with pytest.raises(JournalError, match="is not a journal of open jobs; name another file"):
        OpenJobs(path, HERE)

    assert path.read_text(encoding="latin-1") == text


def test_places_have_files_of_their_own(tmp_path: Path) -> None:
    other = place_of("ulazai", "https://ulazai.com", ["a-key"])

    names = {journal_in(tmp_path / "made", it).name for it in (HERE, other, HERE)}

    assert len(names) == 2
    assert (tmp_path / "made").is_dir()

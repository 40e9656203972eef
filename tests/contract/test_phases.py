"""Schemathesis with our monitors as one of its checks: every phase finds what no schema can say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from werkzeug.test import Client

from screentest.contract_tests.mutants.mutant import mutants_of
from screentest.contract_tests.mutants.run import mutated_app
from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge, RuleVerdict
from screentest.contract_tests.runs.phases import PHASES, run_phase, schemathesis_rules
from screentest.contract_tests.runs.wsgi_adapter import Front
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.contract_tests.targets.target import Target
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

from .hands import PROVIDERS

CONTRACT = load_contract("ulazai")


def _session(target: Target, provider: str = "ulazai") -> Session:
    contract = load_contract(provider)
    checks = load_checks(contract)
    return Session(target, contract, checks, Judge(rules_of(contract, checks)))


def _with_defect(mutant_id: str) -> Session:
    mutant = next(it for it in mutants_of("ulazai") if it.id == mutant_id)
    return _session(InProcessTarget(mutated_app(CONTRACT, mutant), CONTRACT))


@pytest.mark.long
@pytest.mark.parametrize("phase", PHASES)
def test_a_read_that_costs_a_credit_is_found_in_every_phase(phase: str) -> None:
    session = _with_defect("UL-CRD10")

    run_phase(session, phase, examples=5)

    assert {it.rule.id for it in session.judge.findings} == {"money.free"}


@pytest.mark.parametrize("phase", PHASES)
def test_an_answer_about_another_task_is_found_in_every_phase(phase: str) -> None:
    session = _with_defect("UL-LIF4")

    run_phase(session, phase, examples=5)

    assert "life.task.same" in {it.rule.id for it in session.judge.findings}


def test_a_failure_that_schemathesis_finds_is_reported_with_its_exchange() -> None:
    session = _with_defect("UL-CRD4")

    run_phase(session, "examples", examples=5)

    ours = "schemathesis.not_a_server_error"
    finding = next(it for it in session.judge.findings if it.rule.id == ours)
    assert "POST /api/v1/sora/generate/" in finding.exchanges[-1].line
    assert finding.exchanges[-1].status == 500


def test_a_kept_contract_is_judged_by_every_check_that_is_on() -> None:
    session = _session(InProcessTarget(make_app(CONTRACT), CONTRACT))

    run_phase(session, "coverage", examples=5)

    checks = set(schemathesis_rules()) - {"schemathesis.runs"}
    verdicts = {session.judge.verdict(name) for name in checks}
    assert (session.judge.findings, verdicts) == ([], {RuleVerdict.KEPT})


def test_an_answer_of_the_guard_is_not_judged() -> None:
    budget = CreditBudget(100)
    target = Guarded(InProcessTarget(make_app(CONTRACT), CONTRACT), CONTRACT, budget)
    session = _session(target)

    run_phase(session, "coverage", examples=5)

    assert session.judge.findings == []
    assert budget.refused > 0
    assert budget.spent in {70, 80}


def test_reading_only_reaches_no_operation_that_changes_something() -> None:
    target = Guarded(
        InProcessTarget(make_app(CONTRACT), CONTRACT), CONTRACT, CreditBudget(None), True
    )
    session = _session(target)

    run_phase(session, "coverage", examples=5)

    assert session.judge.findings == []
    assert {it.method for it in session.trace.exchanges} == {"GET", "OPTIONS"}


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_phase_raises_a_false_alarm(provider: str, phase: str) -> None:
    contract = load_contract(provider)
    session = _session(InProcessTarget(make_app(contract), contract), provider)

    run_phase(session, phase, seed=2, examples=30)

    assert [f"{it.rule.id}: {it.summary}" for it in session.judge.findings] == []


@pytest.mark.slow
def test_the_suites_run_for_a_stranger_from_an_empty_folder(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--pyargs",
        "screentest.contract_tests",
        "--screentest-target=ulazai",
    ]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    # Seven families are about what UlazAI does not have, and are reported as skipped.
    assert done.returncode == 0, done.stdout
    assert "14 passed, 4 skipped" in done.stdout


@pytest.mark.long
@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("vidgen", "no provider 'vidgen' (there are: oshara, ozor"),
        ("ozor=https://ozor.ai", "Set SCREENTEST_LIVE=1 if you mean it"),
        ("ozor=ozor.ai", "no address 'ozor.ai'"),
        ("ozor=http://127.0.0.1:9", "set SCREENTEST_API_KEY or SCREENTEST_BEARER"),
    ],
)
def test_an_invalid_target_ends_the_run_before_it_begins(
    target: str, detail: str, tmp_path: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:schemathesis",
        "--pyargs",
        "screentest.contract_tests",
        "--screentest-target",
        target,
    ]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert detail in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_made_up_requests_leave_room_in_a_cap_for_each_other() -> None:
    plain = PlainTarget(InProcessTarget(make_app(CONTRACT), CONTRACT))
    session = _session(Guarded(plain, CONTRACT, CreditBudget(None)))
    cap = CONTRACT.behaviour.concurrency
    assert cap is not None
    running = [session.call("generateTextToVideo") for _ in range(max(cap.limits.values()))]

    answer = Client(Front(session, session.owner)).post(
        running[0].path,
        json={"prompt": "a lamp"},
        headers={"Authorization": f"Token {session.owner.keys['api_key']}"},
    )

    assert ({it.status for it in running}, answer.status_code) == ({201}, 201)

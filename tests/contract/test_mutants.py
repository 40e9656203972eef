"""Defects of every family are found, and a mock without one is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from screentest.contract_tests.mutants.mutant import Mutant, mutants_of
from screentest.contract_tests.mutants.relevance import relevant_cases
from screentest.contract_tests.mutants.run import all_mutants, false_alarms, run_one
from screentest.contract_tests.runs.supplies import Supply
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

from .hands import PROVIDERS

#: Ownership of a read, a list, a write and a file, where a provider has them.
OWNERSHIP = [
    (provider, mutant.id)
    for provider in PROVIDERS
    for mutant in mutants_of(provider)
    if mutant.family == "OWN"
]


def _mutant(provider: str, mutant_id: str) -> Mutant:
    return next(it for it in mutants_of(provider) if it.id == mutant_id)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "mutant_id"), OWNERSHIP)
def test_broken_ownership_is_found(provider: str, mutant_id: str) -> None:
    fate = run_one(provider, _mutant(provider, mutant_id))

    assert fate.is_killed, fate.mutant.summary


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "mutant_id", "rule"),
    [
        ("ozor", "OZ-CRD2", "money.generateVideo.failure"),
        ("ozor", "OZ-URL2", "url.download.lives"),
        ("ozor", "OZ-AUT4", "keys.apiKey.max"),
        ("ugc_copilot", "UG-WHK4", "hook.retries"),
        ("ugc_copilot", "UG-WHK2", "hook.signature"),
        ("ugc_copilot", "UG-RTL6", "cap.starter"),
        ("ugc_copilot", "UG-IDM7", "idem.replay"),
        ("ulazai", "UL-RTL1", "cap.default"),
        ("oshara", "OS-MED1", "media.video_job.container"),
        ("znapai", "ZN-LIF11", "content.video.early"),
    ],
)
def test_a_defect_is_found_for_the_right_reason(provider: str, mutant_id: str, rule: str) -> None:
    fate = run_one(provider, _mutant(provider, mutant_id))

    assert fate.rule == rule, f"{fate.rule}: {fate.summary}"


@pytest.mark.long
@pytest.mark.parametrize(
    "provider",
    ["oshara", "ulazai"]
    + [pytest.param(it, marks=pytest.mark.slow) for it in ("ozor", "ugc_copilot", "znapai")],
)
def test_a_change_that_changes_nothing_is_not_a_defect(provider: str) -> None:
    nothing = Mutant("X-SCH1", "MED", "nothing", "", "reply", {"of": "files"})

    fate = run_one(provider, nothing)

    assert fate.tier == "", f"{fate.rule}: {fate.summary}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_there_are_thirty_defects_written_by_hand(provider: str) -> None:
    written = mutants_of(provider)

    assert len(written) >= 30
    assert len({it.id for it in written}) == len(written)
    assert all(it.breaks for it in written)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_operators_make_more_of_them(provider: str) -> None:
    made = [it for it in all_mutants(provider) if it.is_generated]

    assert len(made) >= 30


def test_requests_that_cannot_meet_a_defect_are_left_out() -> None:
    on_files = Mutant("X-MED1", "MED", "nothing", "", "reply", {"of": "files"})

    assert relevant_cases(on_files, load_checks(load_contract("ozor")), []) == []


def _command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "screentest.contract_tests.mutants", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.mark.parametrize(
    ("arguments", "detail"),
    [
        (("run", "ozr"), "'ozr' is not one of"),
        (("run", "--only", "NOPE", "ulazai"), "no mutant has an id that begins with 'NOPE'"),
        (("explain", "ozor", "OZ-SCH99"), "no mutant 'OZ-SCH99'; did you mean"),
    ],
)
def test_wrong_use_of_the_command_is_code_2(arguments: tuple[str, ...], detail: str) -> None:
    done = _command(*arguments)

    assert done.returncode == 2
    assert detail in done.stderr


def test_the_command_names_what_to_install(tmp_path: Path) -> None:
    other = tmp_path / "schemathesis-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: schemathesis\nVersion: 1.0\n")

    done = _command("run", "ulazai", PYTHONPATH=str(tmp_path))

    assert done.returncode == 2
    assert "schemathesis 1.0 is not supported; install one from 4.20 up to 5" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("provider", "mutant_id", "supply", "rule"),
    [
        ("ulazai", "UL-RTL1", Supply.ALL, "cap.default"),
        ("oshara", "OS-MED1", Supply.SMOKE, "media.video_job.container"),
        ("ugc_copilot", "UG-IDM1", Supply.ONE_KEY, "idem.replay"),
    ],
)
def test_a_defect_of_a_server_without_controls_is_found(
    provider: str, mutant_id: str, supply: Supply, rule: str
) -> None:
    fate = run_one(provider, _mutant(provider, mutant_id), supply)

    assert fate.rule == rule, f"{fate.rule}: {fate.summary}"


@pytest.mark.slow
def test_what_no_clause_says_differs_at_a_server_without_controls() -> None:
    fate = run_one("ulazai", _mutant("ulazai", "UL-AUT4"), Supply.ALL)

    assert (fate.tier, fate.is_killed) == ("differs", False)


@pytest.mark.parametrize("supply", [Supply.ALL, Supply.ONE_KEY, Supply.SMOKE])
def test_a_mock_without_controls_is_left_alone(supply: Supply) -> None:
    assert false_alarms("oshara", supply, seed=2) == []


@pytest.mark.long
def test_the_command_shows_how_a_mutant_is_found() -> None:
    done = _command("explain", "ulazai", "UL-CRD1")

    assert done.returncode == 0
    assert "money.generateTextToVideo.price" in done.stdout

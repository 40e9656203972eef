"""The contracts of vendors in examples/. The vendors' own SDKs drive them: `make test-examples`."""

from __future__ import annotations

from pathlib import Path

import pytest

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.verify import scenarios_of, verify
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import read_contract
from screentest.specs.linting.lint import problems_of
from tests.tree import ROOT

#: The most lines of a behaviour file of an example.
_LINES_MAX = 200
_EXAMPLES = sorted(it.parent for it in ROOT.glob("examples/*/behaviour.yaml"))


def test_there_is_one_for_each_vendor_that_the_readme_names() -> None:
    assert [it.name for it in _EXAMPLES] == ["luma", "magic_hour", "replicate", "runway"]


@pytest.mark.parametrize("folder", _EXAMPLES, ids=lambda it: it.name)
def test_it_is_data_of_few_lines_without_a_problem(folder: Path) -> None:
    assert list(problems_of(folder)) == []
    assert len((folder / "behaviour.yaml").read_text().splitlines()) <= _LINES_MAX
    assert not (folder / "provider.py").exists()


@pytest.mark.long
@pytest.mark.parametrize("folder", _EXAMPLES, ids=lambda it: it.name)
def test_its_mock_keeps_every_rule_that_is_judged(folder: Path) -> None:
    contract = read_contract(folder)
    checks, app = load_checks(contract), make_app(contract)

    result = verify(
        contract, checks, lambda: InProcessTarget(app, contract), scenarios_of(contract, checks)
    )

    counts = result.judge.counts()
    assert [f"{it.rule.id}: {it.detail}" for it in result.judge.broken_rules] == []
    assert counts[RuleVerdict.KEPT] > 10 * counts[RuleVerdict.NOT_JUDGED]

"""However little may be spent, a run ends without an overdraft and without a false finding."""

from __future__ import annotations

import pytest

from screentest.contract_tests.runs.command import run_verify
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import Ran

#: No credits, one less than the cheapest job, that job, and an amount that ends during a scenario.
BUDGETS = {
    "ozor": (0, 1, 2, 5, 20, 79),
    "ugc_copilot": (0, 17, 18, 66, 500, 2000),
    "ulazai": (0, 69, 70, 75, 300, 1000),
}


def _quiet(scenario: Scenario, ran: Ran | None) -> None:
    """Ignore the progress."""


@pytest.mark.long
@pytest.mark.parametrize(
    ("provider", "budget"), [(name, it) for name, all_ in BUDGETS.items() for it in all_]
)
def test_a_budget_ends_a_run_and_breaks_no_rule(provider: str, budget: int) -> None:
    result = run_verify(VerifyOptions(provider, budget=budget), _quiet)

    assert [it.rule.id for it in result.judge.findings] == []
    assert result.is_out_of_budget
    assert result.spent + result.pending <= budget

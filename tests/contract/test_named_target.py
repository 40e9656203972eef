"""What `--screentest-target` and the environment say, as a target with one budget."""

from __future__ import annotations

import pytest

from screentest.contract_tests.runs.named_target import checked_target, named_target

URL = "ozor=http://127.0.0.1:8787/ozor"


@pytest.mark.parametrize(
    ("name", "variables", "limit"),
    [
        (URL, {}, None),
        (URL, {"SCREENTEST_BUDGET": "5"}, 5),
        (URL, {"SCREENTEST_BUDGET": "5", "PYTEST_XDIST_WORKER_COUNT": "2"}, 2),
        ("ozor=https://ozor.ai", {"SCREENTEST_LIVE": "1"}, 1),
    ],
)
def test_what_a_run_may_spend(name: str, variables: dict[str, str], limit: int | None) -> None:
    target = named_target(name, variables)

    assert target.budget.limit == limit


@pytest.mark.parametrize("budget", ["-1", "five"])
def test_an_invalid_budget_is_refused(budget: str) -> None:
    with pytest.raises(ValueError, match=r"SCREENTEST_BUDGET: expected a number.*" + budget):
        checked_target(URL, {"SCREENTEST_BUDGET": budget}, is_asked=False)

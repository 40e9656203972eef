"""Runs at our own mock with what a user of another server would supply."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract

from ..scenarios.readings import Memories
from ..scenarios.scenario import Scenario
from ..scenarios.verify import Result, scenarios_of, verify
from ..targets.guard import CreditBudget, Guarded
from ..targets.in_process import InProcessTarget
from ..targets.mock_app import App, make_app
from ..targets.plain import PlainTarget


class Supply(Enum):
    """What a run has: the control API of the mock, or only what a user supplies."""

    CONTROLS = "steerable"
    ALL = "live"
    ONE_KEY = "one-key"
    SMOKE = "smoke"

    def chosen(self, scenarios: Sequence[Scenario]) -> list[Scenario]:
        """The scenarios of the tier."""
        return [it for it in scenarios if it.is_smoke or self is not Supply.SMOKE]

    def target(
        self, app: App, contract: Contract, scenarios: Sequence[Scenario], seed: int = 1
    ) -> Guarded:
        """A new world of *app*, with or without its control API.

        In the tier smoke, the budget is that of its one paid job.
        """
        limit = max((it.cost for it in scenarios), default=0) if self is Supply.SMOKE else None
        mock = InProcessTarget(app, contract, seed)
        plain = mock if self is Supply.CONTROLS else PlainTarget(mock, self is Supply.ALL)
        return Guarded(plain, contract, CreditBudget(limit))


def verify_with(contract: Contract, supply: Supply, seed: int = 1) -> Result:
    """Our own mock without a defect, verified with *supply*."""
    checks, app = load_checks(contract), make_app(contract)
    scenarios = supply.chosen(scenarios_of(contract, checks))
    if supply is Supply.CONTROLS:
        return verify(
            contract,
            checks,
            lambda: supply.target(app, contract, scenarios, seed),
            scenarios,
            seed=seed,
        )
    target = supply.target(app, contract, scenarios, seed)
    memories = Memories(target)
    result = verify(
        contract,
        checks,
        lambda: target,
        scenarios,
        is_open=True,
        is_shared=True,
        seed=seed,
        on_begin=memories.begin,
    )
    memories.find(result, {})
    return result

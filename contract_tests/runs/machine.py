"""A rule-based machine for Hypothesis: any order of starts, waits, failures and reads.

The model is an account and its jobs: the grant, the cost of each job, and its end. After every step
the balance must equal that of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..sessions.made import Made, NotAcceptedError
from ..sessions.pacing import spaced
from ..sessions.session import Session
from ..targets.target import Target

_GRANTED = 1_000
_JOBS_MAX = 12


def machine_of(
    contract: Contract, checks: Checks, open_target: Callable[[], Target]
) -> type[RuleBasedStateMachine]:
    """A machine for the first kind of job of a provider, on a fresh world each time."""
    kind = next(iter(checks.makes))
    operation = checks.makes[kind].by

    class Machine(RuleBasedStateMachine):
        """One account, its jobs, and its credits."""

        def __init__(self) -> None:
            super().__init__()
            judge = Judge(rules_of(contract, checks))
            self.session = Session(open_target(), contract, checks, judge)
            self.who = self.session.controls.new_identity(
                "owner", credits=_GRANTED if self.session.wallet.has_money else None
            )
            self.jobs: list[tuple[Made, int]] = []

        def teardown(self) -> None:
            self.session.target.close()

        @precondition(lambda self: len(self.jobs) < _JOBS_MAX)
        @rule(fails=st.booleans())
        def start(self, fails: bool) -> None:  # noqa: FBT001  Hypothesis calls it by name
            if fails:
                self.session.controls.fail_next(self.who, operation)
            who = spaced(self.session, self.who, operation)
            try:
                made = self.session.resources.make(kind, who=who)
            except NotAcceptedError:
                return
            self.jobs.append((made, self.session.wallet.price(operation, who=who)))

        @rule(ms=st.integers(1, 120_000))
        def wait(self, ms: int) -> None:
            self.session.target.wait(ms)

        @precondition(lambda self: bool(self.jobs))
        @rule(choice=st.integers(0, _JOBS_MAX))
        def look(self, choice: int) -> None:
            made, _ = self.jobs[choice % len(self.jobs)]
            self.session.resources.read(made)

        @invariant()
        def nothing_is_broken(self) -> None:
            detail = [f"{it.rule.id}: {it.summary}" for it in self.session.judge.findings]
            assert detail == []

        @invariant()
        def money_is_what_the_jobs_say(self) -> None:
            if not self.session.wallet.has_money or not self.jobs:
                return
            taken = sum(self._taken(made, cost) for made, cost in self.jobs)
            assert self.session.wallet.balance(self.who).total == _GRANTED - taken

        def _taken(self, made: Made, cost: int) -> int:
            """The cost of a job so far, by its state and the moment of its price."""
            price = contract.behaviour.operations[operation].price
            state = self.session.shown.kind_seen(made.make.kind, self.session.resources.read(made))
            if state is Kind.FAILED or price is None:
                return 0
            is_paid_at_once = price.moment is not Moment.COMPLETION
            return cost if is_paid_at_once or state is Kind.SUCCEEDED else 0

    return Machine


def run_machine(machine: type[Any], *, examples: int = 20, steps: int = 15, seed: int = 1) -> None:
    """Run *machine*, in the same way for one *seed*. Raises what it finds."""
    from hypothesis import HealthCheck, settings
    from hypothesis import seed as seeded
    from hypothesis.stateful import run_state_machine_as_test

    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(seeded(seed)(machine), settings=chosen)

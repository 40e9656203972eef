"""What tests of the contract kit share: a verified provider, and a recording of one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.traces.trace import Trace
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

PROVIDERS = ("oshara", "ozor", "ugc_copilot", "ulazai", "znapai")


def verified(provider: str, seed: int = 1, readings: Mapping[str, str] | None = None) -> Result:
    """Every scenario of *provider* against our own mock, both under *readings*."""
    contract = load_contract(provider, readings)
    checks = load_checks(contract)
    app = make_app(contract)
    scenarios = scenarios_of(contract, checks)
    return verify(
        contract,
        checks,
        lambda: InProcessTarget(app, contract, seed, readings=readings or {}),
        scenarios,
        seed=seed,
    )


def session_with(provider: str) -> Session:
    """A fresh world of *provider*'s mock, and monitors that watch it."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    target = InProcessTarget(make_app(contract), contract)
    return Session(target, contract, checks, Judge(rules_of(contract, checks)))


def guarded_session(provider: str) -> tuple[Session, CreditBudget]:
    """A fresh world of *provider*'s mock behind a guard, and what the guard counts."""
    session, budget = session_with(provider), CreditBudget(None)
    session.target = Guarded(session.target, session.contract, budget)
    return session, budget


@cache
def recording(provider: str) -> Trace:
    """A job of the first kind, from its making to its end."""
    session = session_with(provider)
    made = session.resources.make(next(iter(session.checks.makes)))
    session.resources.finish(made)
    for name in session.checks.lists:
        session.call(name)
    return session.trace

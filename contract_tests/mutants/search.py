"""The search for one defect: what the kit reports first about a mock that has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..rules.known import silence_of
from ..runs.fuzz import Case, fuzz, make_cases
from ..runs.supplies import Supply
from ..scenarios.readings import Memories
from ..scenarios.scenario import Scenario
from ..scenarios.verify import Result, Supplied, lacks_of, obstacles, run_scenario
from ..sessions.session import Session
from ..targets.guard import CreditBudget, Guarded
from ..targets.in_process import InProcessTarget
from ..targets.mock_app import App
from .mutant import Mutant
from .relevance import by_relevance, relevant_cases

#: Probes that concern the mutant come first; few of the others are needed.
_PROBES_MAX = 12


@dataclass(frozen=True, slots=True)
class MutantResult:
    """The result of one mutant.

    *tier* found it: `monitors` or `scenarios`; empty for neither. `differs` is a difference from
    the reading of the mock, which breaks no clause.
    """

    provider: str
    mutant: Mutant
    tier: str
    rule: str = ""
    summary: str = ""
    requests: int = 0
    credits: int = 0
    seconds: float = 0.0

    @property
    def is_killed(self) -> bool:
        return self.tier not in {"", "differs"}


@dataclass(frozen=True, slots=True)
class Search:
    """*app* has the defect *mutant*. At a server without controls all scenarios share a world."""

    contract: Contract
    app: App
    mutant: Mutant
    supply: Supply
    seed: int = 1

    def run(self, scenarios: Sequence[Scenario]) -> MutantResult:
        """Generated requests, then *scenarios*, until something is found."""
        if self.supply is Supply.CONTROLS:
            return self._steered(scenarios)
        return self._live(scenarios)

    @property
    def _checks(self) -> Checks:
        return load_checks(self.contract)

    def _found(self, tier: str, judge: Judge, problem: str, *spent: int) -> MutantResult:
        first = next(iter(judge.findings), None) or next(iter(judge.differs.values()), None)
        rule, summary = ("crash", problem) if problem else ("", "")
        if first is not None:
            rule, summary = first.rule.id, first.summary
        return MutantResult(self.contract.provider, self.mutant, tier, rule, summary, *spent)

    def _fuzz(self, session: Session) -> str:
        cases = relevant_cases(self.mutant, self._checks, cases_of(self.contract.provider))
        return _attempt(partial(fuzz, session, cases, stops_early=True))

    def _steered(self, scenarios: Sequence[Scenario]) -> MutantResult:
        contract, checks, app, seed = self.contract, self._checks, self.app, self.seed
        judge, budget = Judge(rules_of(contract, checks)), CreditBudget(None)
        target = Guarded(InProcessTarget(app, contract, seed), contract, budget)
        session = Session(target, contract, checks, judge)
        problem = self._fuzz(session)
        requests = len(session.trace.exchanges)
        probes = by_relevance(self.mutant, [it for it in scenarios if it.is_probe])[:_PROBES_MAX]
        bend = str(self.mutant.change["do"]) if self.mutant.seam == "delivery" else ""
        rest = by_relevance(self.mutant, [it for it in scenarios if it not in probes])
        attempts = [("monitors", "", it) for it in probes] + [
            ("scenarios", bend, it) for it in rest
        ]
        tier = "monitors"
        while not judge.findings and not problem:
            if not attempts:
                tier = ""
                break
            tier, bent, scenario = attempts.pop(0)
            mock = InProcessTarget(app, contract, seed, bend_deliveries=bent)
            session = Session(Guarded(mock, contract, budget), contract, checks, judge)
            problem = _attempt(partial(run_scenario, scenario, session))
            requests += len(session.trace.exchanges)
            session.target.close()
        return self._found(tier, judge, problem, requests, budget.spent)

    def _live(self, scenarios: Sequence[Scenario]) -> MutantResult:
        contract, checks = self.contract, self._checks
        judge = Judge(rules_of(contract, checks), silence=silence_of(contract, checks))
        requests, problem = 0, ""
        if self.supply is not Supply.SMOKE:
            # Made-up requests get accounts of their own, as in a run with `--only made-up`.
            target = self.supply.target(self.app, contract, scenarios, self.seed)
            session = Session(target, contract, checks, judge, is_open=True)
            problem = self._fuzz(session)
            requests = len(session.trace.exchanges)
            if judge.findings or problem:
                return self._found("monitors", judge, problem, requests, target.budget.spent)
        target = self.supply.target(self.app, contract, scenarios, self.seed)
        session = Session(target, contract, checks, judge, is_open=True)
        supplied = Supplied(lacks_of(target, contract), target.patience_ms)
        result = Result(contract, checks, target.name, judge, supplied, self.seed)
        memories = Memories(target)
        for scenario in by_relevance(self.mutant, scenarios):
            if obstacles(scenario, supplied):
                continue
            memories.begin(scenario, session)
            problem = _attempt(partial(run_scenario, scenario, session, is_shared=True))
            if judge.findings:
                memories.find(result, {})
            if judge.findings or problem:
                break
        requests += len(session.trace.exchanges)
        tier = "differs" if judge.differs or result.readings else ""
        if judge.findings or problem:
            tier = "scenarios"
        return self._found(tier, judge, problem, requests, target.budget.spent)


@cache
def cases_of(provider: str) -> list[Case]:
    """The generated requests of the monitors' tier; the same for every mutant."""
    return make_cases(load_contract(provider), seed=1, examples=8)


def _attempt(run: Callable[[], object]) -> str:
    """The error that ended *run*: an answer of a mutant may crash its client."""
    try:
        run()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError) as error:
        return f"{type(error).__name__}: {error}"
    return ""

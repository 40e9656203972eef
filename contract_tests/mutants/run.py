"""Running mutants: each gets its own mock with one defect, which the kit must find."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy, deepcopy
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from msgspec.structs import replace

from screentest.specs.behaviour.behaviour_file import check_file, read_behaviour
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract
from screentest.specs.errors import ContractError
from screentest.specs.files import BEHAVIOUR, READINGS, read_yaml
from screentest.specs.json_types import Json

from ..rules.contract_rules import rules_of
from ..rules.judge import Judge
from ..runs.fuzz import Case, fuzz, make_cases
from ..scenarios.scenario import Scenario
from ..scenarios.verify import run_scenario, scenarios_of, verify
from ..sessions.session import Session
from ..targets.guard import CreditBudget, Guarded
from ..targets.in_process import InProcessTarget
from ..targets.mock_app import App, make_app
from .generate import generated
from .mutant import FOLDER, Mutant, mutants_of
from .mutant_app import MutantApp

#: Probes that concern the mutant come first; few of the others are needed.
_PROBES_MAX = 12


@dataclass(frozen=True, slots=True)
class MutantResult:
    """The result of one mutant. *tier* found it: `monitors`, `scenarios`, or empty for neither."""

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
        return self.tier != ""


@dataclass(slots=True)
class MutantTally:
    """All results of a run. *false_alarms* are findings about the mock without a defect."""

    fates: list[MutantResult] = field(default_factory=list[MutantResult])
    false_alarms: list[str] = field(default_factory=list[str])
    seconds: float = 0.0


def all_mutants(provider: str) -> list[Mutant]:
    """The hand-written mutants of *provider* first, then the generated ones."""
    reasons = read_yaml(FOLDER / "equivalent.yaml").get(provider, {})
    made = generated(load_contract(provider))
    return [
        *mutants_of(provider),
        *(replace(it, excuse=reasons.get(it.summary, "")) for it in made),
    ]


def run_one(provider: str, mutant: Mutant) -> MutantResult:
    """Run *mutant* alone, in this process."""
    contract = load_contract(provider)
    return run_mutant(provider, mutant, scenarios_of(contract, load_checks(contract)))


def false_alarms(provider: str, seed: int) -> list[str]:
    """The kit's findings about the mock without a defect; must be empty."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    app = make_app(contract)
    result = verify(
        contract,
        checks,
        lambda: InProcessTarget(app, contract, seed),
        scenarios_of(contract, checks),
        seed=seed,
    )
    return [f"{provider}, seed {seed}: {it.rule.id}: {it.summary}" for it in result.judge.findings]


def mutated_contract(contract: Contract, change: Json) -> Contract:
    """*contract* with one place of its behaviour file changed.

    Raises:
        ContractError: the changed file is invalid, so there is no such mutant.
    """
    raw = deepcopy(contract.content(BEHAVIOUR))
    _edit(raw, change)
    assert contract.operations, "compiled once, and shared by every mutant"
    path = contract.folder / BEHAVIOUR
    check_file(raw, path)
    mutated = copy(contract)
    mutated.behaviour = read_behaviour(raw, contract.content(READINGS), path)
    return mutated


def _edit(raw: Json, change: Json) -> None:
    steps = [step.replace("~1", "/") for step in change["at"].strip("/").split("/")]
    for step in steps[:-1]:
        raw = raw[int(step)] if isinstance(raw, list) else raw[step]
    last: Any = int(steps[-1]) if isinstance(raw, list) else steps[-1]
    if "set" in change:
        raw[last] = change["set"]
    elif "add" in change:
        raw[last] = raw[last] + change["add"]
    elif "times" in change:
        raw[last] = int(raw[last] * change["times"])
    elif "without" in change:
        raw[last] = [it for it in raw[last] if it != change["without"]]
    else:
        del raw[last]


def mutated_app(contract: Contract, mutant: Mutant) -> App:
    """The mock with one defect.

    Raises:
        ContractError: the changed contract is invalid.
    """
    if mutant.seam == "behaviour":
        return make_app(mutated_contract(contract, mutant.change))
    if mutant.seam == "delivery":
        return make_app(contract)
    return MutantApp(make_app(contract), contract, mutant)


def run_mutant(
    provider: str, mutant: Mutant, scenarios: Sequence[Scenario], *, seed: int = 1
) -> MutantResult:
    """Run scenarios against one mutant until something is found."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    started = time.perf_counter()
    try:
        app = mutated_app(contract, mutant)
    except ContractError as error:
        return MutantResult(provider, mutant, "stillborn", summary=str(error))
    judge, budget = Judge(rules_of(contract, checks)), CreditBudget(None)
    target = Guarded(InProcessTarget(app, contract, seed), contract, budget)
    session = Session(target, contract, checks, judge)
    cases = relevant_cases(mutant, checks, cases_of(provider))
    problem = _attempt(partial(fuzz, session, cases, stops_early=True))
    requests = len(session.trace.exchanges)
    probes = by_relevance(mutant, [it for it in scenarios if it.is_probe])[:_PROBES_MAX]
    bend = str(mutant.change["do"]) if mutant.seam == "delivery" else ""
    rest = by_relevance(mutant, [it for it in scenarios if it not in probes])
    attempts = [("monitors", "", it) for it in probes] + [("scenarios", bend, it) for it in rest]
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
    rule, detail = _first(judge, problem) if tier else ("", "")
    seconds = time.perf_counter() - started
    return MutantResult(provider, mutant, tier, rule, detail, requests, budget.spent, seconds)


def _first(judge: Judge, problem: str) -> tuple[str, str]:
    """The first broken rule and its finding."""
    if judge.findings:
        return judge.findings[0].rule.id, judge.findings[0].summary
    return "crash", problem


def relevant_cases(mutant: Mutant, checks: Checks, cases: Sequence[Case]) -> list[Case]:
    """The generated requests that can meet the change of *mutant*, or that make resources."""
    wanted = mutant.change.get("of") or mutant.change.get("after")
    if mutant.seam == "delivery" or wanted == "files":
        return []
    if wanted in {None, "*"}:
        return list(cases)
    makers = {make.by for make in checks.makes.values()}
    return [it for it in cases if it.operation == wanted or it.operation in makers]


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


def by_relevance(mutant: Mutant, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """All scenarios, first those that concern the change of *mutant*."""
    words = _words(mutant)

    def distance(scenario: Scenario) -> tuple[int, int]:
        hits = sum(1 for word in words if word in scenario.name or word in scenario.summary)
        return -hits, scenario.requests

    return sorted(scenarios, key=distance)


def _words(mutant: Mutant) -> list[str]:
    change = mutant.change
    words = [str(change[name]) for name in ("of", "after") if change.get(name) not in {None, "*"}]
    words += [step for step in str(change.get("at", "")).split("/") if len(step) > 4]
    return (
        words
        + {
            "AUT": ["credentials", "key"],
            "OWN": ["owners", "list"],
            "LIF": ["walk", "failure"],
            "CRD": ["price", "credits", "refund"],
            "SSE": ["stream"],
            "IDM": ["repeats"],
            "RTL": ["rate of", "jobs of"],
            "WHK": ["hooks"],
            "URL": ["files"],
            "MED": ["files"],
            "PAG": ["list"],
            "STA": ["input", "example", "states"],
            "SCH": ["walk", "call"],
        }[mutant.family]
    )


def _run_batch(provider: str, mutants: Sequence[Mutant], seed: int) -> list[MutantResult]:
    contract = load_contract(provider)
    checks = load_checks(contract)
    scenarios = scenarios_of(contract, checks)
    return [run_mutant(provider, mutant, scenarios, seed=seed) for mutant in mutants]


def run_mutants(
    providers: Sequence[str],
    *,
    only: str = "",
    seed: int = 1,
    workers: int = 2,
    on_done: Callable[[MutantResult], None] = lambda fate: None,
) -> MutantTally:
    """Run every mutant of *providers* whose id begins with *only*, in *workers* processes."""
    started = time.perf_counter()
    tally = MutantTally()
    batches = [
        (provider, [it for it in all_mutants(provider) if it.id.startswith(only)][part::4], seed)
        for provider in providers
        for part in range(4)
    ]
    batches = [batch for batch in batches if batch[1]]
    if workers == 1:
        for batch in batches:
            tally.fates += _run_batch(*batch)
    else:
        with ProcessPoolExecutor(workers) as pool:
            for fates in pool.map(_run_batch, *zip(*batches, strict=True)):
                tally.fates += fates
    for provider in providers:
        tally.false_alarms += false_alarms(provider, seed)
    for fate in tally.fates:
        on_done(fate)
    tally.seconds = time.perf_counter() - started
    return tally

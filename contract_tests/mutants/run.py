"""Running mutants: each gets its own mock with one defect, which the kit must find."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import copy, deepcopy
from dataclasses import dataclass, field
from dataclasses import replace as replace_fields
from typing import Any

from msgspec.structs import replace

from screentest.specs.behaviour.behaviour_file import check_file, read_behaviour
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract
from screentest.specs.errors import ContractError
from screentest.specs.files import BEHAVIOUR, READINGS, read_yaml
from screentest.specs.json_types import Json

from ..runs.supplies import Supply, verify_with
from ..scenarios.scenario import Scenario
from ..scenarios.verify import scenarios_of
from ..targets.mock_app import App, make_app
from .generate import generated
from .mutant import FOLDER, Mutant, mutants_of
from .mutant_app import MutantApp
from .search import MutantResult, Search

#: Batches of one provider: a process takes the next one when it is done.
_PARTS = 8
#: Runs without a defect at a server with everything supplied, one seed each.
_CLEAN_RUNS = 10


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


def run_one(provider: str, mutant: Mutant, supply: Supply = Supply.CONTROLS) -> MutantResult:
    """Run *mutant* alone, in this process."""
    contract = load_contract(provider)
    scenarios = scenarios_of(contract, load_checks(contract))
    return run_mutant(provider, mutant, scenarios, supply=supply)


def false_alarms(provider: str, supply: Supply, seed: int) -> list[str]:
    """What the kit reports about the mock without a defect; must be empty."""
    result = verify_with(load_contract(provider), supply, seed)
    reported = [*result.judge.findings, *result.judge.differs.values()]
    return [f"{provider}, seed {seed}: {it.rule.id}: {it.summary}" for it in reported] + [
        f"{provider}, seed {seed}: the reading {it.name}={it.value}" for it in result.readings
    ]


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
    provider: str,
    mutant: Mutant,
    scenarios: Sequence[Scenario],
    *,
    supply: Supply = Supply.CONTROLS,
    seed: int = 1,
) -> MutantResult:
    """Run scenarios against one mutant until something is found."""
    contract = load_contract(provider)
    started = time.perf_counter()
    try:
        app = mutated_app(contract, mutant)
    except ContractError as error:
        return MutantResult(provider, mutant, "stillborn", summary=str(error))
    found = Search(contract, app, mutant, supply, seed).run(supply.chosen(scenarios))
    return replace_fields(found, seconds=time.perf_counter() - started)


def _run_batch(
    provider: str, mutants: Sequence[Mutant], supply: Supply, seed: int
) -> list[MutantResult]:
    contract = load_contract(provider)
    scenarios = scenarios_of(contract, load_checks(contract))
    return [run_mutant(provider, it, scenarios, supply=supply, seed=seed) for it in mutants]


def run_mutants(
    providers: Sequence[str],
    *,
    only: str = "",
    supply: Supply = Supply.CONTROLS,
    seed: int = 1,
    workers: int = 2,
) -> MutantTally:
    """Run every mutant of *providers* whose id begins with *only*, in *workers* processes."""
    started = time.perf_counter()
    tally = MutantTally()
    chosen = [(it, [m for m in all_mutants(it) if m.id.startswith(only)]) for it in providers]
    batches = [
        (provider, mutants[part::_PARTS], supply, seed)
        for provider, mutants in chosen
        for part in range(min(_PARTS, len(mutants)))
    ]
    seeds = range(seed, seed + (_CLEAN_RUNS if supply is Supply.ALL else 1))
    clean = [(it, supply, number) for it in providers for number in seeds]
    with ProcessPoolExecutor(workers) as pool:
        for fates in pool.map(_run_batch, *zip(*batches, strict=True)):
            tally.fates += fates
        for alarms in pool.map(false_alarms, *zip(*clean, strict=True)):
            tally.false_alarms += alarms
    tally.seconds = time.perf_counter() - started
    return tally

"""Why a rule was not judged, and what would let it be judged.

Which scenarios judge a rule is found out by running all of them at our own mock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract

from ..rules.judge import Rule
from ..targets.in_process import InProcessTarget
from ..targets.mock_app import make_app
from ..targets.needs import Need
from .scenario import Scenario
from .verify import Result, obstacles, scenarios_of, verify

_NOT_CHOSEN = "a run of all scenarios (--tier full, without --only and --read-only)"
_CONTRACTS_MAX = 16


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A rule without a verdict. *remedy* is what would let it be judged; empty when unknown."""

    rule: Rule
    why: str
    remedy: str = ""


def unjudged(result: Result) -> list[Unjudged]:
    """Every rule of *result* that was not judged, in the order of the rules."""
    rules = result.judge.not_judged
    if not rules:
        return []
    shown_in = _shown_in(result.contract)
    scenarios = {it.name: it for it in scenarios_of(result.contract, result.checks)}
    tried = _tried(result)
    return [
        _of_rule(it, [scenarios[name] for name in shown_in.get(it.id, ())], result, tried)
        for it in rules
    ]


def by_remedy(found: list[Unjudged]) -> Mapping[str, list[Unjudged]]:
    """*found* by what would let them be judged, the largest group first."""
    groups: dict[str, list[Unjudged]] = {}
    for it in found:
        groups.setdefault(it.remedy, []).append(it)
    return dict(sorted(groups.items(), key=lambda group: (not group[0], -len(group[1]))))


@lru_cache(_CONTRACTS_MAX)
def _shown_in(contract: Contract) -> Mapping[str, list[str]]:
    """The scenarios that judge each rule, at our own mock."""
    checks, app = load_checks(contract), make_app(contract)
    result = verify(
        contract, checks, lambda: InProcessTarget(app, contract), scenarios_of(contract, checks)
    )
    return {rule: sorted(names) for rule, names in result.judge.judged_in.items()}


def _tried(result: Result) -> Mapping[str, tuple[str, frozenset[str]]]:
    """Why each scenario of the run did not judge everything, and what it lacked."""
    tried = {it.scenario.name: (it.why, it.lacks) for it in result.skipped}
    return tried | {
        it.scenario.name: (it.unable or "the answers did not show it", it.lacks)
        for it in result.ran
    }


def _of_rule(
    rule: Rule,
    scenarios: list[Scenario],
    result: Result,
    tried: Mapping[str, tuple[str, frozenset[str]]],
) -> Unjudged:
    ways: list[tuple[str, frozenset[str]]] = []
    for scenario in scenarios:
        missing = obstacles(scenario, result.supplied)
        chosen = tried.get(scenario.name)
        if chosen is None:
            ways.append(("its scenarios were not chosen", missing | {_NOT_CHOSEN}))
        else:
            ways.append(chosen)
    if not ways:
        return Unjudged(rule, "no scenario shows it")

    def distance(way: tuple[str, frozenset[str]]) -> tuple[bool, bool, int]:
        return not way[1], Need.STEERING.value in way[1], len(way[1])

    why, lacks = min(ways, key=distance)
    return Unjudged(rule, why, " and ".join(sorted(lacks)))

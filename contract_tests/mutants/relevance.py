"""Which requests and scenarios can show a mutant, the most likely ones first."""

from __future__ import annotations

from collections.abc import Sequence

from screentest.specs.checks.checks import Checks

from ..runs.fuzz import Case
from ..scenarios.scenario import Scenario
from .mutant import Mutant


def relevant_cases(mutant: Mutant, checks: Checks, cases: Sequence[Case]) -> list[Case]:
    """The generated requests that can meet the change of *mutant*, or that make resources."""
    wanted = mutant.change.get("of") or mutant.change.get("after")
    if mutant.seam == "delivery" or wanted == "files":
        return []
    if wanted in {None, "*"}:
        return list(cases)
    makers = {make.by for make in checks.makes.values()}
    return [it for it in cases if it.operation == wanted or it.operation in makers]


def by_relevance(mutant: Mutant, scenarios: Sequence[Scenario]) -> list[Scenario]:
    """All scenarios, first those that prepare others, then those that concern *mutant*."""
    words = _words(mutant)

    def distance(scenario: Scenario) -> tuple[bool, int, int]:
        hits = sum(1 for word in words if word in scenario.name or word in scenario.summary)
        return not scenario.prepares, -hits, scenario.requests

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

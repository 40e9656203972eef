"""The costs of the fixture in a project with the wheel installed, in processor time."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import pytest

from ..yardstick import slowness
from .fixture_cost import Cost, measure

pytestmark = pytest.mark.slow

#: The first world of a run: loading modules and five contracts, and the index of captures. Loading
#: takes most of it.
FIRST_MS_MAX = 50.0
#: The first call: loading the modules that answer calls, one provider, and its OpenAPI file.
FIRST_CALL_MS_MAX = 60.0
TEST_MS_MAX = 3.0
CALL_MS_MAX = 1.5
PROCESSES = 5


@pytest.fixture(scope="module")
def costs(python: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Cost]:
    """The costs of several runs, after one that compiles the modules."""
    project = tmp_path_factory.mktemp("project")
    measure(python, project)
    return [measure(python, project) for _ in range(PROCESSES)]


def _hold(what: str, took_ms: float, most_ms: float) -> None:
    allowed_ms = most_ms * slowness()
    sys.stdout.write(f"{what}: {took_ms:.2f} ms, {allowed_ms:.2f} allowed\n")
    assert took_ms <= allowed_ms


def test_the_first_world_of_a_run_is_there_at_once(costs: list[Cost]) -> None:
    _hold("first world", statistics.median(cost.first for cost in costs), FIRST_MS_MAX)


def test_the_first_call_of_a_run_is_answered_at_once(costs: list[Cost]) -> None:
    _hold("first call", statistics.median(it.calls["first"] for it in costs), FIRST_CALL_MS_MAX)


def test_every_other_test_costs_a_few_milliseconds(costs: list[Cost]) -> None:
    _hold("each test", statistics.median(cost.test for cost in costs), TEST_MS_MAX)


@pytest.mark.parametrize("client", ["requests", "httpx"])
def test_a_call_is_answered_in_about_a_millisecond(costs: list[Cost], client: str) -> None:
    took_ms = statistics.median(cost.calls[f"test_{client}"] for cost in costs)

    _hold(f"a call by {client}", took_ms, CALL_MS_MAX)

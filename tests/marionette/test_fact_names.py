"""The linter knows the facts that the mock finds, and no others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from screentest.mock_server.engine.facts import CALL_FACTS, RESOURCE_FACTS, WORLD_FACTS
from screentest.specs.behaviour.fact_names import OF_CALLS, OF_RESOURCES, OF_WORLDS

#: The source of `pick` and its like, which is not a value.
_HIDDEN = {"random"}


@pytest.mark.parametrize(
    ("described", "found"),
    [(OF_WORLDS, WORLD_FACTS), (OF_RESOURCES, RESOURCE_FACTS), (OF_CALLS, CALL_FACTS)],
    ids=["world", "resource", "call"],
)
def test_each_described_fact_is_found(
    described: Mapping[str, str], found: Mapping[str, object]
) -> None:
    assert {name.partition(".")[0] for name in described} == found.keys() - _HIDDEN

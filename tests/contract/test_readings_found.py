"""The kit finds out which reading a server follows, from the answers that it has."""

from __future__ import annotations

import pytest

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.readings import Memories
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract

READING = "ulazai.image_to_video_status"
RULE = "shape.generateImageToVideo"


def _verified(
    server: dict[str, str],
    fixed: dict[str, str],
    provider: str = "ulazai",
    scenario: str = "edges of generateImageToVideo",
) -> Result:
    """A server under the readings *server*, judged under *fixed* by one *scenario*."""
    theirs, ours = load_contract(provider, server), load_contract(provider, fixed)
    checks = load_checks(ours)
    mock = InProcessTarget(make_app(theirs), theirs, readings=server)
    target = Guarded(PlainTarget(mock), ours, CreditBudget(None))
    memories = Memories(target)
    found = scenarios_of(ours, checks)
    result = verify(
        ours,
        checks,
        lambda: target,
        [it for it in found if it.name == scenario],
        is_open=True,
        is_shared=True,
        on_begin=memories.begin,
    )
    memories.find(result, fixed)
    return result


def test_a_server_that_follows_the_default_has_no_other_reading() -> None:
    result = _verified({}, {})

    assert (result.readings, result.judge.findings) == ([], [])


def test_another_reading_explains_what_breaks_and_is_reported() -> None:
    result = _verified({READING: "200"}, {})

    assert [(it.name, it.value, it.is_asked) for it in result.readings] == [(READING, "200", False)]
    assert RULE in result.readings[0].rules
    assert result.judge.verdict(RULE) is RuleVerdict.KEPT
    assert not result.is_broken


def test_a_reading_that_the_user_fixed_is_not_followed_and_the_run_fails() -> None:
    result = _verified({}, {READING: "200"})

    assert [(it.name, it.is_asked) for it in result.readings] == [(READING, True)]
    assert result.judge.verdict(RULE) is RuleVerdict.DIFFERS
    assert result.is_broken


@pytest.mark.long
def test_a_flow_that_ended_at_an_answer_that_another_reading_explains_breaks_nothing() -> None:
    server = {"ozor.scene_length": "10_seconds"}

    result = _verified(server, {}, "ozor", "flow analysis_of_a_page")

    assert [(it.name, it.value) for it in result.readings] == [("ozor.scene_length", "10_seconds")]
    # Its further steps were not taken.
    assert result.judge.verdict("flow.analysis_of_a_page") is RuleVerdict.DIFFERS
    assert not result.is_broken

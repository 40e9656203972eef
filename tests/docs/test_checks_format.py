"""The page about flows: its examples are kept at our mock, and no field lacks an example."""

from __future__ import annotations

import re
from collections.abc import Iterator

import jsonschema_rs
import pytest
import yaml
from msgspec import convert
from msgspec.structs import replace

from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge, RuleVerdict
from screentest.contract_tests.scenarios.flows import flows
from screentest.contract_tests.scenarios.verify import run_scenario
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.specs.checks.checks_file import in_force, load_checks
from screentest.specs.checks.flows import Flow
from screentest.specs.contracts.registry import load_contract
from screentest.specs.formats import read_schema
from screentest.specs.json_types import Json
from tests.pages import DOCS, blocks

PAGE = DOCS / "checks-format.md"
EXAMPLES: dict[str, Json] = {
    name: flow
    for language, text in blocks(PAGE)
    if language == "yaml"
    for name, flow in yaml.safe_load(text).items()
}
_SCHEMA = read_schema("checks")
_FLOW = _SCHEMA["$defs"]["Flow"]["properties"]
_STEP = _SCHEMA["$defs"]["Step"]["properties"]
_CONDITIONS = {"present", "absent", "length", "starts", "contains", "one_of", "not", "has", "lacks"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_valid_and_kept(name: str) -> None:
    form = {**_SCHEMA, **_SCHEMA["properties"]["flows"], "required": [], "properties": {}}
    jsonschema_rs.validator_for(form).validate({name: EXAMPLES[name]})
    contract = load_contract("ozor")
    flow = convert({**in_force(EXAMPLES[name], contract), "name": name}, Flow)
    checks = replace(load_checks(contract), flows={name: flow})
    judge = Judge(rules_of(contract, checks))
    session = Session(InProcessTarget(make_app(contract), contract), contract, checks, judge)

    ran = run_scenario(next(flows(contract, checks, {})), session)

    assert [it.summary for it in judge.findings] == []
    assert (ran.unable, judge.verdict(f"flow.{name}")) == ("", RuleVerdict.KEPT)


def test_every_field_has_an_example() -> None:
    steps = [step for flow in EXAMPLES.values() for step in flow["steps"]]

    assert {field for flow in EXAMPLES.values() for field in flow} == set(_FLOW)
    assert {field for step in steps for field in step} == set(_STEP)
    shown = [it for step in steps for it in (step.get("shows"), step.get("until"))]
    assert set(_names(shown)) > _CONDITIONS


def _names(value: Json) -> Iterator[str]:
    """The names in *value*, however deep."""
    for it in value.values() if isinstance(value, dict) else value:
        if isinstance(it, dict | list):
            yield from _names(it)
    if isinstance(value, dict):
        yield from value


def test_every_field_has_a_text() -> None:
    rows = re.findall(r"^\| (`.+`) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    words = {re.match(r"\{?(\w+)", it)[1] for row in rows for it in re.findall("`(.+?)`", row)}  # type: ignore[index]

    assert words == {*_FLOW, *_STEP, *_CONDITIONS}

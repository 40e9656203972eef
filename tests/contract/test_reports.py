"""Reports say what was found, to people and to programs, and keep no key."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest

from screentest.contract_tests.mutants.mutant import mutants_of
from screentest.contract_tests.mutants.run import mutated_app
from screentest.contract_tests.report.html import html_report
from screentest.contract_tests.report.junit import junit_report
from screentest.contract_tests.report.ndjson import ndjson_report
from screentest.contract_tests.report.text import broken_lines, text_report
from screentest.contract_tests.rules import rule_ids
from screentest.contract_tests.rules.judge import Judge, Rule, by_id
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract


@pytest.fixture(scope="module")
def broken() -> Result:
    """Ozor with a creation time of videos that changes after a while."""
    contract = load_contract("ozor")
    checks = load_checks(contract)
    mutant = next(it for it in mutants_of("ozor") if it.id == "OZ-LIF9")
    app = mutated_app(contract, mutant)
    chosen = [it for it in scenarios_of(contract, checks) if it.name == "walk export"]
    return verify(contract, checks, lambda: InProcessTarget(app, contract), chosen)


def test_a_finding_shows_rule_clause_messages_and_a_way_to_repeat_it(broken: Result) -> None:
    text = "\n".join(text_report(broken))

    assert "BROKEN life.video.constant (OZ-093)" in text
    assert "createdAt changed from" in text
    assert "GET /api/v1/videos/" in text
    assert "curl -X GET" in text
    assert "x-api-key: [redacted]" in text


def test_every_report_for_people_tells_a_broken_rule_once(broken: Result) -> None:
    text = "\n".join(text_report(broken))
    junit = junit_report(broken)

    assert [it.rule.id for it in broken.judge.findings] == ["life.video.constant"] * 3
    assert text.count("BROKEN life.") == junit.count("BROKEN life.") == 1
    assert "  BROKEN life.video.constant (OZ-093), 9 times\n" in text


def test_further_violations_of_a_rule_are_listed_below_the_first() -> None:
    rule = Rule(rule_ids.shape("lamp"), "SCH", "lamps are as documented", ("LA-001",))
    judge = Judge(by_id([rule]))
    for scenario, detail in (
        ("walk lamp", "no bulb"),
        ("walk lamp", "no bulb"),
        ("input of lamp", "no shade"),
        ("input of lamp", "no plug"),
    ):
        judge.scenario = scenario
        judge.check(rule_ids.shape("lamp"), detail, holds=False)

    (broken_rule,) = judge.broken_rules

    assert list(broken_lines(broken_rule)) == [
        "  BROKEN shape.lamp (LA-001), 4 times",
        "         lamps are as documented",
        "         no bulb",
        "         in: walk lamp",
        "         also: no shade (in: input of lamp)",
        "",
    ]


def test_rules_that_were_not_judged_are_listed(broken: Result) -> None:
    assert "Not judged" in "\n".join(text_report(broken))


def test_junit_has_a_case_for_each_rule(broken: Result) -> None:
    suite = ElementTree.fromstring(junit_report(broken)).find("testsuite")

    assert suite is not None
    of_rules = [it for it in suite.findall("testcase") if ".clauses" not in it.attrib["classname"]]
    assert len(of_rules) == len(broken.judge.rules)
    assert suite.attrib["tests"] == str(len(suite.findall("testcase")))
    assert [
        it.get("name") for it in suite.findall("testcase") if it.find("failure") is not None
    ] == ["life.video.constant"]


def test_json_lines_can_be_read_by_programs(broken: Result) -> None:
    lines = [json.loads(line) for line in ndjson_report(broken).splitlines()]

    found = [line for line in lines if line["type"] == "finding"]
    assert lines[0]["provider"] == "ozor"
    assert {line["rule"] for line in found} == {"life.video.constant"}


def test_the_page_needs_nothing_else(broken: Result) -> None:
    page = html_report(broken)

    assert page.startswith("<!doctype html>")
    assert "src=" not in page
    assert "href=" not in page
    assert "<script" not in page
    policy = r'http-equiv="Content-Security-Policy" content="([^"]*)"'
    assert re.findall(policy, page) == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_the_page_tells_a_broken_rule_once_with_its_clause_and_what_was_sent(
    broken: Result,
) -> None:
    page = html_report(broken)

    assert len(broken.judge.findings) > 1
    assert page.count("<article>") == 1
    assert "life.video.constant · OZ-093" in page
    assert "1 rule is broken, " in page
    assert re.search(r"<summary>broken \d+ times; \d more of them</summary>", page)
    assert "curl -X GET &#x27;$BASE_URL/api/v1/videos/" in page


def test_no_report_keeps_a_key(broken: Result) -> None:
    # A clause has the prefix; a key goes on.
    key = re.compile("sk_" + "live_[0-9a-f]")
    for report in (html_report, junit_report, ndjson_report):
        assert key.search(report(broken)) is None

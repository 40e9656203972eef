"""Flows: calls in a row are one rule, and each step that shows something else breaks it."""

from __future__ import annotations

import pytest
from msgspec import convert
from msgspec.structs import replace

from screentest.contract_tests.rules.contract_rules import rules_of
from screentest.contract_tests.rules.judge import Judge, RuleVerdict
from screentest.contract_tests.scenarios.flows import flows
from screentest.contract_tests.scenarios.verify import run_scenario
from screentest.contract_tests.sessions.session import Session
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.checks.flows import Flow
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

MADE = {
    "call": "generateVideo",
    "keeps": {"videoId": "$response.body#/videoId", "jobId": "$response.body#/jobId"},
}
DONE = {"call": "getJob", "until": {"$response.body#/status": "completed"}}


def tried(*steps: Json) -> Judge:
    """The verdicts on a flow of *steps* at our own mock of Ozor."""
    raw: Json = {
        "name": "tried",
        "summary": "it is tried",
        "source": ["OZ-038"],
        "steps": list(steps),
    }
    contract = load_contract("ozor")
    checks = replace(load_checks(contract), flows={raw["name"]: convert(raw, Flow)})
    judge = Judge(rules_of(contract, checks))
    target = InProcessTarget(make_app(contract), contract)
    session = Session(target, contract, checks, judge)
    ran = run_scenario(next(flows(contract, checks, {})), session)
    assert ran.unable == ""
    return judge


def judged(*steps: Json) -> tuple[RuleVerdict, str]:
    """The verdict on a flow of *steps*, and what was found first."""
    judge = tried(*steps)
    found = [it.summary for it in judge.findings if it.rule.id == "flow.tried"]
    return judge.verdict("flow.tried"), found[0] if found else ""


def test_flow_is_kept_when_each_step_shows_what_it_must() -> None:
    steps = [
        {**MADE, "takes": 0},
        {**DONE, "takes": 1},
        {"call": "getVideo", "shows": {"$response.body#/videoId": "$ids.videoId"}},
    ]

    assert judged(*steps) == (RuleVerdict.KEPT, "")


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        ({"call": "getVideo", "status": 404}, "answered 200, not 404"),
        (
            {"call": "getVideo", "shows": {"$response.body#/status": "completed"}},
            "$response.body#/status is 'draft', not 'completed'",
        ),
        (
            {"call": "getVideo", "shows": {"$response.body#/videoId": {"not": "$ids.videoId"}}},
            "$response.body#/videoId is ",
        ),
        (
            {"call": "getVideo", "keeps": {"url": "$response.body#/downloadUrl"}},
            "$response.body#/downloadUrl is missing, which is url",
        ),
        ({"call": "getVideo", "by": "stranger"}, "answered 403, not a success"),
        (
            {"call": "generateVideo", "with": {"prompt": "$text.2001"}},
            "answered 400, not a success",
        ),
    ],
)
def test_step_that_shows_something_else_breaks_the_flow(step: Json, detail: str) -> None:
    verdict, found = judged(MADE, step)

    assert verdict is RuleVerdict.BROKEN
    assert found.startswith(f"step 2, {step['call']}: {detail}")


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        ({"call": "getVideo", "takes": 1}, "it took 0 credits, not 1"),
        ({"call": "getVideo", "credits": 7, "balance": 9}, "the balance is 8, not 9"),
    ],
)
def test_credits_of_a_flow_are_a_rule_of_their_own(step: Json, detail: str) -> None:
    run = tried(MADE, step)

    assert run.verdict("flow.tried") is RuleVerdict.KEPT
    assert run.verdict("flow.tried.credits") is RuleVerdict.BROKEN
    assert run.findings[0].summary == f"step 2, getVideo: {detail}"


def test_flow_without_credits_has_one_rule() -> None:
    assert [it for it in tried(MADE).rules if it.startswith("flow.")] == ["flow.tried"]


def test_empty_account_of_a_flow_has_no_credits() -> None:
    refused = {"call": "generateVideo", "by": "empty", "status": 402, "takes": 0}

    run = tried(refused)

    assert run.verdict("flow.tried.credits") is run.verdict("flow.tried") is RuleVerdict.KEPT


@pytest.mark.parametrize(
    ("prompt", "unable"), [("A lamp [[screentest:fail]]", ""), ("", "it needs --failing-prompt")]
)
def test_job_of_a_flow_fails_by_the_text_that_the_user_knows(prompt: str, unable: str) -> None:
    contract = load_contract("ozor")
    checks = load_checks(contract)
    target = PlainTarget(InProcessTarget(make_app(contract), contract), has_others=bool(prompt))
    judge = Judge(rules_of(contract, checks))
    session = Session(target, contract, checks, judge, is_open=True)
    failed = next(it for it in flows(contract, checks, {}) if it.name == "flow failed_jobs")

    ran = run_scenario(failed, session, is_shared=True)

    assert (ran.unable, judge.kept["flow.failed_jobs"]) == (unable, int(bool(prompt)))


@pytest.mark.parametrize(
    ("footage", "detail"),
    [({"size": [1280, 720]}, "the video is 1920x1080"), ({"fps": 24}, "the video has 30.0 frames")],
)
def test_fetched_video_is_measured(footage: Json, detail: str) -> None:
    steps = [
        MADE,
        DONE,
        {"call": "exportVideo", "request": {}},
        {
            "call": "getVideo",
            "until": {"$response.body#/exportStatus": "complete"},
            "keeps": {"url": "$response.body#/downloadUrl"},
        },
        {"fetch": "$ids.url", "footage": footage},
    ]

    verdict, found = judged(*steps)

    assert verdict is RuleVerdict.BROKEN
    assert detail in found


def test_job_goes_on_without_the_client_that_left_its_stream() -> None:
    steps = [
        {"call": "getPlan", "needs": "plan"},
        {"call": "generatePlan", "leaves": True},
        {"call": "getPlan", "shows": {"$response.body#/plan/status": "generating"}},
    ]

    assert judged(*steps)[0] is RuleVerdict.KEPT

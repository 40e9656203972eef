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
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.checks.flows import Flow
from screentest.specs.contracts.registry import load_contract
from screentest.specs.json_types import Json

MADE = {
    "call": "generateVideo",
    "keeps": {"videoId": "$response.body#/videoId", "jobId": "$response.body#/jobId"},
}
DONE = {"call": "getJob", "until": {"$response.body#/status": "completed"}}


def judged(*steps: Json) -> tuple[RuleVerdict, str]:
    """The verdict on a flow of *steps* at our own mock of Ozor, and what was found first."""
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
        ({"call": "getVideo", "takes": 1}, "it took 0 credits, not 1"),
        ({"call": "getVideo", "credits": 7, "balance": 9}, "the balance is 8, not 9"),
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

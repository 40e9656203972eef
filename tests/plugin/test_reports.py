"""The reports at the end of a run: outcome coverage, the receipt, and their limits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

# Loaded here, so that the runs inside this process do not have to load it.
import screentest.fixtures.session  # pyright: ignore[reportUnusedImport]
import screentest.specs.yaml_loader  # pyright: ignore[reportUnusedImport]  # noqa: F401

from .suites import SUITE

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("only_our_plugin")

PLUGIN = "screentest.fixtures.plugin"


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-q", "-p", PLUGIN, *arguments)


def _run_workers(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-q", "-p", PLUGIN, "-p", "xdist", "-n", "2", *arguments)


def test_coverage_lists_what_was_met_and_what_never(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = _run(pytester, "--screentest-coverage")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        [
            "*= screentest: outcome coverage =*",
            "ozor * 3 *",
            "ozor: never met",
            "*generateVideo *400, 401",
            "*agent_job.state *failed",
            "*download.url *fetched, expired",
            "ulazai: never met",
            "*getTaskStatus *200, *404*",
            "not used: oshara, ugc_copilot, znapai",
        ]
    )


def test_coverage_is_written_as_json_and_as_junit_properties(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    _run(pytester, "--screentest-coverage-json=cover.json", "--junitxml=junit.xml")

    detail = json.loads(Path("cover.json").read_text())
    root = ElementTree.parse("junit.xml").getroot()
    properties = {it.get("name"): it.get("value") for it in root.iter("property")}
    assert detail["providers"]["ozor"]["met"] == {
        "agent_job.state completed": 1,
        "generateVideo 200": 1,
        "generateVideo 402": 1,
    }
    assert detail["providers"]["ozor"]["never"]["generateVideo"] == ["400", "401"]
    assert properties["screentest.never.ozor.generateVideo"] == "400 401"
    assert float(properties["screentest.coverage.ozor"] or 0) > 3


def test_too_little_coverage_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    enough = _run(pytester, "--screentest-coverage-fail-under=1")
    too_little = _run(pytester, "--screentest-coverage-fail-under=99")

    assert enough.ret == pytest.ExitCode.OK
    assert too_little.ret == pytest.ExitCode.TESTS_FAILED
    too_little.stdout.fnmatch_lines(["FAILED outcome coverage is * %, below the required 99 %"])


@pytest.mark.parametrize("percent", ["150", "-1", "nan", "much"])
def test_a_percentage_is_from_nothing_to_all(pytester: pytest.Pytester, percent: str) -> None:
    result = _run(pytester, f"--screentest-coverage-fail-under={percent}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    detail = f"*expected a percentage from 0 to 100, got '{percent}'*"
    result.stderr.fnmatch_lines([detail])


def test_a_report_that_has_no_folder_stops_the_run_before_it_starts(
    pytester: pytest.Pytester,
) -> None:
    result = _run(pytester, "--screentest-coverage-json=nowhere/cover.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --screentest-coverage-json: there is no folder 'nowhere'"])


def test_a_report_that_cannot_be_written_fails_the_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(screentest): pass")

    result = _run(pytester, "--screentest-coverage-json=.")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["FAILED . cannot be written: Is a directory"])


def test_the_receipt_adds_up_credits_and_money(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = _run(pytester, "--screentest-receipt")

    result.stdout.fnmatch_lines(
        [
            "ozor *1 *no public price per credit",
            "ulazai *70 *0.70 EUR *2,500 credits for 25 EUR",
            "in all *71 * 0  0.70 EUR and 1 credit without a price",
        ]
    )


RUNNING = """
import requests

def test_three(screentest):
    for _ in range(3):
        requests.post(
            "https://ozor.ai/api/v1/videos/generate",
            json={"prompt": "A lamp"},
            headers={"X-API-Key": screentest.ozor.api_key},
        )
"""


def test_jobs_that_a_test_leaves_running_are_on_the_receipt_and_in_the_budget(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(RUNNING)

    result = _run(pytester, "--screentest-receipt", "--screentest-budget=2")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "provider * credits * held * money *",
            "ozor * 0 * 3 * no public price per credit",
            "in all * 0 * 3  3 credits without a price",
            "FAILED *cost 3 credits, more than its budget 2; most credits: *test_three (3)",
        ]
    )


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        ("71", None),
        ("70", "*71 credits, more than its budget 70; most credits: *other (70), *render (1)"),
        ("ulazai=69", "*cost 70 credits, more than its budget ulazai=69; *: *other (70)"),
        ("0.69EUR", "*have cost 0.70 EUR, more than its budget 0.69EUR; *other (70), *"),
    ],
)
def test_a_budget_that_is_exceeded_fails_the_run(
    pytester: pytest.Pytester, budget: str, expected: str | None
) -> None:
    pytester.makepyfile(SUITE)

    result = _run(pytester, f"--screentest-budget={budget}")

    assert result.ret == (pytest.ExitCode.TESTS_FAILED if expected else pytest.ExitCode.OK)
    if expected:
        result.stdout.fnmatch_lines([expected])


@pytest.mark.long
def test_workers_of_xdist_are_added_up(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = _run_workers(pytester, "--screentest-coverage-json=cover.json", "--screentest-receipt")

    result.assert_outcomes(passed=3)
    detail = json.loads(Path("cover.json").read_text())
    assert detail["providers"]["ozor"]["met"]["generateVideo 402"] == 1
    assert detail["providers"]["ulazai"]["met"]["task.state success"] == 1
    result.stdout.fnmatch_lines(["in all *71 *0.70 EUR and 1 credit without a price"])


@pytest.mark.long
@pytest.mark.parametrize(("percent", "code"), [("4", 0), ("7", 1)])
def test_coverage_limits_are_about_what_all_workers_met(
    pytester: pytest.Pytester, percent: str, code: int
) -> None:
    """Together they reach about one outcome in twenty."""
    pytester.makepyfile(SUITE)

    result = _run_workers(pytester, f"--screentest-coverage-fail-under={percent}")

    result.assert_outcomes(passed=3)
    assert result.ret == code


def test_exceeded_budget_names_the_tests_that_cost_most(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import httpx
        import pytest

        @pytest.mark.parametrize("videos", [1, 3])
        def test_makes(screentest, videos):
            for number in range(videos):
                httpx.post(
                    "https://ozor.ai/api/v1/videos/generate",
                    json={"prompt": f"Lamp {number}"},
                    headers={"X-API-Key": screentest.ozor.api_key},
                )
    """)

    result = _run(pytester, "--screentest-budget=ozor=3")

    result.stdout.fnmatch_lines(
        ["*cost 4 credits, more than its budget ozor=3; most credits: *makes[[]3] (3), *[[]1] (1)"]
    )


@pytest.mark.long
def test_equal_polls_are_one_line_of_a_failing_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import httpx

        def test_polls(screentest):
            headers = {"X-API-Key": screentest.ozor.api_key}
            for _ in range(50):
                screentest.clock.advance(10)
                httpx.get("https://ozor.ai/api/v1/videos", headers=headers)
            httpx.get("https://ozor.ai/api/v1/videos/none", headers=headers)
            assert 0
    """)

    result = _run(pytester)

    result.stdout.fnmatch_lines(
        ["*  req_1 * 200 * /api/v1/videos  (listVideos)  ×50 until req_50", "* req_51 *(getVideo)*"]
    )
    assert result.stdout.str().count("listVideos") == 1


# --- the verdict ----------------------------------------------------------------------------------

_WASTES = """
import httpx
import pytest

def make(world):
    return httpx.post(
        "https://ozor.ai/api/v1/videos/generate",
        json={"prompt": "A <b>lamp</b>"},
        headers={"X-API-Key": world.ozor.api_key},
    )

@pytest.mark.screentest(violations="ignore")
def test_pays_twice(screentest):
    screentest.ozor.faults.lost_answer()
    with pytest.raises(httpx.TransportError):
        make(screentest)
    make(screentest)

def test_fetches_nothing(screentest):
    make(screentest)
    screentest.clock.advance(3_600)
"""


@pytest.mark.long
@pytest.mark.parametrize("run", [_run, _run_workers], ids=["alone", "workers"])
def test_verdict_has_findings_with_their_lines_and_costs(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile(_WASTES)
    reports = [f"--screentest-report={kind}:verdict.{kind}" for kind in ("json", "html", "junit")]

    result = run(pytester, *reports)

    result.assert_outcomes(passed=2)
    verdict = json.loads((pytester.path / "verdict.json").read_text())
    found = {it["code"]: it for it in verdict["findings"]}
    assert list(found) == ["SC210", "SC212"]
    assert found["SC210"]["title"] == "paid twice"
    (place,) = found["SC210"]["places"]
    assert place == "test_verdict_has_findings_with_their_lines_and_costs.py:5"
    assert (verdict["requests"], verdict["worlds"]) == (3, 2)
    assert verdict["credits"]["ozor"] == {"spent": 1, "held": 2, "text": "3 credits"}
    assert verdict["outcomes"]["providers"]["ozor"]["met"]["generateVideo 200"] == 3
    page = (pytester.path / "verdict.html").read_text()
    assert "SC210 paid twice" in page
    assert "<b>lamp" not in page
    assert "<script" not in page
    suite = ElementTree.parse(pytester.path / "verdict.junit").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "1", "1")


def test_verdict_of_a_run_without_worlds_is_written_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")

    _run(pytester, "--screentest-report=json:verdict.json").assert_outcomes(passed=1)

    verdict = json.loads((pytester.path / "verdict.json").read_text())
    assert (verdict["requests"], verdict["findings"], verdict["cost"]) == (0, [], "0 credits")


@pytest.mark.parametrize("text", ["pdf:x", "html", "html:", "html:no/such/folder"])
def test_verdict_that_cannot_be_written_is_refused(pytester: pytest.Pytester, text: str) -> None:
    result = _run(pytester, f"--screentest-report={text}")

    result.stderr.fnmatch_lines(["ERROR: --screentest-report: expected html, junit or json, *"])

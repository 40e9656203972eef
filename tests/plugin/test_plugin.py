"""The plugin in a pytest run: options, failures, workers, and how to disable it."""

from __future__ import annotations

from pathlib import Path

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


# Options, help, and disabling


def test_a_wrong_budget_stops_the_run_before_it_starts(pytester: pytest.Pytester) -> None:
    result = _run(pytester, "--screentest-budget=ulazay=3")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--screentest-budget: no provider 'ulazay'; did you mean*"])


def test_fixtures_and_markers_explain_themselves(pytester: pytest.Pytester) -> None:
    fixtures = _run(pytester, "--fixtures")
    markers = _run(pytester, "--markers")

    fixtures.stdout.fnmatch_lines_random(
        [
            "screentest -- *",
            "*A new world of AI-video APIs: all providers, each with an account*",
            "screentest_worlds -- *",
            "screentest_server [[]session scope] -- *",
            "screentest_options [[]session scope] -- *",
        ]
    )
    markers.stdout.fnmatch_lines(["@pytest.mark.screentest(*clock='warp', credits=None*"])


@pytest.mark.long
def test_the_plugin_can_be_switched_off(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    pytester.makepyfile("def test_it(): pass\ndef test_needs(screentest): pass")

    result = pytester.runpytest_subprocess("-p", "no:schemathesis", "-p", "no:screentest")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*fixture 'screentest' not found*"])


# Failures


def test_a_failing_test_shows_the_journal_of_its_world(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE + "\n    assert not answer.ok")

    result = _run(pytester, "-k", "other")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- Captured screentest call -*",
            "world w_*: seed *, clock warp, * s passed",
            "*req_1 *201  ulazai  POST /api/v1/sora/generate/text-to-video/*",
            "*ledger:",
            "*ulazai acct_*: charge 70 for *",
        ]
    )


def test_a_failing_test_shows_what_faults_left_of_its_answers(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import requests

        def test_broken(screentest):
            screentest.ozor.corrupt_json()
            headers = {"X-API-Key": screentest.ozor.api_key}
            requests.get("https://ozor.ai/api/v1/videos", headers=headers).json()
        """
    )

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*req_1 *200  ozor  GET /api/v1/videos  (listVideos)",
            "*fault: fault_1 malformed_json; sent: the first half of the body",
        ]
    )


def test_a_lost_answer_is_shown_as_lost_and_not_as_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import requests

        def test_lost(screentest):
            lost = {"type": "reset_peer", "phase": "after_commit"}
            screentest._mock.control("createFault", lost, world=screentest.id)
            headers = {"X-API-Key": screentest.ozor.api_key}
            requests.get("https://ozor.ai/api/v1/videos", headers=headers)
        """
    )

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*req_1 *no answer  ozor  GET /api/v1/videos  (listVideos)  carried out (200)",
            "*fault: fault_1 reset_peer; sent: nothing",
        ]
    )
    result.stdout.no_fnmatch_line("*refused: fault*")


def test_a_failing_fixture_shows_the_journal_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest, requests

        @pytest.fixture
        def broken(screentest):
            requests.get("https://ozor.ai/api/v1/videos")
            raise LookupError

        def test_it(broken): pass
        """
    )

    result = _run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Captured screentest setup*", "*401  ozor  GET /api/v1/videos*"])


IGNORED = """
import requests
def test_it(screentest):
    headers = {"X-API-Key": screentest.ozor.api_key}
    body = {"prompt": "A", "colour": "red"}
    requests.post("https://ozor.ai/api/v1/videos/generate", json=body, headers=headers)
    assert [it["code"] for it in screentest.requests[-1].findings] == ["SC103"]
"""
BREACH = """
import requests
def test_it(screentest):
    headers = {"X-API-Key": screentest.ozor.api_key}
    requests.post("https://ozor.ai/api/v1/videos/generate", json={"promt": "A"}, headers=headers)
"""
UNMATCHED = """
import requests
def test_it(screentest):
    try:
        requests.post("https://ozor.ai/api/v1/video/generate", json={})
    except Exception:
        pass
"""


def test_a_breach_of_contract_fails_the_test_in_its_call(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BREACH)

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "req_1 POST /api/v1/videos/generate (generateVideo) breaks the contract of ozor:",
            "*/prompt: expected a value, got nothing*",
        ]
    )


def test_a_field_that_is_ignored_fails_no_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(IGNORED)

    _run(pytester).assert_outcomes(passed=1)


def test_an_undocumented_call_is_not_swallowed_by_the_code_under_test(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(UNMATCHED)

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the nearest is POST /api/v1/videos/generate"])


@pytest.mark.parametrize(("suite", "setting"), [(BREACH, "violations"), (UNMATCHED, "unmatched")])
def test_both_can_be_made_warnings_or_nothing(
    pytester: pytest.Pytester, suite: str, setting: str
) -> None:
    pytester.makepyfile(suite)

    warned = _run(pytester, f"--screentest-{setting}=warn")
    ignored = _run(pytester, f"--screentest-{setting}=ignore", "-W", "error")

    warned.assert_outcomes(passed=1, warnings=1)
    line = 1 + next(at for at, it in enumerate(suite.splitlines()) if "requests.post(" in it)
    warned.stdout.fnmatch_lines([f"*test_both_can_be*.py:{line - 1}: ScreentestWarning:*"])
    ignored.assert_outcomes(passed=1)


def test_a_warning_whose_caller_is_unknown_is_about_the_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import urllib.request, urllib.error

        def test_it(screentest, screentest_server):
            url = screentest_server.base_url(screentest, "ozor") + "/api/v1/nothing"
            try:
                urllib.request.urlopen(url)
            except urllib.error.HTTPError:
                pass
        """
    )

    result = _run(pytester, "--screentest-unmatched=warn")

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*.py:3: ScreentestWarning: Ozor documents no GET /api/v1/noth*"])


def test_a_key_in_the_wrong_place_fails_the_test_and_no_key_does_not(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import requests

        VIDEOS = "https://ozor.ai/api/v1/videos"

        def test_wrong(screentest):
            headers = {"Authorization": "Bearer " + screentest.ozor.api_key}
            assert requests.get(VIDEOS, headers=headers).status_code == 401

        def test_none(screentest):
            assert requests.get(VIDEOS).status_code == 401
        """
    )

    result = _run(pytester)

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*SC104 */X-API-Key: expected X-API-Key: KEY, got Authorization*"])


LATE = """
import pytest, requests

URL = "https://ozor.ai/api/v1/videos/generate"

@pytest.fixture
def client(screentest):
    yield
    requests.post(URL, json={}, headers={"X-API-Key": screentest.ozor.api_key})
"""


def test_what_goes_wrong_while_fixtures_are_taken_down_is_an_error(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(LATE + "\ndef test_it(client): pass\ndef test_after(screentest): pass\n")

    result = _run(pytester)

    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_it*", "req_1 POST * breaks the contract of ozor:"]
    )


def test_cause_of_a_failed_test_is_reported_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(BREACH)

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    # If CI is set, the summary at the end repeats the whole text.
    detail = [line for line in result.outlines if line.startswith("req_1 POST ")]
    assert len(detail) == 1


def test_a_world_ends_with_its_test_also_after_an_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        worlds = []

        def test_fails(screentest):
            worlds.append(screentest)
            raise ValueError

        @pytest.fixture
        def broken(screentest):
            worlds.append(screentest)
            yield
            raise KeyError

        def test_teardown(broken): pass

        def test_after(screentest):
            ids = [world.id for world in screentest._mock.worlds.all()]
            assert ids == [screentest.id]
            assert len(worlds) == 2
        """
    )

    result = _run(pytester)

    result.assert_outcomes(failed=1, passed=2, errors=1)


def test_an_interrupted_run_ends_without_a_traceback_of_ours(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(screentest):\n    raise KeyboardInterrupt")

    result = pytester.runpytest_subprocess("-q", "-p", PLUGIN, "--screentest-receipt")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
    assert "Traceback" not in str(result.stderr) + str(result.stdout)
    assert "Error" not in str(result.stderr)


# Workers


@pytest.mark.long
def test_every_worker_of_xdist_has_a_server_of_its_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pathlib, pytest, requests

        @pytest.mark.parametrize("number", range(8))
        def test_it(screentest, screentest_server, number, worker_id):
            headers = {"X-API-Key": screentest.ozor.api_key}
            url = screentest_server.base_url(screentest, "ozor") + "/api/v1/videos"
            assert requests.get(url, headers=headers).json() == {"videos": []}
            with open("urls.txt", "a") as file:
                file.write(f"{worker_id} {screentest_server.url}\\n")
        """
    )

    result = _run_workers(pytester)

    result.assert_outcomes(passed=8)
    lines = set(Path("urls.txt").read_text().splitlines())
    assert len(lines) == len({line.split()[1] for line in lines}) == 2


@pytest.mark.long
def test_the_same_test_draws_the_same_ids_in_every_run(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import requests
        def test_it(screentest):
            headers = {"X-API-Key": screentest.ozor.api_key}
            url = "https://ozor.ai/api/v1/videos/generate"
            job = requests.post(url, json={"prompt": "A"}, headers=headers).json()["jobId"]
            with open("ids.txt", "a") as file:
                file.write(job + "\\n")
        """
    )

    _run(pytester)
    _run_workers(pytester)

    first, second = Path("ids.txt").read_text().splitlines()
    assert first == second

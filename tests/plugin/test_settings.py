"""The settings of worlds, their sources, and the errors for wrong ones."""

from __future__ import annotations

import pytest

# Loaded here, so that the runs inside this process do not have to load it.
import screentest.fixtures.session  # pyright: ignore[reportUnusedImport]
import screentest.specs.yaml_loader  # pyright: ignore[reportUnusedImport]  # noqa: F401

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("only_our_plugin")

PLUGIN = "screentest.fixtures.plugin"


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-q", "-p", PLUGIN, *arguments)


#: The sources of a setting, in the order of precedence.
PLACES = ("argument", "marker", "conftest", "ini", "variable")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "warp"),
        ({"variable": "auto"}, "auto"),
        ({"argument": "auto"}, "auto"),
        ({"ini": "auto"}, "auto"),
        ({"conftest": "auto"}, "auto"),
        ({"marker": "auto"}, "auto"),
        ({"argument": "real", "variable": "auto"}, "real"),
        ({"ini": "real", "variable": "auto"}, "real"),
        ({"argument": "real", "ini": "auto"}, "real"),
        ({"conftest": "real", "ini": "auto"}, "real"),
        ({"marker": "real", "conftest": "auto"}, "real"),
        ({"argument": "real", "conftest": "auto"}, "real"),
        ({"marker": "real", "variable": "auto"}, "real"),
        ({"argument": "real", "marker": "auto"}, "real"),
        ({"marker": "real", "ini": "auto"}, "real"),
        ({"argument": "real", "marker": "auto", "ini": "manual", "variable": "system"}, "real"),
    ],
    ids=lambda given: "+".join(given) if isinstance(given, dict) else None,
)
def test_command_line_marker_conftest_ini_and_variable_decide_in_this_order(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, str],
    expected: str,
) -> None:
    assert given.keys() <= set(PLACES)
    if "variable" in given:
        monkeypatch.setenv("SCREENTEST_CLOCK", given["variable"])
    pytester.makeini(f"[pytest]\nscreentest_clock = {given.get('ini', '')}")
    if "conftest" in given:
        pytester.makeconftest(
            f"""
            import dataclasses, pytest

            @pytest.fixture(scope="session")
            def screentest_options(screentest_options):
                return dataclasses.replace(screentest_options, clock={given["conftest"]!r})
            """
        )
    marker = f"clock={given['marker']!r}" if "marker" in given else ""
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.screentest({marker})
        def test_it(screentest):
            assert screentest.options.clock == {expected!r}
        """
    )

    arguments = [f"--screentest-clock={given['argument']}"] if "argument" in given else []

    _run(pytester, *arguments).assert_outcomes(passed=1)


def test_the_nearest_marker_is_the_strongest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.screentest(credits=1, seed=5)

        @pytest.mark.screentest(credits=2)
        class TestIt:
            @pytest.mark.screentest(credits=3)
            def test_near(self, screentest):
                assert (screentest.ozor.credits, screentest.seed) == (3, 5)

            def test_far(self, screentest):
                assert (screentest.ozor.credits, screentest.seed) == (2, 5)
        """
    )

    result = _run(pytester, "--screentest-pace=fast")

    result.assert_outcomes(passed=2)


def test_a_project_overrides_the_options_in_its_conftest(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import dataclasses, pytest

        @pytest.fixture(scope="session")
        def screentest_options(screentest_options):
            return dataclasses.replace(screentest_options, credits=4)
        """
    )
    pytester.makepyfile("def test_it(screentest):\n    assert screentest.ozor.credits == 4")

    _run(pytester).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("credit=1", "*no setting 'credit'; did you mean 'credits'?*"),
        (
            "clock='frozen'",
            "*no value of clock 'frozen' (there are: auto, manual, real, *",
        ),
        ("clock='manual:2'", "*no value of clock 'manual:2'; did you mean 'manual'?*"),
        ("clock='real:fast'", "*clock: 'fast' is not a speed; write real:20"),
        ("clock='real:0'", "*speed 0.0 must be above 0 and at most 1000000"),
        ("clock=3", "*clock: expected a text such as 'warp' or 'real:20', got 3"),
        ("credits='many'", "*credits: expected a number from 0, or one per provider, got 'many'*"),
        ("credits=2**60", "*credits: expected a number from 0, or one per provider, got 1152*"),
        ("credits={'ozr': 1}", "*no provider 'ozr'; did you mean 'ozor'?*"),
        ("seed='x'", "*seed: expected a whole number, got 'x'"),
        ("seed=2**70", "*seed: expected a whole number, got 1180591620717411303424"),
        ("now='yesterday'", "*'yesterday' is not an instant; write it like 2026-01-01T00:00:00Z"),
        ("now='9999-12-31T00:00:00Z'", "*now: expected an instant from 1970 to 9000, got *"),
        ("now=3", "*now: expected a text such as 2026-01-01T00:00:00Z, got 3"),
        ("pace='quick'", "*pace 'quick' must be one of documented, fast, instant, or a factor*"),
        ("pace=None", "*pace: expected documented, fast, instant or a factor, got None"),
        ("unmatched='err'", "*no value of unmatched 'err'; did you mean 'error'?*"),
        ("intercept='yes'", "*intercept: expected True or False, got 'yes'"),
        ("interpretations='x'", "*interpretations: expected readings by name, such as *"),
        ("interpretations={'ozor.hold': 'x'}", "*no interpretation 'ozor.hold'*"),
        ("0", "*takes settings by name, such as credits=0; got (0,)*"),
    ],
)
def test_a_wrong_marker_says_what_is_possible(
    pytester: pytest.Pytester, arguments: str, expected: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.screentest({arguments})
        def test_it(screentest): pass
        """
    )

    result = _run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([expected])
    assert "Traceback" not in str(result.stdout)
    assert "During handling" not in str(result.stdout)


def test_the_marker_alone_gives_the_test_a_world(pytester: pytest.Pytester) -> None:
    """Without a world the call would go to the real provider."""
    pytester.makepyfile(
        """
        import unittest
        import pytest, requests

        def status():
            return requests.get("https://ozor.ai/api/v1/videos", timeout=2).status_code

        @pytest.mark.screentest(credits=0)
        def test_function():
            assert status() == 401

        @pytest.mark.screentest
        class TestClass:
            @pytest.mark.parametrize("number", [1, 2])
            def test_method(self, number):
                assert status() == 401

        @pytest.mark.screentest(violations="ignore")
        class Unit(unittest.TestCase):
            def test_case(self):
                self.assertEqual(status(), 401)

        @pytest.mark.screentest
        async def test_skipped_without_a_plugin_for_it(): pass
        """
    )

    result = _run(pytester, "-o", "screentest_violations=ignore", "-k", "not skipped")

    result.assert_outcomes(passed=4, deselected=1)


def test_a_wrong_marker_is_reported_on_a_test_without_a_world_too(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.screentest(credit=7)
        def test_wrong(): pass

        @pytest.mark.screentest(credits=7)
        def test_right(): pass
        """
    )

    result = _run(pytester)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["marker screentest of test_wrong: no setting 'credit'; did you*"])


@pytest.mark.parametrize(
    ("ini", "argument", "expected"),
    [
        ("", "--screentest-seed=seven", "command line: seed: expected a whole number, got 'seven'"),
        ("", f"--screentest-seed={'9' * 5_000}", "command line: seed: expected a whole number,*"),
        (
            "",
            "--screentest-now=soon",
            "command line: 'soon' is not an instant; write it like 2026-*",
        ),
        ("screentest_clock = wrap", "-q", "ini: no value of clock 'wrap'; did you mean 'warp'?*"),
        ("screentest_credits = -1", "-q", "ini: credits: expected a number from 0, or one per*"),
        ("screentest_intercept = maybe", "-q", "ini: intercept: expected True or False, got 'm*"),
    ],
)
def test_a_wrong_setting_stops_the_run_before_it_starts(
    pytester: pytest.Pytester, ini: str, argument: str, expected: str
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")

    result = _run(pytester, argument)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: screentest: {expected}"])


def test_a_wrong_variable_stops_the_run_before_it_starts(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCREENTEST_CLOCK", "wrap")

    result = _run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: screentest: environment: no value of clock 'wrap'; did you mean 'warp'?*"]
    )


def test_a_variable_means_to_the_plugin_what_it_means_to_the_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCREENTEST_CLOCK", "real:1000")
    monkeypatch.setenv("SCREENTEST_SEED", "7")
    monkeypatch.setenv("SCREENTEST_PACE", "fast")
    pytester.makepyfile(
        """
        import time

        def test_it(screentest):
            options = screentest.options
            assert (options.clock, options.seed, options.pace) == ("real:1000", 7, "fast")
            time.sleep(0.05)
            assert screentest.clock.elapsed >= 50
        """
    )

    _run(pytester).assert_outcomes(passed=1)

"""Worlds of a class, a module and the session, and the frameworks that need them."""

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


@pytest.mark.parametrize("scope", ["class", "module", "session"])
def test_tests_of_a_scope_share_a_world_and_its_clock(
    pytester: pytest.Pytester, scope: str
) -> None:
    pytester.makepyfile(f"""
        import time

        import httpx
        import pytest

        URL = "https://ozor.ai/api/v1/videos"

        @pytest.fixture(scope="{scope}")
        def video(screentest_{scope}):
            headers = {{"X-API-Key": screentest_{scope}.ozor.api_key}}
            return httpx.post(URL + "/generate", json={{"prompt": "A lamp"}}, headers=headers)

        class TestVideo:
            def test_pays(self, screentest_{scope}, video):
                assert screentest_{scope}.ozor.credits == 9
                time.sleep(600)

            def test_is_done(self, screentest_{scope}, video):
                assert screentest_{scope}.clock.elapsed == 600.0
                assert [it.state for it in screentest_{scope}.ozor.jobs] == ["completed"]
    """)

    _run(pytester).assert_outcomes(passed=2)


def test_mistake_fails_the_test_that_makes_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import httpx

        def make(world, **body):
            headers = {"X-API-Key": world.ozor.api_key}
            httpx.post("https://ozor.ai/api/v1/videos/generate", json=body, headers=headers)

        def test_one(screentest_module):
            make(screentest_module, prompt="A lamp")

        def test_two(screentest_module):
            make(screentest_module, prompt=5)

        def test_three(screentest_module):
            make(screentest_module, prompt="A chair")
    """)

    result = _run(pytester)

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*SC102 /prompt*", "FAILED *::test_two *"])


def test_two_worlds_for_one_call_are_refused(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        def test_both(screentest_module, screentest):
            pass
    """)

    result = _run(pytester)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*has the world of test_two*.py already; use that one alone*"])


def test_case_of_unittest_has_a_world_for_each_test_or_for_the_class(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("""
        import asyncio
        import unittest

        import httpx
        import pytest

        URL = "https://ozor.ai/api/v1/videos"

        class Each(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _world(self, screentest):
                self.world = screentest

            def test_lists(self):
                answer = httpx.get(URL, headers={"X-API-Key": self.world.ozor.api_key})
                self.assertEqual(answer.json()["videos"], [])

        @pytest.fixture(scope="class")
        def shared_world(request, screentest_class):
            request.cls.world = screentest_class

        @pytest.mark.usefixtures("shared_world")
        class Shared(unittest.TestCase):
            def test_one(self):
                self.world.clock.advance(60)

            def test_two(self):
                self.assertEqual(self.world.clock.elapsed, 60.0)

        class Asynchronous(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def _world(self, screentest):
                self.world = screentest

            async def test_sleeps(self):
                await asyncio.sleep(600)
                self.assertEqual(self.world.clock.elapsed, 600.0)
    """)

    _run(pytester).assert_outcomes(passed=4)

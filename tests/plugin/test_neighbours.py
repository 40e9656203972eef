"""Together with other tools that answer HTTP calls: what works, and errors for the rest."""

from __future__ import annotations

import pytest

from .conftest import neighbour

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.usefixtures("only_our_plugin")

PLUGIN = "screentest.fixtures.plugin"

#: A client that calls a provider and another host.
CLIENT = """
import asyncio
import httpx
import pytest
import requests

VIDEOS = "https://ozor.ai/api/v1/videos"
OTHER = "http://other.test/thing"

def provider_by_requests(world):
    return requests.get(VIDEOS, headers={"X-API-Key": world.ozor.api_key}).json()

def provider_by_httpx(world):
    return httpx.get(VIDEOS, headers={"X-API-Key": world.ozor.api_key}).json()

async def provider_by_async_httpx(world):
    async with httpx.AsyncClient(headers={"X-API-Key": world.ozor.api_key}) as client:
        return (await client.get(VIDEOS)).json()

EMPTY = {"videos": []}
"""


def _run(pytester: pytest.Pytester, suite: str, *plugins: str) -> pytest.RunResult:
    pytester.makepyfile(CLIENT + suite)
    chosen = [argument for name in (PLUGIN, *plugins) for argument in ("-p", name)]
    return pytester.runpytest_subprocess("-q", *chosen)


@pytest.mark.slow
def test_responses_answers_others_and_leaves_providers_to_the_mock(
    pytester: pytest.Pytester,
) -> None:
    neighbour("responses")
    suite = """
import responses

@responses.activate
def test_decorated(screentest):
    responses.get(OTHER, json={"is": "other"})
    assert requests.get(OTHER).json() == {"is": "other"}
    assert provider_by_requests(screentest) == EMPTY

def test_with(screentest):
    with responses.RequestsMock() as mock:
        mock.get(OTHER, json={"is": "other"})
        assert provider_by_requests(screentest) == EMPTY
        assert requests.get(OTHER).json() == {"is": "other"}

@responses.activate
def test_own_answer_wins(screentest):
    responses.get(VIDEOS, json={"is": "mine"})
    assert provider_by_requests(screentest) == {"is": "mine"}
"""

    _run(pytester, suite).assert_outcomes(passed=3)


@pytest.mark.slow
def test_respx_answers_others_and_leaves_providers_to_the_mock(pytester: pytest.Pytester) -> None:
    neighbour("respx")
    suite = """
import respx

def test_fixture(screentest, respx_mock):
    respx_mock.get(OTHER).respond(json={"is": "other"})
    assert httpx.get(OTHER).json() == {"is": "other"}
    assert provider_by_httpx(screentest) == EMPTY
    assert asyncio.run(provider_by_async_httpx(screentest)) == EMPTY

@respx.mock
def test_decorated(screentest):
    respx.get(OTHER).respond(json={"is": "other"})
    assert provider_by_httpx(screentest) == EMPTY
    assert httpx.get(OTHER).json() == {"is": "other"}
"""

    _run(pytester, suite, "respx.plugin").assert_outcomes(passed=2)


@pytest.mark.slow
def test_respx_on_top_of_httpx_is_named_as_the_culprit(pytester: pytest.Pytester) -> None:
    neighbour("respx")
    suite = """
import respx

def test_it(screentest):
    with respx.mock(using="httpx"):
        provider_by_httpx(screentest)
"""

    result = _run(pytester, suite, "respx.plugin")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*screentest: respx took this call*using='httpcore'*"])


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["screentest, httpx_mock", "httpx_mock, screentest"])
def test_pytest_httpx_answers_others_in_either_order(
    pytester: pytest.Pytester, arguments: str
) -> None:
    neighbour("pytest_httpx")
    suite = f"""
def test_it({arguments}):
    httpx_mock.add_response(url=OTHER, json={{"is": "other"}})
    assert httpx.get(OTHER).json() == {{"is": "other"}}
    assert provider_by_httpx(screentest) == EMPTY
    assert asyncio.run(provider_by_async_httpx(screentest)) == EMPTY
"""

    _run(pytester, suite, "pytest_httpx").assert_outcomes(passed=1)


@pytest.mark.slow
def test_pytest_httpx_that_comes_later_is_named_as_the_culprit(pytester: pytest.Pytester) -> None:
    neighbour("pytest_httpx")
    suite = """
def test_it(screentest, request):
    request.getfixturevalue("httpx_mock")
    provider_by_httpx(screentest)
"""

    result = _run(pytester, suite, "pytest_httpx")

    assert "failed" in result.parseoutcomes()
    result.stdout.fnmatch_lines(["*screentest: pytest-httpx took this call*ask for httpx_mock*"])


@pytest.mark.slow
def test_vcrpy_records_others_and_leaves_providers_to_the_mock(pytester: pytest.Pytester) -> None:
    neighbour("vcr")
    suite = """
import vcr

def test_requests(screentest, tmp_path):
    with vcr.use_cassette(str(tmp_path / "tape.yaml"), record_mode="none") as tape:
        assert provider_by_requests(screentest) == EMPTY
        assert len(tape) == 0

def test_httpx(screentest, tmp_path):
    with vcr.use_cassette(str(tmp_path / "tape.yaml"), record_mode="none") as tape:
        assert provider_by_httpx(screentest) == EMPTY
        assert len(tape) == 0
"""

    _run(pytester, suite).assert_outcomes(passed=2)


@pytest.mark.slow
def test_vcrpy_leaves_providers_to_the_mock_in_aiohttp_too(pytester: pytest.Pytester) -> None:
    neighbour("vcr")
    neighbour("aiohttp")
    suite = """
import aiohttp, vcr

async def ask(world):
    async with aiohttp.ClientSession(headers={"X-API-Key": world.ozor.api_key}) as session:
        async with session.get(VIDEOS) as answer:
            return await answer.json()

def test_it(screentest, tmp_path):
    with vcr.use_cassette(str(tmp_path / "tape.yaml"), record_mode="none") as tape:
        assert asyncio.run(ask(screentest)) == EMPTY
        assert len(tape) == 0
"""

    _run(pytester, suite).assert_outcomes(passed=1)


@pytest.mark.slow
def test_pytest_socket_may_forbid_all_sockets(pytester: pytest.Pytester) -> None:
    neighbour("pytest_socket")
    neighbour("openai")
    suite = """
def test_requests(screentest, socket_disabled):
    assert provider_by_requests(screentest) == EMPTY

def test_httpx(screentest, socket_disabled):
    assert provider_by_httpx(screentest) == EMPTY

def test_openai(screentest, socket_disabled):
    import openai
    client = openai.OpenAI(
        api_key=screentest.znapai.api_key, base_url=screentest.znapai.base_url + "/v1"
    )
    with pytest.warns(DeprecationWarning):
        assert client.videos.list().data == []
"""

    _run(pytester, suite, "pytest_socket").assert_outcomes(passed=3)


@pytest.mark.slow
def test_pytest_socket_without_loopback_names_itself_when_a_port_is_needed(
    pytester: pytest.Pytester,
) -> None:
    neighbour("pytest_socket")
    suite = """
def test_it(screentest, screentest_server, socket_disabled):
    screentest_server.url
"""

    result = _run(pytester, suite, "pytest_socket")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*if pytest-socket blocks sockets*pytest.mark.enable_socket*"])


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_pytest_asyncio_runs_tests_that_sleep_on_the_worlds_clock(
    pytester: pytest.Pytester, mode: str
) -> None:
    neighbour("pytest_asyncio")
    suite = """
@pytest.mark.asyncio
async def test_it(screentest):
    assert await provider_by_async_httpx(screentest) == EMPTY
    await asyncio.sleep(30)
    assert screentest.clock.elapsed == 30
"""
    pytester.makeini(f"[pytest]\nasyncio_mode = {mode}")

    _run(pytester, suite, "pytest_asyncio.plugin").assert_outcomes(passed=1)


@pytest.mark.slow
def test_anyio_runs_tests_that_sleep_on_the_worlds_clock(pytester: pytest.Pytester) -> None:
    neighbour("trio")
    suite = """
import anyio

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_it(screentest):
    assert await provider_by_async_httpx(screentest) == EMPTY
    await anyio.sleep(30)
    assert screentest.clock.elapsed == 30
"""

    _run(pytester, suite, "anyio").assert_outcomes(passed=2)


def test_a_client_that_is_loaded_inside_the_test_is_answered_too(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it(screentest):
            assert "httpx" not in sys.modules and "urllib3" not in sys.modules
            import httpx, requests
            headers = {"X-API-Key": screentest.ozor.api_key}
            url = "https://ozor.ai/api/v1/videos"
            assert httpx.get(url, headers=headers).json() == {"videos": []}
            assert requests.get(url, headers=headers).json() == {"videos": []}

        def test_loaders_are_the_real_ones():
            import httpx
            assert type(httpx.__spec__.loader).__module__ != "screentest.fixtures.patching.patches"
            assert httpx.__loader__ is httpx.__spec__.loader
        """
    )

    result = pytester.runpytest_subprocess("-q", "-p", PLUGIN)

    result.assert_outcomes(passed=2)

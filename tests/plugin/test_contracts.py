"""Contracts of the user's in pytest: their handle, and the interception of their hosts."""

from __future__ import annotations

import pytest

# Loaded here, so that the runs inside this process do not have to load it.
import screentest.fixtures.session  # pyright: ignore[reportUnusedImport]
import screentest.specs.yaml_loader  # pyright: ignore[reportUnusedImport]  # noqa: F401

pytest_plugins = ["pytester"]

_OPENAPI = """
openapi: 3.0.3
info: {title: Lamp}
servers: [{url: 'https://api.lamp.example/v1'}, {url: 'https://eu.lamp.example/v1'}]
security: [{key: []}]
paths:
  /videos:
    get:
      responses: {200: {content: {application/json: {example: [{id: a}]}}}}
components: {securitySchemes: {key: {type: http, scheme: bearer}}}
"""
_TEST = """
import urllib3


def test_lamp(screentest):
    headers = {"Authorization": f"Bearer {screentest.lamp.api_key}"}
    for host in ("api.lamp.example", "eu.lamp.example"):
        answer = urllib3.request("GET", f"https://{host}/v1/videos", headers=headers)
        assert (answer.status, answer.json()) == (200, [{"id": "a"}])
    assert [it.provider for it in screentest.requests] == ["lamp", "lamp"]
"""


@pytest.fixture(autouse=True)
def _only_our_plugin(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.mkdir("mocks")
    pytester.path.joinpath("mocks", "lamp.yaml").write_text(_OPENAPI)


def _run(pytester: pytest.Pytester) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-q", "-p", "screentest.fixtures.plugin")


def test_ini_line_gives_a_handle_and_answers_the_hosts(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nscreentest_contracts = mocks/lamp.yaml\n")
    pytester.makepyfile(_TEST)

    _run(pytester).assert_outcomes(passed=1)


def test_variable_and_pyproject_name_contracts_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyprojecttoml('[tool.screentest]\ncontracts = ["mocks/lamp.yaml"]\n')
    pytester.makepyfile(_TEST)
    monkeypatch.setenv("SCREENTEST_CONTRACTS", str(pytester.path / "mocks" / "lamp.yaml"))

    _run(pytester).assert_outcomes(passed=1)


def test_wrong_contract_ends_the_run_before_its_first_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nscreentest_contracts = mocks/lamb.yaml\n")
    pytester.makepyfile(_TEST)

    result = _run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: screentest: cannot read *lamb.yaml: No such file*"])


_PROFILE = """{
"profile": 1, "provider": "ulazai", "readings": {"ulazai.image_to_video_status": "%s"},
"open_readings": {}, "refused_first": [], "extra_fields": {}, "durations": {}, "rate_headers": {}
}"""
_PROFILED = """
import urllib3


def test_status(screentest):
    ulazai = screentest.ulazai
    headers = {"Authorization": f"Token {ulazai.api_key}"}
    url = f"{ulazai.base_url}/api/v1/sora/generate/image-to-video/"
    body = {"prompt": "A lamp", "image_url": "https://example.org/lamp.png"}
    assert urllib3.request("POST", url, headers=headers, json=body).status == 200
"""


def test_worlds_follow_the_profile_of_a_real_server(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nscreentest_profiles = real.json\n")
    pytester.path.joinpath("real.json").write_text(_PROFILE % "200")
    pytester.makepyfile(_PROFILED)

    _run(pytester).assert_outcomes(passed=1)


def test_wrong_profile_ends_the_run_before_its_first_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nscreentest_profiles = real.json\n")
    pytester.path.joinpath("real.json").write_text(_PROFILE % "202")
    pytester.makepyfile(_PROFILED)

    result = _run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: screentest: *real.json:2: *no reading of ulazai.image*"])

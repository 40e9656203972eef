"""The plugin and a client's money: lost answers, findings about payments, loops, and requests."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
import requests

from screentest import MockError, World
from screentest.fixtures.world.errors import EndlessWaitError

pytest_plugins = ["pytester"]

PLUGIN = "screentest.fixtures.plugin"

GENERATE = "https://ozor.ai/api/v1/videos/generate"


def _generate(world: World, prompt: str = "A lamp") -> str:
    headers = {"X-API-Key": world.ozor.api_key}
    answer = httpx.post(GENERATE, json={"prompt": prompt}, headers=headers).json()
    return f"https://ozor.ai/api/v1/videos/{answer['videoId']}/jobs/{answer['jobId']}"


def _poll(world: World, url: str) -> str:
    answer = httpx.get(url, headers={"X-API-Key": world.ozor.api_key})
    return str(answer.json()["status"])


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.screentest(violations="ignore")
@pytest.mark.parametrize("library", [httpx, requests])
def test_lost_answer_is_carried_out_and_paid(screentest: World, library: Any) -> None:
    screentest.ozor.faults.lost_answer(operation="generateVideo")
    headers = {"X-API-Key": screentest.ozor.api_key}

    def create() -> None:
        library.post(GENERATE, json={"prompt": "A lamp"}, headers=headers)

    with pytest.raises((httpx.TransportError, requests.ConnectionError)):
        create()
    create()

    assert len(screentest.ozor.jobs) == 2
    (found,) = screentest.findings(code="SC210")
    assert (found.severity, found.kind, found.id) == ("error", "request", "req_2")
    assert "req_1, whose answer was lost: 1 credit paid twice" in found.actual


def test_any_fault_of_the_control_api_can_be_added_and_cleared(screentest: World) -> None:
    added = screentest.ozor.faults.add(
        "http_error", None, operation="listVideos", phase="after_commit", nth=2, status=502
    )
    headers = {"X-API-Key": screentest.ozor.api_key}
    url = "https://ozor.ai/api/v1/videos"

    statuses = [httpx.get(url, headers=headers).status_code for _ in range(3)]
    (seen,) = screentest.ozor.faults.all()
    screentest.ozor.faults.clear()

    assert statuses == [200, 502, 502]
    assert (added.type, added.phase, seen.seen, seen.fired) == ("http_error", "after_commit", 3, 2)
    assert screentest.ozor.faults.all() == []
    assert httpx.get(url, headers=headers).status_code == 200


def test_fault_that_is_not_possible_names_the_argument(screentest: World) -> None:
    with pytest.raises(MockError, match="no field 'stat'; did you mean 'status'"):
        screentest.ozor.faults.add("http_error", stat=500)
    with pytest.raises(MockError, match="type: expected one of 'http_error'"):
        screentest.ozor.faults.add("http_eror")
    with pytest.raises(MockError, match="no operation 'generate'"):
        screentest.ozor.faults.lost_answer(operation="generate")


@pytest.fixture
def _only_our_plugin(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs inside a test load no other plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")


def _run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-q", "-p", PLUGIN, *arguments)


# --- findings -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_only_our_plugin")
def test_test_fails_for_a_client_that_pays_twice(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import httpx

        def test_retry(screentest):
            screentest.ozor.faults.lost_answer()
            for _ in range(2):
                try:
                    httpx.post(
                        "https://ozor.ai/api/v1/videos/generate",
                        json={"prompt": "A lamp"},
                        headers={"X-API-Key": screentest.ozor.api_key},
                    )
                except httpx.TransportError:
                    pass
    """)

    result = _run(pytester)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*req_2 POST /api/v1/videos/generate (generateVideo) wastes money or time at ozor:*",
            "*SC210 the request: expected one paid call for each job that is wanted, got the same*",
        ]
    )


@pytest.mark.usefixtures("_only_our_plugin")
def test_receipt_says_what_was_paid_in_vain(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import httpx

        def test_forgets_its_video(screentest):
            httpx.post(
                "https://ozor.ai/api/v1/videos/generate",
                json={"prompt": "A lamp"},
                headers={"X-API-Key": screentest.ozor.api_key},
            )
            screentest.clock.advance(3_600)
            assert [it.code for it in screentest.findings()] == ["SC212"]
    """)

    result = _run(pytester, "--screentest-receipt")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["paid in vain: SC212 ×1; see `screentest explain SC212`"])


def test_client_that_waits_for_its_video_has_no_findings(screentest: World) -> None:
    url = _generate(screentest)

    while _poll(screentest, url) not in {"completed", "failed"}:
        time.sleep(3)

    assert screentest.findings() == []


# --- loops ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pause_s", [0.0, 0.01, None])
def test_polls_without_a_pause_end_within_two_seconds(
    screentest: World, pause_s: float | None
) -> None:
    url = _generate(screentest)
    client = httpx.Client(headers={"X-API-Key": screentest.ozor.api_key})

    def wait() -> None:
        while client.get(url).json()["status"] != "completed":
            if pause_s is not None:
                time.sleep(pause_s)

    # Processor time: other programs on the machine do not count.
    began_s = time.process_time()
    with pytest.raises(EndlessWaitError, match=r'clock="auto"'):
        wait()

    assert time.process_time() - began_s < 2.0


@pytest.mark.screentest(clock="auto")
def test_polls_without_a_pause_end_by_themselves_with_the_clock_auto(screentest: World) -> None:
    url = _generate(screentest)

    while _poll(screentest, url) != "completed":
        pass

    assert screentest.findings() == []


def test_equal_creations_at_one_instant_are_not_polls(screentest: World) -> None:
    screentest.ozor.account(credits=5)

    with httpx.Client(headers={"X-API-Key": "sk_live_unknown"}) as client:
        for _ in range(150):
            client.post(GENERATE, json={})

    assert {it.status for it in screentest.requests} == {401}


# --- requests -------------------------------------------------------------------------------------


def test_requests_are_verified_by_count_absence_and_order(screentest: World) -> None:
    url = _generate(screentest)
    _poll(screentest, url)

    found = screentest.requests.verify("generateVideo", times=1, body={"prompt": "A lamp"})
    screentest.requests.verify("exportVideo", times=0)
    screentest.requests.verify("generateVideo", "getJob", status=200)

    assert [it.id for it in found] == ["req_1"]


def test_request_that_is_missing_is_reported_with_the_nearest(screentest: World) -> None:
    _generate(screentest)

    with pytest.raises(AssertionError) as missing:
        screentest.requests.verify("generateVideo", body={"prompt": "A chair"})
    with pytest.raises(AssertionError) as repeated:
        screentest.requests.verify("generateVideo", times=0)
    with pytest.raises(AssertionError) as disordered:
        screentest.requests.verify("getJob", "generateVideo")

    assert str(missing.value) == (
        "expected at least one request to generateVideo with body={'prompt': 'A chair'}, got 0; "
        "nearest: req_1 POST /api/v1/videos/generate: body.prompt was 'A lamp'"
    )
    assert str(repeated.value) == "expected 0 requests to generateVideo, got 1: req_1"
    assert str(disordered.value) == "expected getJob; the order was: generateVideo"

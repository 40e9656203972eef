"""The objects that a test uses, and their effects on the code under test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests

from screentest import MockError, World, WorldFactory

GENERATE = "https://ozor.ai/api/v1/videos/generate"
VIDEOS = "https://ozor.ai/api/v1/videos"


def _generate(world: World, api_key: str | None = None) -> requests.Response:
    headers = {"X-API-Key": api_key or world.ozor.api_key}
    return requests.post(GENERATE, json={"prompt": "A lamp"}, headers=headers, timeout=60)


# Worlds


@pytest.mark.screentest(credits=3)
def test_a_marker_sets_the_credits_of_every_provider(screentest: World) -> None:
    assert (screentest.ozor.credits, screentest.ulazai.credits) == (3, 3)


@pytest.mark.screentest(credits={"ozor": 0}, seed=7, now="2026-01-01T00:00:00Z", pace="instant")
def test_a_marker_sets_seed_instant_and_pace(screentest: World) -> None:
    started = requests.post(
        GENERATE, json={"prompt": "A lamp"}, headers={"X-API-Key": screentest.ozor.api_key}
    )

    assert started.status_code == 402
    assert screentest.seed == 7
    assert screentest.clock.now.isoformat() == "2026-01-01T00:00:00+00:00"


def test_worlds_of_one_test_share_nothing(screentest_worlds: WorldFactory) -> None:
    rich, poor = screentest_worlds.create(credits=50), screentest_worlds.create(credits=0)

    statuses = (_generate(rich).status_code, _generate(poor).status_code)

    assert statuses == (200, 402)
    assert rich.ozor.api_key != poor.ozor.api_key


def test_a_provider_that_does_not_exist_is_named_with_those_that_do(screentest: World) -> None:
    expected = r"^a world has no provider 'ozr'; did you mean 'ozor'\? \(there are: oshara, ozor, "

    with pytest.raises(AttributeError, match=expected):
        _ = screentest.ozr


def test_a_setting_that_does_not_exist_is_named_with_those_that_do(
    screentest_worlds: WorldFactory,
) -> None:
    with pytest.raises(MockError, match=r"^no setting 'credit'; did you mean 'credits'\?"):
        screentest_worlds.create(credit=3)


@pytest.mark.screentest(interpretations={"ozor.credit_hold": "check_only"})
def test_a_marker_chooses_how_silent_points_are_read(screentest: World) -> None:
    _generate(screentest)

    account = screentest.ozor.accounts[0]
    assert (account.credits, account.held) == (10, 0)


def test_variables_point_every_client_to_the_world(screentest: World) -> None:
    env = screentest.env

    assert env["OZOR_BASE_URL"] == "https://ozor.ai"
    assert env["ULAZAI_BASE_URL"] == "https://ulazai.com/api/v1"
    assert env["OZOR_API_KEY"] == screentest.ozor.api_key


# Accounts


def test_another_account_has_its_own_key_and_credits(screentest: World) -> None:
    poor = screentest.ozor.account(credits=0)

    assert _generate(screentest, poor.api_key).status_code == 402
    assert _generate(screentest).status_code == 200


def test_credits_can_be_taken_away_in_the_middle(screentest: World) -> None:
    account = screentest.ozor.account(credits=5)
    account.credits = 0

    assert _generate(screentest, account.api_key).status_code == 402


def test_revoked_keys_are_refused(screentest: World) -> None:
    account = screentest.ozor.account()
    account.revoke_keys()

    assert _generate(screentest, account.api_key).status_code == 401


def test_the_ledger_tells_every_movement(screentest: World) -> None:
    _generate(screentest)
    screentest.clock.advance_until_idle()

    kinds = [(entry.kind, entry.amount) for entry in screentest.ozor.ledger]

    assert kinds == [("grant", 10), ("hold", 1), ("capture", 1)]
    assert screentest.ozor.accounts[0].spent == 1


# Jobs


def test_the_next_job_fails_for_the_reason_given(screentest: World) -> None:
    screentest.ozor.jobs.fail_next("the renderer is on fire")
    first, second = _generate(screentest).json(), _generate(screentest).json()
    screentest.clock.advance_until_idle()

    failed = screentest.ozor.jobs.get(first["jobId"])

    assert (failed.state, failed.reason) == ("failed", "the renderer is on fire")
    assert screentest.ozor.jobs.get(second["jobId"]).state == "completed"


def test_a_held_job_waits_until_it_is_released(screentest: World) -> None:
    job_id = _generate(screentest).json()["jobId"]
    screentest.ozor.jobs.hold(job_id)
    screentest.clock.advance(3600)
    held = screentest.ozor.jobs.get(job_id).state

    screentest.ozor.jobs.release(job_id)
    screentest.clock.advance_until_idle()

    assert (held, screentest.ozor.jobs.get(job_id).state) == ("queued", "completed")


def test_a_job_that_does_not_exist_is_named_with_those_that_do(screentest: World) -> None:
    detail = "^no job 'nothing'; the code under test has not started a job at ozor yet$"
    with pytest.raises(MockError, match=detail):
        screentest.ozor.jobs.get("nothing")

    job_id = _generate(screentest).json()["jobId"]
    with pytest.raises(MockError, match=rf"^no job 'nothing' \(there are: {job_id}\)$"):
        screentest.ozor.jobs.hold("nothing")


@pytest.mark.screentest(credits=1_000)
def test_all_jobs_are_listed_however_many_there_are(screentest: World) -> None:
    started = []
    for _ in range(402):
        started.append(_generate(screentest).json()["jobId"])
        screentest.clock.advance(60)

    assert [job.id for job in screentest.ozor.jobs] == started


# Faults


def test_calls_fail_as_often_as_ordered(screentest: World) -> None:
    screentest.ozor.fail(503, times=2, retry_after=7)

    answers = [_generate(screentest) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_a_rate_limit_names_the_seconds_to_wait(screentest: World) -> None:
    screentest.ulazai.rate_limit(retry_after=30)

    answer = requests.get("https://ulazai.com/api/v1/sora/status/x/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "30")


def test_a_fault_can_be_limited_to_one_operation(screentest: World) -> None:
    screentest.ozor.fail(500, times=None, operation="listVideos")
    headers = {"X-API-Key": screentest.ozor.api_key}

    statuses = (
        requests.get(VIDEOS, headers=headers).status_code,
        _generate(screentest).status_code,
    )

    assert statuses == (500, 200)


def test_an_operation_that_does_not_exist_is_named_with_those_that_do(screentest: World) -> None:
    with pytest.raises(MockError, match="^no operation 'listVideo'; did you mean 'listVideos'"):
        screentest.ozor.fail(500, operation="listVideo")


def test_healing_calls_off_what_was_ordered(screentest: World) -> None:
    screentest.ozor.fail(500, times=None).heal()

    assert _generate(screentest).status_code == 200


def test_a_slow_answer_moves_the_clock(screentest: World) -> None:
    screentest.ozor.slow(20)

    answer = _generate(screentest)

    assert answer.status_code == 200
    assert screentest.clock.elapsed == 20


def test_an_answer_slower_than_the_client_waits_is_a_timeout(screentest: World) -> None:
    screentest.ozor.slow(20, times=2)
    headers = {"X-API-Key": screentest.ozor.api_key}

    with pytest.raises(requests.ReadTimeout, match=r"Read timed out\. \(read timeout=5\)"):
        requests.get(VIDEOS, headers=headers, timeout=5)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(VIDEOS, headers=headers, timeout=5)

    assert screentest.clock.elapsed == 10


def test_a_broken_connection_looks_like_one(screentest: World) -> None:
    screentest.ozor.reset_peer(times=2)
    headers = {"X-API-Key": screentest.ozor.api_key}

    with pytest.raises(requests.ConnectionError, match="Remote end closed connection"):
        requests.get(VIDEOS, headers=headers)
    with pytest.raises(httpx.RemoteProtocolError, match="^Server disconnected without"):
        httpx.get(VIDEOS, headers=headers)


def test_corrupt_json_cannot_be_read(screentest: World) -> None:
    screentest.ozor.corrupt_json()

    answer = _generate(screentest)

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_cut_stream_ends_without_its_last_event(screentest: World) -> None:
    url = "https://ozor.ai/api/v1/documents"
    headers = {"X-API-Key": screentest.ozor.api_key}
    form = {"url": (None, "https://example.org/about")}
    plan = requests.post(f"{url}/analyze", headers=headers, files=form).json()["plan"]["planId"]
    screentest.ozor.cut_stream(after_events=2)

    events: list[str] = []
    with (
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"),
        httpx.stream("POST", f"{url}/plans/{plan}/generate", headers=headers) as answer,
    ):
        events.extend(line for line in answer.iter_lines() if line)

    assert len(events) == 2


def test_a_cut_waits_for_the_next_stream_whatever_is_called_before(screentest: World) -> None:
    url = "https://ozor.ai/api/v1/documents"
    headers = {"X-API-Key": screentest.ozor.api_key}
    form = {"url": (None, "https://example.org/about")}
    screentest.ozor.cut_stream(after_events=2)
    plan = requests.post(f"{url}/analyze", headers=headers, files=form).json()["plan"]["planId"]

    with (
        pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"),
        httpx.stream("POST", f"{url}/plans/{plan}/generate", headers=headers) as answer,
    ):
        list(answer.iter_lines())


def test_a_stream_that_falls_silent_is_a_timeout_for_who_waits_less(screentest: World) -> None:
    url = "https://ozor.ai/api/v1/documents"
    headers = {"X-API-Key": screentest.ozor.api_key}
    form = {"url": (None, "https://example.org/about")}
    plan = requests.post(f"{url}/analyze", headers=headers, files=form).json()["plan"]["planId"]
    screentest.ozor.stall_stream(after_events=1, seconds=300)

    with (
        pytest.raises(httpx.ReadTimeout),
        httpx.stream("POST", f"{url}/plans/{plan}/generate", headers=headers, timeout=60) as answer,
    ):
        list(answer.iter_lines())

    assert 60 <= screentest.clock.elapsed < 120


def test_a_call_that_is_never_answered_ends_with_the_patience_of_the_client(
    screentest: World,
) -> None:
    screentest.ozor.time_out()

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(VIDEOS, headers={"X-API-Key": screentest.ozor.api_key}, timeout=10)

    assert screentest.clock.elapsed == 10


def test_a_retired_model_is_refused(screentest: World) -> None:
    screentest.znapai.retire_model("sora-2")

    answer = requests.post(
        "https://api.znapai.com/v1/videos",
        json={"model": "sora-2", "prompt": "A lamp", "seconds": "4"},
        headers={"Authorization": f"Bearer {screentest.znapai.api_key}"},
    )

    assert answer.status_code == 410


def test_urls_expire_when_their_time_has_passed(screentest: World) -> None:
    headers = {"X-API-Key": screentest.ozor.api_key}
    video = f"{VIDEOS}/{_generate(screentest).json()['videoId']}"
    screentest.clock.advance_until_idle()
    requests.post(f"{video}/export", json={"quality": "720p"}, headers=headers)
    screentest.clock.advance_until_idle()
    url = requests.get(video, headers=headers).json()["downloadUrl"]

    screentest.ozor.expire_urls()

    assert requests.get(url).status_code == 403


def test_a_provider_without_expiring_urls_says_so(screentest: World) -> None:
    with pytest.raises(MockError, match="^the document of ulazai names no URL that expires$"):
        screentest.ulazai.expire_urls()


# Mistakes of the test


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda it: it.jobs.fail_next(3), "reason: expected null or string, got integer 3"),
        (lambda it: it.jobs.fail_next(times=0), "times: expected at least 1, got 0"),
        (lambda it: it.jobs.fail_next(at=2), "at: expected at most 1, got 2"),
        (lambda it: it.jobs.get(3), "job_id: expected a text, got 3"),
        (lambda it: it.fail(999), "status: expected at most 599, got 999"),
        (lambda it: it.fail(200), "status: expected at least 400, got 200"),
        (lambda it: it.fail(retry_after=-1), "retry_after: expected a whole number from 0, got -1"),
        (lambda it: it.fail(operation="proxyFetchVideo"), "no operation 'proxyFetchVideo'"),
        (lambda it: it.fail(body=object()), "expected a value that JSON can express: Object of"),
        (lambda it: it.cut_stream(-1), "after_events: expected at least 0, got -1"),
        (lambda it: it.cut_stream(operation="listVideos"), "no streaming operation 'listVideos'"),
        (lambda it: it.stall_stream(seconds=601), "seconds: expected 0 to 600 seconds, got 601"),
        (lambda it: it.slow(-1), "seconds: expected 0 to 600 seconds, got -1"),
        (lambda it: it.slow("long"), "seconds: expected a number of seconds, got 'long'"),
        (lambda it: it.slow(float("nan")), "seconds: expected a finite number of seconds, got nan"),
        (lambda it: it.account(credits=1.5), "credits: expected a whole number from 0, got 1.5"),
        (lambda it: it.account(tier="gold"), r"no tier 'gold' \(there are: default\)"),
        (lambda it: it.webhooks.tamper(), "ozor documents no webhooks"),
    ],
)
def test_a_mistake_is_reported_by_the_name_that_the_test_used(
    screentest: World, call: Callable[[Any], object], expected: str
) -> None:
    with pytest.raises(MockError, match=f"^{expected}"):
        call(screentest.ozor)

    assert _generate(screentest).status_code == 200


def test_the_longest_delay_can_be_ordered(screentest: World) -> None:
    screentest.ozor.slow(600).stall_stream(seconds=600)

    httpx.get(VIDEOS, headers={"X-API-Key": screentest.ozor.api_key}, timeout=601)

    assert screentest.clock.elapsed == 600


def test_a_stream_cannot_be_cut_where_none_is_documented(screentest: World) -> None:
    with pytest.raises(MockError, match="^ulazai documents no event stream$"):
        screentest.ulazai.cut_stream()


@pytest.mark.parametrize("seconds", ["x", None, float("inf"), True])
def test_a_clock_takes_numbers_only(screentest: World, seconds: Any) -> None:
    with pytest.raises(MockError, match="^seconds: expected a "):
        screentest.clock.advance(seconds)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda it: it.clok, "a world has no attribute 'clok'; did you mean 'clock'"),
        (lambda it: it.clock.advnce, "a clock has no attribute 'advnce'; did you mean 'advance'"),
        (lambda it: it.ozor.jobz, "a provider has no attribute 'jobz'; did you mean 'jobs'"),
        (lambda it: it.ozor.jobs.fail_nxt, "the jobs of a provider have no attribute 'fail_nxt'; "),
        (lambda it: it.ozor.webhooks.deliver, "the webhooks of a provider have no attribute 'del"),
        (lambda it: it.ozor.accounts[0].credit, "an account has no attribute 'credit'; did you"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_the_nearest(
    screentest: World, ask: Callable[[Any], object], expected: str
) -> None:
    with pytest.raises(AttributeError, match=f"^{expected}"):
        ask(screentest)


def test_a_misspelt_setting_of_an_account_is_not_taken_silently(screentest: World) -> None:
    account: Any = screentest.ozor.accounts[0]

    with pytest.raises(AttributeError, match="credit"):
        account.credit = 0


# Clocks


def test_advancing_tells_what_happened(screentest: World) -> None:
    job_id = _generate(screentest).json()["jobId"]

    happened = screentest.clock.advance(120)

    assert happened == [f"job.running {job_id}", f"job.completed {job_id}"]


@pytest.mark.screentest(clock="auto")
def test_an_automatic_clock_moves_with_every_poll(screentest: World) -> None:
    started = _generate(screentest).json()
    url = f"{VIDEOS}/{started['videoId']}/jobs/{started['jobId']}"
    headers = {"X-API-Key": screentest.ozor.api_key}

    states = [requests.get(url, headers=headers).json()["status"] for _ in range(2)]

    assert states == ["processing", "completed"]


@pytest.mark.screentest(clock="system")
def test_a_system_clock_follows_time_machine(screentest: World) -> None:
    import time_machine

    started = _generate(screentest).json()
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False):
        state = screentest.ozor.jobs.get(started["jobId"]).state
        year = screentest.clock.now.year

    assert (state, year) == ("completed", 2030)


@pytest.mark.screentest(clock="system")
def test_a_system_clock_follows_freezegun(screentest: World) -> None:
    from freezegun import freeze_time

    with freeze_time("2030-01-01T00:00:00Z") as frozen:
        started = _generate(screentest).json()
        frozen.tick(120)
        state = screentest.ozor.jobs.get(started["jobId"]).state

    assert state == "completed"


@pytest.mark.screentest(clock="system")
def test_a_system_clock_cannot_be_advanced_by_hand(screentest: World) -> None:
    with pytest.raises(MockError, match=r"^this clock follows time\.time\(\): move it with"):
        screentest.clock.advance(5)


# Snapshots


def test_a_world_comes_back_to_what_it_was(screentest: World) -> None:
    job_id = _generate(screentest).json()["jobId"]
    before = screentest.snapshot("job-under-way")
    screentest.clock.advance(600)
    finished = screentest.ozor.jobs.get(job_id).state

    before.restore()

    assert (finished, screentest.ozor.jobs.get(job_id).state) == ("completed", "queued")
    assert screentest.clock.elapsed == 0


@pytest.mark.screentest(violations="ignore")
def test_what_comes_after_a_restored_snapshot_is_not_forgiven(screentest: World) -> None:
    before = screentest.snapshot()
    for _ in range(3):
        requests.post(GENERATE, json={})
    screentest.forgive()
    forgiven = screentest.forgiven

    before.restore()

    assert (forgiven, screentest.forgiven) == (3, 0)

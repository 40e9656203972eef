"""A deadline of the code under test is over when the world's time has passed."""

from __future__ import annotations

import asyncio
import datetime
import queue
import threading
import time
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest
import requests

from screentest import World, load_contract
from screentest.fixtures.intercept.frozen_polls import FrozenPolls
from screentest.fixtures.world.errors import EndlessWaitError
from screentest.fixtures.world.wsgi import SentRequest

from .conftest import neighbour

pytest_plugins = ["pytester"]

VIDEOS = "https://ozor.ai/api/v1/videos"
#: In a tuple, in which functions are not replaced.
REAL = (time.time, time.monotonic, time.perf_counter, time.time_ns)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A small project without other plugins."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]")
    return pytester


def _stuck_job(world: World) -> Callable[[], str]:
    """Starts a job that never ends. Returns a function that polls it."""
    headers = {"X-API-Key": world.ozor.api_key}
    body = {"prompt": "A lamp"}
    started = requests.post(f"{VIDEOS}/generate", headers=headers, json=body).json()
    world.ozor.jobs.hold(started["jobId"])
    url = f"{VIDEOS}/{started['videoId']}/jobs/{started['jobId']}"

    def status() -> str:
        found: str = requests.get(url, headers=headers).json()["status"]
        return found

    return status


#: The time in seconds, by each function.
CLOCKS: dict[str, Callable[[], float]] = {
    "monotonic": lambda: time.monotonic(),
    "imported monotonic": lambda: monotonic(),
    "time": lambda: time.time(),
    "perf_counter": lambda: time.perf_counter(),
    "monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "time_ns": lambda: time.time_ns() / 1e9,
    "perf_counter_ns": lambda: time.perf_counter_ns() / 1e9,
}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_client_with_a_deadline_gives_up_on_a_job_that_is_stuck(
    screentest: World, name: str
) -> None:
    clock, status, polls = CLOCKS[name], _stuck_job(screentest), 0
    deadline = clock() + 599

    while clock() < deadline and status() != "completed":
        time.sleep(30)
        polls += 1

    assert (polls, screentest.clock.elapsed) == (20, 600)


def test_time_that_is_moved_by_hand_or_by_slow_answers_passes_for_the_code_too(
    screentest: World,
) -> None:
    before = time.monotonic()
    screentest.clock.advance(100)
    screentest.ozor.slow(20)
    answer = requests.get(VIDEOS, headers={"X-API-Key": screentest.ozor.api_key})

    assert round(time.monotonic() - before) == 120
    assert round(answer.elapsed.total_seconds()) == 20


def test_time_of_the_code_and_of_its_world_are_the_same(screentest: World) -> None:
    time.sleep(3_600)

    assert abs(time.time() - screentest.clock.now.timestamp()) < 2


def test_time_never_goes_back_when_a_snapshot_is_restored(screentest: World) -> None:
    before = screentest.snapshot()
    time.sleep(500)
    late = time.monotonic()

    before.restore()
    restored = time.monotonic()
    time.sleep(10)

    assert screentest.clock.elapsed == 10
    assert 0 <= restored - late < 2
    assert 10 <= time.monotonic() - restored < 12


def test_machinery_reads_the_machines_clocks(screentest: World) -> None:
    time.sleep(3_600)
    record = asyncio.new_event_loop()
    loop_s = record.time()
    record.close()

    assert abs(loop_s - REAL[1]()) < 2
    with pytest.raises(queue.Empty):
        queue.Queue[int]().get(timeout=0.05)
    assert threading.Condition().acquire(timeout=1)


def test_threads_from_before_the_world_read_the_machines_clocks(
    request: pytest.FixtureRequest,
) -> None:
    go, seen = queue.Queue[None](), queue.Queue[float]()

    def read() -> None:
        go.get(timeout=5)
        seen.put(time.monotonic() - REAL[1]())

    thread = threading.Thread(target=read)
    thread.start()
    request.getfixturevalue("screentest")
    time.sleep(3_600)
    go.put(None)
    thread.join(5)

    assert abs(seen.get(timeout=5)) < 1


def test_leaving_puts_back_every_clock(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import time
        from time import monotonic, time as now

        FOUND = (time.time, time.monotonic, time.perf_counter, time.time_ns, time.monotonic_ns,
                 time.perf_counter_ns)
        def state():
            return (time.time, time.monotonic, time.perf_counter, time.time_ns, time.monotonic_ns,
                    time.perf_counter_ns)

        def test_fails(screentest):
            assert not any(old is new for old, new in zip(FOUND, state()))
            assert monotonic is time.monotonic and now is time.time
            raise ValueError

        def test_after():
            assert all(old is new for old, new in zip(FOUND, state()))
            assert monotonic is FOUND[1] and now is FOUND[0]
        """
    )

    result = project.runpytest_subprocess("-q", "-p", "screentest.fixtures.plugin")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*ValueError*"])


# Coroutines


async def _poll() -> None:
    while True:
        await asyncio.sleep(10)


async def _within(seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await _poll()


@pytest.mark.parametrize(
    "patient", [_within, lambda seconds: asyncio.wait_for(_poll(), seconds)], ids=["block", "call"]
)
def test_a_time_out_of_asyncio_ends_a_loop_that_sleeps(
    screentest: World, patient: Callable[[float], Any]
) -> None:
    async def main() -> None:
        await patient(65)

    with pytest.raises(TimeoutError):
        asyncio.run(main())

    assert screentest.clock.elapsed == 65


def test_a_time_out_ends_a_sleep_that_is_longer(screentest: World) -> None:
    with pytest.raises(TimeoutError):
        asyncio.run(_nap(asyncio.sleep(1_000), 65))

    assert screentest.clock.elapsed == 65


async def _nap(sleeping: Any, seconds: float) -> None:
    await asyncio.wait_for(sleeping, seconds)


def test_what_ends_before_its_time_out_is_not_disturbed_by_it(screentest: World) -> None:
    async def main() -> str:
        async with asyncio.timeout(60) as limit:
            await asyncio.sleep(50)
        await asyncio.sleep(50)
        return f"{limit.expired()} {await asyncio.wait_for(asyncio.sleep(5, 'slept'), 6)}"

    assert asyncio.run(main()) == "False slept"
    assert screentest.clock.elapsed == 105


def test_a_time_out_that_is_put_off_ends_later(screentest: World) -> None:
    async def main() -> None:
        async with asyncio.timeout(30) as limit:
            limit.reschedule(asyncio.get_running_loop().time() + 100)
            await _poll()

    with pytest.raises(TimeoutError):
        asyncio.run(main())

    assert 99 <= screentest.clock.elapsed <= 101


def test_a_time_out_without_a_limit_never_ends_anything(screentest: World) -> None:
    async def main() -> None:
        async with asyncio.timeout(None):
            await asyncio.sleep(100)

    asyncio.run(main())

    assert screentest.clock.elapsed == 100


# Libraries


def _failing() -> None:
    raise ValueError


@pytest.mark.slow
def test_tenacity_stops_after_its_delay(screentest: World) -> None:
    tenacity: Any = neighbour("tenacity")
    stubborn = tenacity.retry(wait=tenacity.wait_fixed(10), stop=tenacity.stop_after_delay(60))

    with pytest.raises(tenacity.RetryError):
        stubborn(_failing)()

    assert screentest.clock.elapsed == 60


@pytest.mark.slow
def test_stamina_stops_after_its_time_out(screentest: World) -> None:
    stamina: Any = neighbour("stamina")
    stubborn = stamina.retry(
        on=ValueError, attempts=None, timeout=60, wait_initial=10, wait_max=10, wait_jitter=0
    )

    with pytest.raises(ValueError, match="^$"):
        stubborn(_failing)()

    assert 40 <= screentest.clock.elapsed <= 60


@pytest.mark.slow
def test_backoff_stops_after_its_time(screentest: World) -> None:
    backoff: Any = neighbour("backoff")
    stubborn = backoff.on_exception(
        backoff.constant, ValueError, interval=10, jitter=None, max_time=60
    )

    with pytest.raises(ValueError, match="^$"):
        stubborn(_failing)()

    assert 59 <= screentest.clock.elapsed <= 61


@pytest.mark.slow
def test_backoff_reads_the_date_as_ever_when_the_test_is_over(project: pytest.Pytester) -> None:
    neighbour("backoff")
    project.makepyfile(
        """
        import datetime
        import backoff._sync

        def test_it(screentest):
            assert backoff._sync.datetime is not datetime

        def test_after():
            assert backoff._sync.datetime is datetime
        """
    )

    result = project.runpytest_subprocess("-q", "-p", "screentest.fixtures.plugin")

    result.assert_outcomes(passed=2)


# Waits that never end


def test_a_wait_that_no_virtual_clock_ends_is_reported_with_its_fix(screentest: World) -> None:
    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=900)

    def poll() -> None:
        while datetime.datetime.now(datetime.UTC) < until:
            time.sleep(30)

    with pytest.raises(EndlessWaitError, match=r"^the code under test has slept 10,001 times, 83"):
        poll()


def test_many_short_sleeps_are_not_an_endless_wait(screentest: World) -> None:
    for _ in range(10_100):
        time.sleep(0.02)

    assert screentest.clock.elapsed == 202


def test_equal_creations_are_not_an_endless_wait(screentest: World) -> None:
    frozen, contract = FrozenPolls(), load_contract("znapai")
    creation = SentRequest("POST", "https://znapai.com/v1/videos", body=b"{}")

    for _ in range(1_100):
        frozen.note(screentest, contract, creation, "/videos")


def test_equal_reads_are_an_endless_wait_whatever_their_method(screentest: World) -> None:
    frozen, contract = FrozenPolls(), load_contract("ugc_copilot")
    poll = SentRequest("POST", "https://ugccopilot.ai/proxyCheckVideoStatus", body=b"{}")

    for _ in range(1_000):
        frozen.note(screentest, contract, poll, "/proxyCheckVideoStatus")

    with pytest.raises(EndlessWaitError, match=r"/proxyCheckVideoStatus 1,000 times at one inst"):
        frozen.note(screentest, contract, poll, "/proxyCheckVideoStatus")


# Captures


def nap_by_default(seconds: float, sleeping: Callable[[float], None] = time.sleep) -> None:
    sleeping(seconds)


def nap_by_name(seconds: float, *, sleeping: Callable[[float], None] = time.sleep) -> None:
    sleeping(seconds)


class Poller:
    """Has a sleeping function as an attribute of its class."""

    plain: Any = time.sleep
    static = staticmethod(time.sleep)

    def nap(self, seconds: float, sleeping: Callable[[float], None] = time.sleep) -> None:
        sleeping(seconds)

    @staticmethod
    def doze(seconds: float, sleeping: Callable[[float], None] = time.sleep) -> None:
        sleeping(seconds)


TABLE = {"sleep": time.sleep}
ORIGINALS = (vars(Poller)["static"], vars(Poller)["plain"], time.sleep)


def _kept() -> tuple[object, ...]:
    return (
        vars(Poller)["static"],
        vars(Poller)["plain"],
        TABLE["sleep"],
        nap_by_default.__defaults__,
        nap_by_name.__kwdefaults__,
        Poller.nap.__defaults__,
        Poller.doze.__defaults__,
    )


NAPS: dict[str, Callable[[float], None]] = {
    "default": nap_by_default,
    "default by name": nap_by_name,
    "attribute of a class": lambda seconds: Poller.plain(seconds),
    "attribute of an instance": lambda seconds: Poller().plain(seconds),
    "static attribute": lambda seconds: Poller.static(seconds),
    "static attribute of an instance": lambda seconds: Poller().static(seconds),
    "default of a method": lambda seconds: Poller().nap(seconds),
    "default of a static method": lambda seconds: Poller.doze(seconds),
    "table": lambda seconds: TABLE["sleep"](seconds),
}


@pytest.mark.parametrize("name", NAPS)
def test_a_sleep_moves_the_clock_wherever_the_project_keeps_it(
    screentest: World, name: str
) -> None:
    NAPS[name](30)

    assert screentest.clock.elapsed == 30


def test_every_place_has_its_own_sleep_outside_of_worlds() -> None:
    static, plain, sleep = ORIGINALS

    assert _kept() == (
        static,
        plain,
        sleep,
        (sleep,),
        {"sleeping": sleep},
        (sleep,),
        (sleep,),
    )
    assert vars(Poller)["static"] is static


def test_what_a_module_took_during_a_test_is_put_back(
    project: pytest.Pytester,
) -> None:
    project.makepyfile(
        late="""
        import time
        def nap(seconds, sleep=time.sleep): sleep(seconds)
        class Late:
            sleep = time.sleep
            static = staticmethod(time.sleep)
        """,
        test_it="""
        import time
        SLEEP = (time.sleep,)

        def test_it(screentest):
            import late
            late.nap(30); late.Late().sleep(30); late.Late().static(30)
            assert screentest.clock.elapsed == 90

        def test_after():
            import late
            assert late.nap.__defaults__ == SLEEP
            assert vars(late.Late)["sleep"] is SLEEP[0]
            assert late.Late.static is SLEEP[0]

        def test_again(screentest):
            import late
            late.nap(30); late.Late().sleep(30); late.Late().static(30)
            assert screentest.clock.elapsed == 90
        """,
    )

    result = project.runpytest_subprocess("-q", "-p", "screentest.fixtures.plugin")

    result.assert_outcomes(passed=3)

"""Sleeps in a test with a world: the clock moves at once, and every patch is removed."""

from __future__ import annotations

import asyncio
import threading
import time
from asyncio import sleep as asyncio_sleep
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import sleep
from types import ModuleType
from typing import Any

import anyio
import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from screentest import World
from screentest.fixtures.patching.captures import Captures
from screentest.fixtures.warp.replacements import new_captures, replaced
from screentest.fixtures.warp.warp import Warp

from .conftest import neighbour

#: The functions before any fixture of this file.
REAL = (time.sleep, asyncio.sleep, threading.Event.wait)
#: In a tuple, in which functions are not replaced.
REAL_COUNTER = (time.perf_counter,)

VIDEOS = "https://ozor.ai/api/v1/videos"

pytest_plugins = ["pytester"]


class Ticking:
    """A clock that moves only with `advance_to`."""

    def __init__(self) -> None:
        self.shown_ms = 1_000

    def now_ms(self) -> int:
        return self.shown_ms

    def passed_ms(self) -> int:
        return self.shown_ms - 1_000

    def advance_to(self, to_ms: int) -> None:
        self.shown_ms = max(self.shown_ms, to_ms)

    def is_delivering(self) -> bool:
        return False

    def warp(self, captures: Captures | None = None) -> AbstractContextManager[None]:
        return replaced(Warp(self), captures or new_captures())


def _key(world: World) -> dict[str, str]:
    return {"X-API-Key": world.ozor.api_key}


def _real_seconds(act: Callable[[], object]) -> float:
    began_s = REAL_COUNTER[0]()
    act()
    return REAL_COUNTER[0]() - began_s


def test_a_sleep_moves_the_clock_by_its_length(screentest: World) -> None:
    real_s = _real_seconds(lambda: time.sleep(30))

    assert screentest.clock.elapsed == 30
    assert real_s < 0.2


def test_a_sleep_that_was_imported_by_name_moves_the_clock(screentest: World) -> None:
    sleep(12.5)

    assert screentest.clock.elapsed == 12.5


def test_a_coroutine_that_sleeps_moves_the_clock(screentest: World) -> None:
    asyncio.run(asyncio.sleep(45))

    assert screentest.clock.elapsed == 45


def test_a_coroutine_that_imported_sleep_by_name_moves_the_clock(screentest: World) -> None:
    asyncio.run(asyncio_sleep(45))

    assert screentest.clock.elapsed == 45


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_moves_the_clock(screentest: World, backend: str) -> None:
    if backend == "trio":
        neighbour("trio")

    anyio.run(anyio.sleep, 20, backend=backend)

    assert screentest.clock.elapsed == 20


def test_two_threads_that_sleep_together_move_the_clock_once(screentest: World) -> None:
    both_ready = threading.Barrier(2)

    def nap() -> None:
        both_ready.wait(5)
        time.sleep(5)

    threads = [threading.Thread(target=nap) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert screentest.clock.elapsed == 5


class SlowStart(threading.Thread):
    """A thread that the machine does not run for 100 ms after `start` was called."""

    def _bootstrap(self) -> None:
        REAL[0](0.1)
        bootstrap: Callable[[], None] = vars(threading.Thread)["_bootstrap"].__get__(self)
        bootstrap()


def test_the_clock_waits_for_a_thread_that_is_being_started(screentest: World) -> None:
    threads = [kind(target=time.sleep, args=(5,)) for kind in (threading.Thread, SlowStart)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert screentest.clock.elapsed == 5


def test_two_tasks_that_sleep_together_move_the_clock_once(screentest: World) -> None:
    async def both() -> None:
        await asyncio.gather(asyncio.sleep(5), asyncio.sleep(5))

    asyncio.run(both())

    assert screentest.clock.elapsed == 5


def test_the_shorter_of_two_sleeps_ends_first(screentest: World) -> None:
    ended: list[tuple[str, float]] = []

    async def nap(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        ended.append((name, screentest.clock.elapsed))

    async def both() -> None:
        await asyncio.gather(nap("long", 60), nap("short", 10))

    asyncio.run(both())

    assert ended == [("short", 10.0), ("long", 60.0)]


def test_waiting_for_an_event_in_vain_moves_the_clock(screentest: World) -> None:
    event = threading.Event()

    was_set = event.wait(7)

    assert was_set is False
    assert screentest.clock.elapsed == 7


def test_waiting_for_an_event_that_is_set_moves_nothing(screentest: World) -> None:
    event = threading.Event()
    event.set()

    was_set = event.wait(7)

    assert was_set is True
    assert screentest.clock.elapsed == 0


def test_a_short_sleep_stays_real(screentest: World) -> None:
    real_s = _real_seconds(lambda: time.sleep(0.015))

    assert screentest.clock.elapsed == 0
    assert real_s >= 0.015


@pytest.mark.screentest(clock="manual")
def test_a_manual_clock_is_left_alone_by_sleeps(screentest: World) -> None:
    time.sleep(0.03)

    assert screentest.clock.elapsed == 0
    assert time.sleep is REAL[0]


def test_threads_from_before_the_world_keep_their_time() -> None:
    ticking, go, slept_s = Ticking(), threading.Event(), list[float]()

    def nap() -> None:
        go.wait(5)
        slept_s.append(_real_seconds(lambda: time.sleep(0.05)))

    thread = threading.Thread(target=nap)
    thread.start()
    with ticking.warp():
        go.set()
        thread.join(5)

    assert ticking.shown_ms == 1_000
    assert slept_s[0] >= 0.05


def test_leaving_puts_back_every_function() -> None:
    before = (time.sleep, sleep, asyncio.sleep, threading.Event.wait)

    with Ticking().warp():
        inside = (time.sleep, asyncio.sleep, threading.Event.wait)

    assert all(old is not new for old, new in zip(REAL, inside, strict=True))
    assert (
        (time.sleep, sleep, asyncio.sleep, threading.Event.wait)
        == before
        == (
            REAL[0],
            REAL[0],
            REAL[1],
            REAL[2],
        )
    )


def test_leaving_reaches_modules_that_were_loaded_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    late = ModuleType("late_module")

    with Ticking().warp():
        vars(late)["sleep"] = time.sleep
        monkeypatch.setitem(sys.modules, "late_module", late)

    assert vars(late)["sleep"] is REAL[0]


#: As a library that cffi loads: it names another class than its own, and has no names.
_PASSES_FOR_A_MODULE = type(
    "Library", (), {"__slots__": (), "__class__": property(lambda _: ModuleType)}
)


def test_what_only_passes_for_a_module_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "passes_for_a_module", _PASSES_FOR_A_MODULE())

    with Ticking().warp():
        assert time.sleep is not REAL[0]

    assert time.sleep is REAL[0]


def test_leaving_after_an_exception_puts_back_every_function() -> None:
    with pytest.raises(ZeroDivisionError), Ticking().warp():
        _ = 1 / 0

    assert (time.sleep, asyncio.sleep, threading.Event.wait) == REAL


def test_no_patch_survives_a_failing_test(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(
        """
        import asyncio, socket, threading, time
        import httpx, urllib3.connectionpool as pool

        def state():
            return [
                time.sleep, asyncio.sleep, threading.Event.wait, socket.getaddrinfo,
                httpx.HTTPTransport.handle_request,
                httpx.AsyncHTTPTransport.handle_async_request,
                pool.HTTPConnectionPool._make_request, pool.HTTPConnectionPool._prepare_proxy,
                pool.HTTPSConnectionPool._prepare_proxy,
            ]

        BEFORE = state()

        def test_fails(screentest):
            assert not any(old is new for old, new in zip(BEFORE, state()))
            raise ValueError

        def test_after():
            assert all(old is new for old, new in zip(BEFORE, state()))
        """
    )

    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    result = pytester.runpytest_subprocess("-q", "-p", "screentest.fixtures.plugin")

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*ValueError*"])


def test_urllib3_waits_between_its_tries_on_the_clock(screentest: World) -> None:
    screentest.ozor.fail(503, times=2)
    retries = urllib3.Retry(total=3, backoff_factor=10, status_forcelist=[503])

    answer = urllib3.PoolManager(retries=retries).request("GET", VIDEOS, headers=_key(screentest))

    assert answer.status == 200
    # It does not wait before its first retry, and 20 seconds before its second.
    assert screentest.clock.elapsed == 20


def test_requests_waits_as_long_as_the_provider_asks(screentest: World) -> None:
    screentest.ozor.fail(503, times=1, retry_after=45)
    session = requests.Session()
    retries = urllib3.Retry(total=1, status_forcelist=[503])
    session.mount("https://", HTTPAdapter(max_retries=retries))

    answer = session.get(VIDEOS, headers=_key(screentest))

    assert (answer.status_code, screentest.clock.elapsed) == (200, 45)


class Stubborn:
    """Fails twice, and records the time of each attempt."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tries: list[float] = []

    def attempt(self) -> None:
        self.tries.append(self._world.clock.elapsed)
        if len(self.tries) < 3:
            raise ValueError

    async def attempt_later(self) -> None:
        self.attempt()


#: "Retry after ten seconds" in each library.
AGAIN: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
    "tenacity": lambda it: it.retry(wait=it.wait_fixed(10)),
    "backoff": lambda it: it.on_exception(it.constant, ValueError, interval=10, jitter=None),
    "stamina": lambda it: it.retry(
        on=ValueError, wait_initial=10, wait_max=10, wait_jitter=0, timeout=None
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("library", AGAIN)
def test_retry_libraries_wait_on_the_clock(screentest: World, library: str) -> None:
    again = AGAIN[library](neighbour(library))
    stubborn = Stubborn(screentest)

    again(stubborn.attempt)()

    assert stubborn.tries == [0.0, 10.0, 20.0]


@pytest.mark.slow
@pytest.mark.parametrize("library", AGAIN)
def test_retry_libraries_wait_on_the_clock_in_coroutines(screentest: World, library: str) -> None:
    again = AGAIN[library](neighbour(library))
    stubborn = Stubborn(screentest)

    asyncio.run(again(stubborn.attempt_later)())

    assert stubborn.tries == [0.0, 10.0, 20.0]

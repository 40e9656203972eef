"""Faults with a window of time, drawn delays, garbage, and spoilt frames of streams."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
import requests

from screentest.mock_server.kernel.faults import Fault, lognormal_ms
from screentest.mock_server.kernel.ids import stream
from screentest.specs.json_types import Json
from tests.live_mock import LiveMock
from tests.mock_client import START, Account, MockWorld
from tests.ozor import steps as ozor_steps


def _statuses(account: Account, *advances_ms: int) -> list[int]:
    found: list[int] = []
    for by_ms in advances_ms:
        account.world.advance(by_ms)
        found.append(account.client.get(ozor_steps.VIDEOS).status)
    return found


def test_fault_applies_in_its_window_alone(ozor: Account) -> None:
    window: dict[str, Json] = {
        "from": "2026-01-01T00:00:10Z",
        "until": "2026-01-01T00:00:20Z",
        "times": None,
    }
    ozor.world.order_fault("http_error", **window)

    assert _statuses(ozor, 9_999, 1, 9_999, 1) == [200, 503, 503, 200]


def test_fault_lasts_for_a_time_from_now(ozor: Account) -> None:
    ozor.world.order_fault("http_error", for_ms=5_000, times=None)

    assert _statuses(ozor, 0, 4_999, 1) == [503, 503, 200]
    (shown,) = ozor.world.control.get(f"{ozor.world.path}/faults").json()["items"]
    assert (shown["from"], shown["until"]) == (None, "2026-01-01T00:00:05Z")


@pytest.mark.parametrize(
    ("order", "detail"),
    [
        ({"until": START}, "this fault would have ended before it begins"),
        ({"until": "2026-01-02T00:00:00Z", "for_ms": 5}, "until and for_ms exclude each other"),
    ],
)
def test_window_that_cannot_be_is_refused(
    world: MockWorld, order: dict[str, Json], detail: str
) -> None:
    answer = world.control.post(f"{world.path}/faults", json={"type": "http_error", **order})

    assert (answer.status, answer.json()["detail"]) == (422, detail)


def test_percentiles_go_together(world: MockWorld) -> None:
    order = {"type": "latency", "attributes": {"p50_ms": 100}}

    answer = world.control.post(f"{world.path}/faults", json=order)

    assert (answer.status, answer.json()["detail"]) == (422, "p50_ms and p99_ms go together")


def test_drawn_delays_have_the_percentiles_that_were_asked_for() -> None:
    fault = Fault("fault_1", "latency", {}, attributes={"p50_ms": 200, "p99_ms": 2_000})

    delays = sorted(lognormal_ms(fault, stream(1, "delay", it)) for it in range(5_000))

    assert statistics.median(delays) == pytest.approx(200, rel=0.05)
    assert delays[4_950] == pytest.approx(2_000, rel=0.25)


def test_garbage_is_no_text_under_the_type_of_the_answer(ozor: Account) -> None:
    ozor.world.order_fault("garbage", attributes={"size": 100})

    answer = ozor.client.get(ozor_steps.VIDEOS)

    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert (len(answer.content), answer.headers["content-length"]) == (100, "100")
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode()


def _generated(account: Account, type_: str, **attributes: Json) -> str:
    """The text of a plan's stream with one fault."""
    plan = ozor_steps.plan_with(account, voiced=2)
    account.world.order_fault(type_, attributes=attributes)
    return ozor_steps.generate_plan(account, plan).text


def test_one_frame_of_a_stream_is_cut_in_its_middle(ozor: Account) -> None:
    frames = _generated(ozor, "stream_malformed", after_events=2).split("\n\n")

    broken = [it for it in frames if it and not it.endswith("}")]
    assert frames.index(broken[0]) == 2
    assert len(broken) == 1
    assert '"done"' in frames[-2]


def test_one_frame_of_a_stream_is_sent_twice(ozor: Account) -> None:
    frames = _generated(ozor, "stream_duplicate", after_events=1).split("\n\n")

    assert frames[1] == frames[2]
    assert len(set(frames)) == len(frames) - 1


def test_stream_without_its_last_frame_ends_cleanly(ozor: Account) -> None:
    whole = _generated(ozor, "stream_duplicate", after_events=0)

    text = _generated(ozor, "stream_no_end")

    assert '"done"' in whole
    assert '"done"' not in text
    assert text.endswith("}\n\n")
    ozor.world.advance_until_idle()
    assert [it["code"] for it in ozor.world.findings(kind="stream")] == ["SC212"]


def test_latency_on_the_clock_of_the_world_takes_world_time(ozor: Account) -> None:
    ozor.world.order_fault("latency", attributes={"delay_ms": 90_000, "clock": "world"})
    began_s = time.monotonic()

    ozor.client.get(ozor_steps.VIDEOS)

    clock = ozor.world.control.get(f"{ozor.world.path}/clock").json()
    assert clock["now"] == "2026-01-01T00:01:30Z"
    assert time.monotonic() - began_s < 30


def test_stall_on_the_clock_of_the_world_takes_world_time(ozor: Account) -> None:
    began_s = time.monotonic()

    text = _generated(ozor, "stream_stall", after_events=1, stall_ms=500_000, clock="world")

    clock = ozor.world.control.get(f"{ozor.world.path}/clock").json()
    assert '"done"' in text
    assert clock["now"] >= "2026-01-01T00:08:20Z"
    assert time.monotonic() - began_s < 30


def test_server_answers_when_the_clock_of_the_world_was_advanced(live: LiveMock) -> None:
    world = live.world()
    path, ozor = f"/worlds/{world['id']}", world["providers"]["ozor"]
    attributes = {"delay_ms": 60_000, "clock": "world"}
    live.control("POST", f"{path}/faults", {"type": "latency", "attributes": attributes})
    answered = threading.Event()

    def ask() -> None:
        headers = {"X-API-Key": ozor["account"]["api_key"]}
        requests.get(f"{ozor['base_url']}/api/v1/videos", headers=headers, timeout=30)
        answered.set()

    threading.Thread(target=ask, daemon=True).start()
    is_early = answered.wait(0.5)
    # More than once: the request may not have come in before the first.
    for _ in range(20):
        live.control("POST", f"{path}/clock/advance", {"by_ms": 60_000})
        if answered.wait(0.5):
            break

    assert not is_early
    assert answered.is_set()

"""The geometry of the drawings, in numbers that can be checked on paper."""

from __future__ import annotations

import pytest

from screentest.mock_server.http.ui.axis import Axis, span
from screentest.mock_server.http.ui.lifecycle_drawing import lifecycle_drawing
from screentest.mock_server.http.ui.plot import plot, sums_after
from screentest.mock_server.http.ui.timeline import Mark, timeline
from screentest.mock_server.kernel.rows import Entry
from screentest.specs.behaviour.lifecycles import Kind, Lifecycle
from screentest.specs.contracts.registry import load_contract, shipped_contracts


@pytest.mark.parametrize(
    ("length_ms", "text"),
    [
        (0, "0 s"),
        (250, "250 ms"),
        (2_500, "2.5 s"),
        (150_000, "2 min 30 s"),
        (3_600_000, "1 h"),
        (90_061_000, "1 d 1 h"),
    ],
)
def test_a_length_of_time_has_two_units_at_most(length_ms: int, text: str) -> None:
    assert span(length_ms) == text


def test_an_axis_has_round_ticks_and_keeps_within_its_ends() -> None:
    axis = Axis(1_000, 41_000, left=100, width=800)

    assert [(it.x, it.label) for it in axis.ticks()] == [
        (100.0, "0 s"),
        (200.0, "5 s"),
        (300.0, "10 s"),
        (400.0, "15 s"),
        (500.0, "20 s"),
        (600.0, "25 s"),
        (700.0, "30 s"),
        (800.0, "35 s"),
        (900.0, "40 s"),
    ]
    assert (axis.x(0), axis.x(99_000)) == (100.0, 900.0)


def test_a_timeline_draws_each_state_and_each_mark_at_its_instant() -> None:
    steps = [(0, "queued", Kind.WAITING), (10_000, "done", Kind.SUCCEEDED)]

    drawn = timeline(steps, [Mark(5_000, "credits", "hold 1")], now_ms=2_000)

    queued, done = drawn.bars
    assert (queued.x, queued.is_ahead, queued.has_label) == (96.0, False, True)
    assert queued.x + queued.width == done.x
    assert done.is_ahead
    assert drawn.dots[0].x == round((queued.x + done.x) / 2, 1)
    assert drawn.now_x is not None
    assert queued.x < drawn.now_x < drawn.dots[0].x


def test_a_plot_follows_the_sums_of_the_ledger() -> None:
    entries = [
        Entry(1, "a", 0, "grant", 10, None, None),
        Entry(2, "a", 1_000, "hold", 4, "j", 1),
        Entry(3, "a", 2_000, "capture", 4, "j", None),
        Entry(4, "a", 3_000, "charge", 2, "k", 2),
        Entry(5, "a", 4_000, "refund", 2, "k", None),
    ]

    assert [sums for _, sums in sums_after(entries)] == [
        (10, 0, 0),
        (6, 4, 0),
        (6, 0, 4),
        (4, 0, 6),
        (6, 0, 4),
    ]
    drawn = plot(entries, now_ms=4_000)
    assert drawn is not None
    assert drawn.lines["held"].startswith("M64.0 228.0H276.0V")


def test_a_plot_of_many_entries_stays_small_and_ends_at_the_last_sum() -> None:
    entries = [Entry(n, "a", n * 1_000, "grant", 1, None, None) for n in range(1, 100_001)]

    drawn = plot(entries, now_ms=100_000_000)

    assert drawn is not None
    assert len(drawn.lines["available"]) < 30_000
    assert drawn.lines["available"].endswith("V16.0H912.0")
    assert plot([], now_ms=0) is None


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_every_lifecycle_is_drawn_with_all_its_states_apart(provider: str) -> None:
    for lifecycle in load_contract(provider).behaviour.lifecycles.values():
        drawn = lifecycle_drawing(lifecycle)

        assert {it.name for it in drawn.boxes} == set(lifecycle.states)
        assert len({(it.x, it.y) for it in drawn.boxes}) == len(lifecycle.states)
        assert len(drawn.edges) == _edge_count(lifecycle)
        assert all(it.x + drawn.box[0] <= drawn.width for it in drawn.boxes)
        assert all(it.y + drawn.box[1] <= drawn.height for it in drawn.boxes)


def _edge_count(lifecycle: Lifecycle) -> int:
    return sum(map(len, lifecycle.edges.values()))

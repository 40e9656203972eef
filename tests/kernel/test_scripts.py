"""A job's script: decided at acceptance, looked up ever after."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentest.mock_server.kernel.lifecycle import (
    Script,
    draw_script,
    end_differently,
    hold,
    release,
)
from screentest.specs.behaviour.lifecycles import Kind, Lifecycle, Scale, State

_RENDER = Lifecycle(
    name="render",
    states={
        "queued": State("queued", Kind.WAITING, (1_000, 3_000)),
        "running": State("running", Kind.RUNNING, (10_000, 60_000)),
        "done": State("done", Kind.SUCCEEDED),
        "broken": State("broken", Kind.FAILED),
    },
    edges={"queued": ("running",), "running": ("done", "broken"), "done": (), "broken": ()},
    source="OZ-137",
    scale=Scale("quality", {"4k": 4.0}),
)
_RANKS = {"queued": 0, "running": 1, "done": 2, "broken": 2}


@given(seed=st.integers(0, 10_000), offsets=st.lists(st.integers(0, 400_000), min_size=2))
def test_states_and_progress_never_go_back(seed: int, offsets: list[int]) -> None:
    script = draw_script(_RENDER, Random(seed), {})

    seen = [(script.state_at(at), script.progress(at, _RENDER)[0]) for at in sorted(offsets)]

    ranks = [_RANKS[state] for state, _ in seen]
    progress = [value for _, value in seen]
    assert ranks == sorted(ranks)
    assert progress == sorted(progress)
    assert all((state == "done") == (value == 100) for state, value in seen)


@given(st.integers(0, 10_000))
def test_durations_stay_within_what_is_documented(seed: int) -> None:
    (_, first), (starts, second), (ends, last) = draw_script(_RENDER, Random(seed), {}).steps

    assert (first, second, last) == ("queued", "running", "done")
    assert 1_000 <= starts <= 3_000
    assert 10_000 <= ends - starts <= 60_000


def test_facts_stretch_durations() -> None:
    plain = draw_script(_RENDER, Random(5), {"quality": "720p"})
    large = draw_script(_RENDER, Random(5), {"quality": "4k"})

    assert large.steps[-1][0] == pytest.approx(4 * plain.steps[-1][0], abs=4)


def test_pace_of_nothing_ends_at_once() -> None:
    assert draw_script(_RENDER, Random(1), {}, pace=0).state_at(0) == "done"


@pytest.mark.parametrize("at", [0.0, 0.25, 1.0])
def test_failure_comes_at_the_part_of_the_way_that_was_ordered(at: float) -> None:
    whole = draw_script(_RENDER, Random(3), {}).steps
    script = draw_script(_RENDER, Random(3), {}, fails="out of memory", fails_at=at)

    running_ms = whole[2][0] - whole[1][0]
    assert script.steps[-1] == (whole[1][0] + int(running_ms * at), "broken")
    assert script.reason == "out of memory"


def test_another_end_comes_at_the_same_time() -> None:
    script = Script(((0, "queued"), (1_000, "running"), (9_000, "done")))

    changed = end_differently(script, _RENDER, Kind.FAILED, "refused", 4_000)

    assert changed.steps == ((0, "queued"), (1_000, "running"), (9_000, "broken"))
    assert changed.reason == "refused"


def test_time_that_a_job_is_held_does_not_count() -> None:
    script = Script(((0, "queued"), (1_000, "running"), (9_000, "done")))

    held = hold(script, 3_000)
    released = release(held, 10_000)

    assert (held.state_at(50_000), held.ends_ms) == ("running", None)
    assert released.steps == ((0, "queued"), (1_000, "running"), (16_000, "done"))


@given(st.integers(0, 10_000))
def test_script_survives_being_kept(seed: int) -> None:
    script = draw_script(_RENDER, Random(seed), {}, fails="x")

    assert Script.from_json(script.to_json()) == script

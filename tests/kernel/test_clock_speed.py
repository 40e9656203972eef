"""How fast a clock runs by itself, which a hint on polling depends on."""

from __future__ import annotations

import pytest

from screentest.mock_server.kernel.clock import Clock, Mode


@pytest.mark.parametrize(
    ("mode", "speed"),
    [(Mode.REAL, 20.0), (Mode.SYSTEM, 1.0), (Mode.MANUAL, 0.0), (Mode.AUTO, 0.0)],
)
def test_clock_runs_by_itself_only_in_two_modes(mode: Mode, speed: float) -> None:
    assert Clock(mode, 0, 0, 20.0).own_speed == speed

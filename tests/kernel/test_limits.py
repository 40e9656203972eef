"""Rate windows: how long to wait, and which windows a contract may declare."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from screentest.mock_server.pipeline.limits import wait_s
from screentest.specs.behaviour.call_limits import RateWindow
from screentest.specs.contracts.contract import FOLDER as SPECS
from screentest.specs.contracts.contract import read_contract
from screentest.specs.errors import ContractError


def window(limit: int, per_ms: int = 60_000) -> RateWindow:
    return RateWindow("calls", frozenset({"call"}), limit, per_ms, "U1")


def loaded_windows(folder: Path, when: dict[str, str]) -> Sequence[RateWindow]:
    """Those of a contract with one window that is in force *when* a reading is chosen."""
    shutil.copytree(SPECS / "ozor", folder, dirs_exist_ok=True)
    raw = yaml.safe_load((folder / "behaviour.yaml").read_text())
    raw["rate_windows"] = [
        {
            "name": "calls",
            "operations": ["listVideos"],
            "limit": 3,
            "per_ms": 60_000,
            "counts": "refused_too",
            "when": when,
            "source": "A1",
        }
    ]
    (folder / "behaviour.yaml").write_text(yaml.safe_dump(raw))
    return read_contract(folder).behaviour.rate_windows


@pytest.mark.parametrize(
    ("hits_ms", "now_ms", "expected_s"),
    [
        ([], 0, 0),
        ([0, 0], 0, 0),
        ([0, 0, 0], 0, 60),
        ([0, 0, 0], 1, 60),
        ([0, 0, 0], 1_000, 59),
        ([0, 0, 0], 59_999, 1),
        ([0, 30_000, 30_000], 40_000, 20),
    ],
)
def test_wait_is_the_shortest_in_whole_seconds_that_is_enough(
    hits_ms: list[int], now_ms: int, expected_s: int
) -> None:
    assert wait_s(window(3), hits_ms, now_ms) == expected_s


def test_wait_looks_at_the_call_whose_leaving_makes_room() -> None:
    """More calls than the limit can lie in a window that counts refused ones."""
    assert wait_s(window(2), [0, 10_000, 20_000, 30_000], 40_000) == 40


def test_window_may_depend_on_a_reading(tmp_path: Path) -> None:
    (loaded,) = loaded_windows(tmp_path, {"credit_hold": "check_only"})

    assert loaded.reading == ("credit_hold", "check_only")
    assert loaded.counts_refused


@pytest.mark.parametrize("when", [{"credit_hold": "never"}, {"no_such_point": "reserve"}])
def test_window_of_an_unknown_reading_is_refused(tmp_path: Path, when: dict[str, str]) -> None:
    with pytest.raises(ContractError, match="0/when: no (interpretation|reading of)"):
        loaded_windows(tmp_path, when)

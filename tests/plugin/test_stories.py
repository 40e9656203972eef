"""Clients without code for tests, whose three minutes of waiting take milliseconds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from screentest import World

from ..tree import ROOT
from .clients.ozor_client import OzorClient

pytest_plugins = ["pytester"]

POLLING_SAMPLE = Path(__file__).parent.parent / "ulazai" / "samples" / "poll.py.txt"
#: Ten times the measured time, and far below the minutes that pass in the worlds. It is processor
#: time, so that other work on the machine has no effect.
STORY_S_MAX = 0.25


def _run_polling_sample(api_key: str) -> float:
    """Run the script with its thirty-second sleeps. Returns its processor time in seconds."""
    script = POLLING_SAMPLE.read_text(encoding="utf-8").replace("YOUR_API_KEY", api_key)
    program = compile(script, str(POLLING_SAMPLE), "exec")
    began_s = time.process_time()
    exec(program, {"__name__": "__main__"})
    return time.process_time() - began_s


def test_the_documented_polling_script_runs_unmodified(
    screentest: World, capsys: pytest.CaptureFixture[str]
) -> None:
    took_s = _run_polling_sample(screentest.ulazai.api_key)

    assert capsys.readouterr().out.startswith("Video ready: https://ulazai.com/")
    assert screentest.clock.elapsed == 150.0
    assert screentest.ulazai.credits == 930
    assert took_s < STORY_S_MAX


def test_a_client_makes_exports_and_downloads_a_video(screentest: World) -> None:
    client = OzorClient(screentest.ozor.api_key)

    began_s = time.process_time()
    video = client.make_video("A reading lamp")
    took_s = time.process_time() - began_s

    assert video[4:8] == b"ftyp"
    assert screentest.clock.elapsed > 30
    assert screentest.ozor.credits == 9
    assert took_s < STORY_S_MAX


def test_a_failed_job_costs_nothing_in_the_end(
    screentest: World, capsys: pytest.CaptureFixture[str]
) -> None:
    screentest.ulazai.jobs.fail_next("Content policy violation detected in prompt")

    # The documented script reads `data` of an answer that has no such field.
    with pytest.raises(KeyError, match="data"):
        _run_polling_sample(screentest.ulazai.api_key)

    assert capsys.readouterr().out == ""
    assert screentest.ulazai.credits == 1000
    assert [entry.kind for entry in screentest.ulazai.ledger] == ["grant", "charge", "refund"]


REPEATED = """
import pytest
from tests.plugin import test_stories as stories

@pytest.mark.parametrize("number", range(200))
def test_polling(screentest, capsys, number):
    stories.test_the_documented_polling_script_runs_unmodified(screentest, capsys)

@pytest.mark.parametrize("number", range(200))
def test_client(screentest, number):
    stories.test_a_client_makes_exports_and_downloads_a_video(screentest)
"""


@pytest.mark.slow
def test_both_stories_hold_two_hundred_times_on_four_workers(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makeini("[pytest]")
    pytester.makepyfile(REPEATED)

    plugins = ("-p", "screentest.fixtures.plugin", "-p", "xdist")
    result = pytester.runpytest_subprocess("-q", *plugins, "-n", "4")

    result.assert_outcomes(passed=400)

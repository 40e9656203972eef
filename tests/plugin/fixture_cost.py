"""A small project that measures the plugin's fixture, in processor time."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

#: Writes the setup and teardown of each test, and the median of many calls, in ms.
CONFTEST = """
import json, pathlib, statistics, time
import pytest

phases, calls = {}, {}

def timed(item):
    began_s = time.process_time()
    try:
        return (yield)
    finally:
        took_ms = (time.process_time() - began_s) * 1000
        phases[item.name] = phases.get(item.name, 0) + took_ms

@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_setup(item):
    return (yield from timed(item))

@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_teardown(item):
    return (yield from timed(item))

@pytest.fixture
def measure(request):
    def median_ms(call):
        times_s = []
        for turn in range(220):
            began_s = time.process_time()
            assert call().status_code == 200
            times_s.append(time.process_time() - began_s)
        calls.setdefault("first", times_s[0] * 1000)
        calls[request.node.name] = statistics.median(times_s[20:]) * 1000
    return median_ms

def pytest_sessionfinish():
    pathlib.Path("cost.json").write_text(json.dumps([phases, calls]))
"""
SUITE = """
import httpx, pytest, requests

VIDEOS = "https://ozor.ai/api/v1/videos"

def test_first(screentest): pass

@pytest.mark.parametrize("number", range(30))
def test_another(screentest, number): pass

def test_modules_of_ours_are_loaded_as_they_are(screentest):
    from screentest.mock_server.engine import world

    assert type(world.__loader__).__name__ == "SourceFileLoader"

def test_requests(screentest, measure):
    session = requests.Session()
    measure(lambda: session.get(VIDEOS, headers={"X-API-Key": screentest.ozor.api_key}))

def test_httpx(screentest, measure):
    client = httpx.Client()
    measure(lambda: client.get(VIDEOS, headers={"X-API-Key": screentest.ozor.api_key}))
"""


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the first world, of setup and teardown of a later test, and of calls."""

    first: float
    test: float
    calls: dict[str, float]


def measure(python: Path, project: Path) -> Cost:
    """The costs in one pytest run by *python*, which needs `requests` and `httpx`, in *project*."""
    for name, text in (("conftest.py", CONFTEST), ("test_it.py", SUITE), ("pytest.ini", "")):
        (project / name).write_text(text or "[pytest]", encoding="utf-8")
    # With compiled modules, as in every run after the first.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    }
    arguments = (
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:schemathesis",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:cacheprovider",
    )
    subprocess.run(
        (python, *arguments), cwd=project, env=environment, capture_output=True, check=True
    )
    phases, calls = json.loads((project / "cost.json").read_text())
    others = [took for name, took in phases.items() if name.startswith("test_another")]
    return Cost(phases["test_first"], statistics.median(others), calls)

"""A Chromium for the session, and a tab that records what it loads and has problems with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.live_mock import LiveMock, serving

from .tab import CHROMIUM, Tab


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of the run."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[LiveMock]:
    """A server of the test's own, with a manual clock."""
    with serving(tmp_path, "--clock", "manual") as mock:
        yield mock


@pytest.fixture
def tab(chromium: Browser, mock: LiveMock) -> Iterator[Tab]:
    """A tab at the mock; at its end it has met no problem and loaded nothing else."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    opened = Tab(context.new_page(), mock.url)
    yield opened
    problems, foreign = opened.problems, opened.foreign
    context.close()
    assert problems == []
    assert foreign == []

"""A Chromium for the session, and tabs that record what they load and complain about."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live_mock import LiveMock, serving

from .tab import Tab

playwright = pytest.importorskip("playwright.sync_api", reason="make test-browser installs it")

CHROMIUM = os.environ.get("CHROMIUM", "")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here, and skip all of them without a browser."""
    for item in items:
        item.add_marker(pytest.mark.browser)
        if not CHROMIUM:
            item.add_marker(pytest.mark.skip(reason="no Chromium; tools/find_chromium.sh says why"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[playwright.Browser]:
    """The browser of the run."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[LiveMock]:
    """A server of the test's own, whose default world stands still."""
    with serving(tmp_path, "--clock", "manual") as mock:
        yield mock


@pytest.fixture
def tab(chromium: playwright.Browser, mock: LiveMock) -> Iterator[Tab]:
    """A tab at the mock; at its end it has complained about nothing and loaded nothing else."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    opened = Tab(context.new_page(), mock.url)
    yield opened
    complaints, foreign = opened.complaints, opened.foreign
    context.close()
    assert complaints == []
    assert foreign == []

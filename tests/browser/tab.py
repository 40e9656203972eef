"""A tab of the browser at one mock."""

from __future__ import annotations

import os
import shutil

import pytest
from playwright.sync_api import ConsoleMessage, Page, Request

_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)

#: The marks of every test in this folder.
in_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
UI = "/_screentest/ui"
#: The page follows a change within a second; a loaded machine takes its time.
FOLLOWS_MS = 15_000


class Tab:
    """A page with what its console said (*problems*) and what it asked others for (*foreign*)."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.problems: list[str] = []
        self.foreign: list[str] = []
        page.set_default_timeout(FOLLOWS_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self._note)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.text} ({message.location})")

    def _note(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self.foreign.append(request.url)

    def open(self, path: str = "/", world: str = "default") -> None:
        """Show a page of *world*."""
        self.page.goto(f"{self.url}{UI}/w/{world}{path}")

    def press(self, name: str) -> None:
        """Press the button called *name*."""
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def sees(self, text: str) -> None:
        """Wait until *text* is on the page."""
        self.page.get_by_text(text).first.wait_for()

    def reads(self, selector: str, text: str) -> None:
        """Wait until the element at *selector* contains *text*."""
        self.page.locator(selector, has_text=text).first.wait_for()

"""Every page in three sizes and two colour schemes: what axe finds, and what is too wide.

The pictures stay in `.cache/browser/pictures`, for people to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.live_mock import LiveMock, serving
from tests.tree import ROOT

from .scenes import populate
from .tab import Tab, in_browser

pytestmark = in_browser

PICTURES = ROOT / ".cache" / "browser" / "pictures"
AXE = ROOT / ".cache" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"phone": (360, 740), "laptop": (1280, 800), "4k": (3840, 2160)}
PAGES = {
    "documents": "/../../../docs/",
    "document": "/../../../docs/performance",
    "overview": "/",
    "requests": "/requests",
    "request": "/requests/{refused}",
    "jobs": "/jobs",
    "job": "/jobs/{ended}",
    "job-running": "/jobs/{running}",
    "job-video": "/jobs/{export}",
    "credits": "/credits",
    "webhooks": "/webhooks",
    "faults": "/faults",
    "contracts": "/contracts",
    "contract": "/contracts/ugc_copilot",
    "clauses": "/contracts/ugc_copilot/clauses",
    "worlds": "/worlds",
    "compare": "/compare",
    "kit": "/kit",
}
#: What axe finds beyond these is a matter of taste.
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveMock, dict[str, str]]]:
    """A server in whose default world something has happened."""
    with serving(tmp_path_factory.mktemp("scene"), "--clock", "manual") as mock:
        yield mock, populate(mock, "http://127.0.0.1:9/hook")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_readable(
    chromium: Browser, scene: tuple[LiveMock, dict[str, str]], size: str, scheme: Any
) -> None:
    mock, ids = scene
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    tab = Tab(context.new_page(), mock.url)
    folder = PICTURES / f"{size}-{scheme}"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    for name, path in {**PAGES, "empty": "/jobs?provider=oshara", "missing": "/none"}.items():
        tab.page.goto(f"{mock.url}/_screentest/ui/w/default{path.format(**ids)}")
        for details in tab.page.locator("details.delivery").all():
            details.locator("summary").first.click()
        tab.page.screenshot(path=folder / f"{name}.png")
        wider = tab.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        found += [f"{name}: {wider} px wider than the window"] if wider > 0 else []
        if size != "4k":
            found += [f"{name}: {it}" for it in _axe(tab.page)]
    found += [it for it in tab.problems if "404" not in it]
    found += tab.foreign
    context.close()

    assert found == [], "\n".join(found)


def _axe(page: Page) -> list[str]:
    """What axe finds serious on *page*."""
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    results = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{it['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for it in results["violations"]
        if it["impact"] in SERIOUS
        for node in it["nodes"][:3]
    ]

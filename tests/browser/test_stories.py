"""What people do at the page, from the first visit on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
from playwright.sync_api import Browser, expect

from tests.live_mock import LiveMock, serving

from .scenes import advance
from .tab import FOLLOWS_MS, UI, Tab, in_browser

pytestmark = in_browser
EVIL = "<img src=x onerror=alert(1)>"


def _send(tab: Tab, provider: str, example: str) -> None:
    """Send an example of a provider from the overview."""
    tab.open("/")
    card = tab.page.locator("article", has=tab.page.locator(f"#p-{provider}"))
    card.locator("select").select_option(example)
    card.get_by_role("button", name="Send").click()
    tab.page.wait_for_url("**/requests/req_*")


def test_from_the_first_visit_to_the_first_video_without_a_terminal(tab: Tab) -> None:
    tab.page.goto(tab.url)
    tab.page.wait_for_url(f"{tab.url}{UI}/w/default/")
    _send(tab, "ozor", "publicExport")
    tab.sees("ozor answered 200")
    tab.press("Until idle")
    tab.page.get_by_role("link", name="Jobs", exact=True).click()
    tab.page.get_by_role("link", name=re.compile("^exp_")).click()

    video = tab.page.locator("video")
    played_s = video.evaluate(
        """async video => {
            video.muted = true;
            await video.play();
            while (video.currentTime < 0.2) await new Promise(done => setTimeout(done, 50));
            return video.currentTime;
        }"""
    )
    size = video.evaluate("video => [video.videoWidth, video.videoHeight]")
    assert played_s >= 0.2
    assert size == [1080, 1920]


def test_a_refused_call_is_understood_and_mended(tab: Tab) -> None:
    tab.open("/credits")
    tab.page.get_by_label("Account").select_option(label="ozor · acct_2")
    tab.press("Show")
    tab.page.get_by_label(re.compile("^Available credits")).fill("0")
    tab.press("Set")
    tab.sees("has 0 credits to spend")

    _send(tab, "ozor", "promptOnly")
    tab.sees("ozor answered 402")
    tab.reads("article.finding", "SC406")
    tab.reads("blockquote", "402")
    tab.reads("ol.gates li.refused", "credits")

    tab.open("/credits?account=acct_2")
    tab.page.get_by_label(re.compile("^Available credits")).fill("5")
    tab.press("Set")
    tab.sees("has 5 credits to spend")
    _send(tab, "ozor", "promptOnly")
    tab.sees("ozor answered 200")


class _Receiver(BaseHTTPRequestHandler):
    """Answers 500 until `is_well`, with a hostile text."""

    is_well = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200 if type(self).is_well else 500)
        self.send_header("Content-Length", str(len(EVIL)))
        self.end_headers()
        self.wfile.write(EVIL.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def receiver() -> Iterator[str]:
    """The address of a receiver that fails at first."""
    _Receiver.is_well = False
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Receiver)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_webhook_fails_is_sent_again_and_is_delivered(tab: Tab, receiver: str) -> None:
    tab.open("/webhooks")
    tab.page.get_by_label("Address").fill(receiver)
    tab.press("Add")
    tab.sees("Its secret, shown this once: whsec_")
    _send(tab, "ugc_copilot", "wrapped")
    tab.press("Until idle")
    tab.sees("on the way")

    tab.open("/webhooks")
    delivery = tab.page.locator("details.delivery")
    expect(delivery).to_contain_text("exhausted")
    delivery.locator("summary").first.click()
    expect(delivery).to_contain_text(EVIL)
    _Receiver.is_well = True
    tab.press("Send again")

    tab.sees("again: 200")
    expect(delivery.locator("summary").first).to_contain_text("delivered", timeout=FOLLOWS_MS)
    assert delivery.get_attribute("open") is not None
    assert tab.page.locator("img[src='x']").count() == 0


def test_a_fault_is_added_met_and_removed(tab: Tab) -> None:
    tab.open("/faults")
    tab.page.get_by_label("Type").select_option("latency")
    tab.press("Choose")
    tab.page.get_by_label("Type").select_option("http_error")
    tab.press("Choose")
    tab.page.get_by_role("textbox", name="status").fill("502")
    tab.press("Add")
    tab.sees("fault_1: http_error")

    _send(tab, "ozor", "promptOnly")
    tab.sees("ozor answered 502")
    tab.page.get_by_role("link", name="fault_1").click()
    tab.sees("What it met")
    tab.press("Remove")

    tab.sees("Removed fault_1.")
    tab.sees("No fault is injected")


def test_the_clock_moves_and_everything_on_the_page_follows(tab: Tab, mock: LiveMock) -> None:
    _send(tab, "ozor", "promptOnly")
    tab.open("/jobs")
    row = tab.page.locator("tbody tr").first
    expect(row).to_contain_text("queued")
    before = tab.page.locator("#clock .now b").inner_text()

    tab.press("To the next event")
    expect(row).to_contain_text("processing")
    advance(mock, until="idle")

    expect(row.locator(".sign")).to_contain_text("completed", timeout=FOLLOWS_MS)
    expect(tab.page.locator("#clock")).to_contain_text("nothing is due")
    assert tab.page.locator("#clock .now b").inner_text() != before


def test_two_tabs_and_a_program_see_the_same(tab: Tab, mock: LiveMock) -> None:
    other = Tab(tab.page.context.new_page(), mock.url)
    other.open("/requests")
    other.sees("No request yet")

    _send(tab, "znapai", "least")

    other.reads("tbody tr", "createVideo")
    other.open("/worlds")
    tab.open("/worlds")
    tab.page.get_by_label("Name").first.fill("both")
    tab.press("Take a snapshot")
    other.reads("td", "both")
    assert other.problems == []


def test_a_restarted_server_takes_its_open_page_back(chromium: Browser, tmp_path: Path) -> None:
    store = ("--db", str(tmp_path / "mock.db"), "--clock", "manual")
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    context = chromium.new_context()
    with serving(tmp_path / "one", *store) as mock:
        port = mock.url.rpartition(":")[2]
        tab = Tab(context.new_page(), mock.url)
        tab.open("/jobs")
        tab.sees("No job yet")
    with serving(tmp_path / "two", *store, "--port", port) as mock:
        world = mock.control("GET", "/worlds/default")["providers"]["ozor"]
        requests.post(
            f"{world['base_url']}/api/v1/videos/generate",
            json={"prompt": "A lamp"},
            headers={"X-API-Key": world["account"]["api_key"]},
            timeout=10,
        ).raise_for_status()
        tab.reads("tbody tr", "queued")
        tab.press("To the next event")
        tab.reads("tbody tr", "processing")
    context.close()


def test_a_token_is_asked_for_once(chromium: Browser, tmp_path: Path) -> None:
    token = "a-token-of-this-test"
    with serving(tmp_path, "--control-token", token) as mock:
        context = chromium.new_context()
        tab = Tab(context.new_page(), mock.url)
        tab.open("/jobs")
        tab.page.get_by_label("Control token").fill("a-wrong-one")
        tab.press("Log in")
        tab.sees("This is not the token.")
        tab.page.get_by_label("Control token").fill(token)
        tab.press("Log in")
        tab.page.wait_for_url("**/w/default/jobs")
        tab.press("+30 s")
        tab.sees("in this world")
        tab.press("Log out")
        tab.page.get_by_label("Control token").wait_for()
        context.close()

    assert [it for it in tab.problems if "401" not in it] == []


def test_it_shows_and_acts_without_a_script(chromium: Browser, mock: LiveMock) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = Tab(context.new_page(), mock.url)

    _send(tab, "ozor", "promptOnly")
    tab.open("/jobs")
    tab.press("Until idle")

    tab.reads("tbody tr", "completed")
    context.close()


def test_a_hostile_prompt_runs_nothing(tab: Tab) -> None:
    tab.page.on("dialog", lambda dialog: tab.problems.append(dialog.message))
    tab.open("/")
    card = tab.page.locator("article", has=tab.page.locator("#p-ozor"))
    card.get_by_text("Write the body").click()
    card.locator("textarea").fill('{"prompt": "' + EVIL + '", "' + EVIL + '": 1}')
    card.get_by_role("button", name="Send").click()
    tab.page.wait_for_url("**/requests/req_*")

    tab.sees(EVIL)
    assert tab.page.locator("img[src='x']").count() == 0


def test_the_keyboard_reaches_the_content_and_shows_where_it_is(tab: Tab) -> None:
    tab.open("/requests")
    tab.page.keyboard.press("Tab")
    assert tab.page.evaluate("document.activeElement.className") == "skip"
    tab.page.keyboard.press("Enter")
    tab.page.keyboard.press("Tab")

    focused = tab.page.evaluate(
        "[document.activeElement.name, getComputedStyle(document.activeElement).outlineStyle]"
    )
    assert focused == ["provider", "solid"]


def test_an_open_detail_and_a_typed_text_survive_an_update(tab: Tab, mock: LiveMock) -> None:
    _send(tab, "ozor", "promptOnly")
    tab.open("/jobs")
    tab.page.get_by_text("Mode", exact=True).first.click()
    tab.page.get_by_label("State").fill("proc")

    advance(mock, until="next")
    expect(tab.page.locator("tbody tr").first).to_contain_text("processing", timeout=FOLLOWS_MS)

    assert tab.page.get_by_label("State").input_value() == "proc"
    assert tab.page.locator("details.mode").get_attribute("open") is not None


@pytest.mark.parametrize("provider", ["ozor", "oshara"])
def test_reference_of_a_contract_is_drawn_from_its_own_files(tab: Tab, provider: str) -> None:
    tab.open(f"/contracts/{provider}")
    tab.page.get_by_role("link", name="reference of all fields").click()
    tab.page.wait_for_url(f"**/contracts/{provider}/reference")
    operation = {"ozor": "Create a video from a prompt", "oshara": "Create a video job"}[provider]

    tab.page.locator("[data-action=navigate]", has_text=operation).first.click()
    tab.page.locator("api-request").first.wait_for()

    assert tab.problems == []
    assert tab.foreign == []

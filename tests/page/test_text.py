"""What comes from a client is text on every page, whatever it looks like."""

from __future__ import annotations

import pytest

from tests.mock_client import File, MockWorld

from .visitor import Visitor

EVIL = '<img src=x onerror="alert(1)">'
#: Would become another element for htmx, which reads these tags itself.
SLY = '<hx-partial hx-target="#live"><b class="evil">'
PAGES = (
    "",
    "requests",
    "jobs",
    "credits",
    "webhooks",
    "faults",
    "worlds",
    f"requests?job={EVIL}",
    f"faults?type={EVIL}",
)


@pytest.fixture
def haunted(world: MockWorld) -> MockWorld:
    """A world that got hostile texts through every door."""
    for text in (EVIL, SLY):
        ozor = world.account("ozor")
        ozor.client.post(
            "/api/v1/videos/generate",
            json={"prompt": text, text: text},
            headers={"X-Note": text, "User-Agent": text},
        )
        ozor.client.get(f"/api/v1/{text}", query={"q": text})
        ozor.client.get("/api/v1/videos/" + text)
        world.control.post(
            f"{world.path}/faults",
            json={
                "type": "http_error",
                "where": {"operation": "getVideo"},
                "attributes": {"status": 503, "body": {"detail": text}},
            },
        )
        ozor.client.get("/api/v1/videos/abc")
        oshara = world.account("oshara")
        oshara.client.post(
            "/api/video-jobs/",
            form={
                "title": text,
                "text_content": text,
                "avatar": File(f"{text}.jpg".replace('"', "'"), b"\xff\xd8\xff\xe0", "image/jpeg"),
            },
        )
        ugc = world.account("ugc_copilot")
        ugc.client.post("/proxyStartVideoGeneration", json={"data": {text: text}})
        job = world.control.get(f"{world.path}/jobs").json()["items"][0]["id"]
        world.control.patch(
            f"{world.path}/jobs/{job}", json={"outcome": "failed", "reason": text, "now": True}
        )
    return world


def _assert_is_text(html: str) -> None:
    assert "<img src=x" not in html
    assert "<hx-partial" not in html
    assert '<b class="evil"' not in html


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_text_is_shown_as_it_is(haunted: MockWorld, visitor: Visitor, page: str) -> None:
    _assert_is_text(visitor.page(f"/{page}").html)


def test_a_hostile_text_is_shown_as_it_is_on_every_request_and_job(
    haunted: MockWorld, visitor: Visitor
) -> None:
    lines = haunted.control.get(f"{haunted.path}/requests").json()["items"]
    jobs = haunted.control.get(f"{haunted.path}/jobs").json()["items"]
    assert len(lines) >= 10
    assert jobs

    pages = [visitor.page(f"/requests/{it['id']}") for it in lines]
    pages += [visitor.page(f"/jobs/{it['id']}") for it in jobs]

    for page in pages:
        _assert_is_text(page.html)
    assert sum(EVIL in page.text for page in pages) >= 3
    assert sum(SLY in page.text for page in pages) >= 3


def test_the_parts_that_a_page_fetches_anew_are_text_too(
    haunted: MockWorld, visitor: Visitor
) -> None:
    answer = visitor.open("/jobs", headers={"HX-Request": "true"}).get_data(as_text=True)

    assert answer.count("<hx-partial") == 2
    assert "<img src=x" not in answer


def test_a_notice_with_a_hostile_text_is_text(visitor: Visitor) -> None:
    after = visitor.submit(visitor.page(), "send", provider="ozor", body=EVIL)

    _assert_is_text(after.html)


def test_a_world_with_a_hostile_label_shows_it(visitor: Visitor, world: MockWorld) -> None:
    made = visitor.submit(visitor.page("/worlds"), "make-world", label=EVIL)

    _assert_is_text(made.html)
    assert EVIL in made.text


def test_a_shell_runs_nothing_of_a_request(visitor: Visitor, world: MockWorld) -> None:
    """The line that is offered for copying is quoted."""
    account = world.account("ozor")
    account.client.post("/api/v1/videos/generate", json={"prompt": "'; touch /tmp/x; '"})

    text = visitor.page("/requests/req_1").text

    assert """--data-raw '{"prompt": "'"'"'; touch /tmp/x; '"'"'"}'""" in text

"""What each page shows, and what it says while there is nothing to show."""

from __future__ import annotations

import subprocess
import sys

import pytest

from screentest.specs.contracts.registry import shipped_contracts
from tests.mock_client import Account, MockWorld, make_world
from tests.ozor.steps import generate, generate_plan, plan_with

from .visitor import UI, Visitor

PAGES = ("", "requests", "jobs", "credits", "webhooks", "faults", "contracts", "worlds", "kit")
EMPTY = {
    "": "Send an example below",
    "requests": "each request appears here at once",
    "jobs": "A call that a provider accepts begins one",
    "webhooks": "Add an endpoint below",
    "faults": "Add one below",
}


def test_a_browser_at_the_root_is_led_to_the_page_and_a_program_is_not(visitor: Visitor) -> None:
    browser = visitor.open("/_", headers={"Accept": "text/html"})
    led = visitor.wsgi.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    program = visitor.wsgi.get("/", headers={"Accept": "application/json"})
    curl = visitor.wsgi.get("/")

    assert browser.status_code == 404
    assert (led.status_code, led.location) == (302, f"{UI}/")
    assert program.status_code == curl.status_code == 404
    assert program.json == curl.json
    assert "nothing is at '/'" in str(curl.json)


def test_the_first_page_is_the_overview_of_the_default_world(visitor: Visitor) -> None:
    answer = visitor.wsgi.get(f"{UI}/", follow_redirects=True)

    assert answer.request.path == f"{UI}/w/default/"
    assert "<h1>Overview</h1>" in answer.get_data(as_text=True)


@pytest.mark.parametrize(("page", "words"), EMPTY.items())
def test_an_empty_page_says_what_to_do_next(visitor: Visitor, page: str, words: str) -> None:
    assert words in visitor.page(f"/{page}").text


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_reached_from_every_other(visitor: Visitor, page: str) -> None:
    reached = visitor.page(f"/{page}").addresses

    assert {f"{visitor.root}/{name}" for name in PAGES} <= set(reached)


@pytest.mark.parametrize("provider", shipped_contracts().names)
def test_the_contract_of_a_provider_is_one_page(visitor: Visitor, provider: str) -> None:
    page = visitor.page(f"/contracts/{provider}")

    assert "Order of refusals" in page.text
    assert any(tag == "svg" for tag, _ in page.tags)


def test_an_unknown_page_world_or_request_is_a_page_too(visitor: Visitor) -> None:
    answers = [
        visitor.open("/nothing"),
        visitor.open(f"{UI}/w/nowhere/"),
        visitor.open("/requests/req_9"),
        visitor.open("/jobs/none"),
    ]

    assert [it.status_code for it in answers] == [404, 404, 404, 404]
    assert {it.mimetype for it in answers} == {"text/html"}
    assert "no world 'nowhere'" in answers[1].text.replace("&#39;", "'")


def test_a_key_is_masked_until_it_is_asked_for(visitor: Visitor, ozor: Account) -> None:
    page = visitor.page()
    key = ozor.world.control.get(ozor.world.path).json()["providers"]["ozor"]["account"]["api_key"]

    assert f"{key[:6]}…" in page.text
    assert page.html.count(f"<summary>{key}") == 0
    # Inside a closed <details>; the snippets are closed as well.
    assert all(it not in {"open"} for tag, known in page.tags if tag == "details" for it in known)


def test_a_refused_request_is_explained_with_the_sentence_of_the_document(
    visitor: Visitor, ozor: Account
) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": ""})

    text = visitor.page("/requests/req_1").text

    assert "SC108" in text
    assert "OZ-059" in text
    assert "send at least 1 character" in text
    assert "Wrong and right code" in text
    assert "def test_generatevideo(screentest):" in text


def test_gates_show_which_one_refused(visitor: Visitor, ozor: Account) -> None:
    ozor.set_credits(0)
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})

    page = visitor.page("/requests/req_1")

    gates = [
        known["class"] for tag, known in page.tags if tag == "li" and known.get("class") is not None
    ]
    assert gates == [*["passed"] * 7, "refused"]


def test_a_job_shows_its_states_credits_and_requests_on_one_axis(
    visitor: Visitor, ozor: Account
) -> None:
    made = ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"}).json()
    ozor.world.advance(600_000)

    page = visitor.page(f"/jobs/{made['jobId']}")

    lanes = [it for it in ("states", "requests", "credits") if it in page.text]
    dots = [known for tag, known in page.tags if tag == "circle"]
    assert lanes == ["states", "requests", "credits"]
    assert len(dots) == 3  # the request, the hold and the capture
    assert "This job has ended: completed." in page.text


def test_a_finished_job_without_a_video_says_how_to_get_one(
    visitor: Visitor, ozor: Account, world: MockWorld
) -> None:
    made = generate(ozor, prompt="A lamp")
    before = visitor.page(f"/jobs/{made['jobId']}").text
    world.advance_until_idle()

    assert "makes no video by itself" not in before
    assert "makes no video by itself" in visitor.page(f"/jobs/{made['jobId']}").text


def test_the_video_of_a_finished_job_plays_with_ranges(visitor: Visitor, ozor: Account) -> None:
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp", "export": True})
    ozor.world.advance(600_000)
    export = ozor.world.control.get(f"{ozor.world.path}/jobs").json()["items"][0]

    page = visitor.page(f"/jobs/{export['id']}")
    source = next(known["src"] for tag, known in page.tags if tag == "video")
    part = visitor.open(str(source), headers={"Range": "bytes=4-7"})

    assert (part.status_code, part.data, part.mimetype) == (206, b"ftyp", "video/mp4")


@pytest.mark.parametrize("provider", ["ozor", "ugc_copilot", "ulazai", "znapai"])
def test_every_example_of_the_overview_is_sent_and_makes_a_job(
    visitor: Visitor, world: MockWorld, provider: str
) -> None:
    overview = visitor.page()
    example = overview.html.split(f'name="provider" value="{provider}"')[1].split('value="')[1]

    sent = visitor.submit(overview, "send", provider=provider, example=example.split('"')[0])

    assert f"{provider} answered 20" in sent.text
    assert len(world.control.get(f"{world.path}/jobs").json()["items"]) == 1


def test_lists_are_filtered_and_turned(visitor: Visitor, ozor: Account) -> None:
    for _ in range(60):
        ozor.client.get("/api/v1/videos/none")
    ozor.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})

    first = visitor.page("/requests")
    older = visitor.page("/requests?before=12")
    good = visitor.page("/requests?status=2xx")
    none = visitor.page("/requests?finding=SC208")

    assert first.html.count("<tr>") == 51
    assert "?before=12" in first.addresses
    assert older.html.count("<tr>") == 12
    assert good.html.count("<tr>") == 2
    assert "generateVideo" in good.text
    assert "No request fits these filters." in none.text


def test_the_page_is_loaded_when_a_browser_asks_for_it_and_not_before() -> None:
    script = (
        "import sys; from screentest.mock_server.http.app import create_app; app = create_app();"
        "client = app.test_client(); client.get('/_screentest/worlds');"
        "before = [it for it in sys.modules if '.http.ui' in it];"
        "client.get('/_screentest/ui/w/default/');"
        "print(before, 'screentest.mock_server.http.ui.site' in sys.modules)"
    )

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout

    assert printed.split() == ["[]", "True"]


def test_a_clause_lists_the_rules_that_come_from_it(visitor: Visitor) -> None:
    text = visitor.page("/contracts/ozor/clauses").text

    assert "behaviour.yaml: operations/generateVideo" in text
    assert "openapi.yaml: " in text


def test_a_fault_names_what_it_can_meet_before_it_is_added(visitor: Visitor) -> None:
    streams = visitor.page("/faults?type=stream_cut")
    models = visitor.page("/faults?type=webhook_drop").text

    assert "What it can meet: 1 operation of 1 provider" in streams.text
    assert "ozor: generatePlan" in streams.text
    assert "ugc_copilot: " in models
    assert "oshara: " not in models


def test_the_events_of_a_stream_are_marks_of_its_job(
    visitor: Visitor, ozor: Account, world: MockWorld
) -> None:
    generate_plan(ozor, plan_with(ozor, voiced=1))
    jobs = world.control.get(f"{world.path}/jobs").json()["items"]
    (job,) = [it["id"] for it in jobs if it["kind"] == "plan_generation"]

    text = visitor.page(f"/jobs/{job}").text

    assert "stream" in text
    assert '"step": "done"' in text


def test_two_worlds_are_compared_fact_by_fact(visitor: Visitor, world: MockWorld) -> None:
    twin = make_world(world.wsgi, clock={"mode": "manual"})
    before = visitor.page(f"/compare?with={twin.id}").text
    generate(twin.account("ozor"), prompt="A lamp")
    after = visitor.page(f"/compare?with={twin.id}").text

    assert "Both worlds received the same calls" in before
    assert "The requests part at number 1: no request in" in after
    assert "ozor generateVideo 200" in after
    assert "jobs of ozor that are" in after
    assert visitor.open("/compare?with=nothing").status_code == 404

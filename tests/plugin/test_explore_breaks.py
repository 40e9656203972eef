"""Breaks of webhooks, streams, files, credits, and of a job that is over too early."""

from __future__ import annotations

import json
from functools import partial
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import pytest

from screentest import World
from tests.ozor.steps import PDF_TYPE, pdf_bytes, scenes

from .corpus.wire import OPEN, Api, api
from .exploring import verdicts, wait

pytestmark = pytest.mark.screentest(violations="ignore")


# --- streams and webhooks -------------------------------------------------------------------------


@pytest.mark.screentest(clock="manual")
def test_webhooks_break_in_turn(screentest: World) -> None:
    seen: list[bytes] = []
    states: dict[str, str] = {}

    def receive(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        seen.append(body)
        states[json.loads(body)["id"]] = "done"
        start("204 No Content", [])
        return []

    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receive)
    own = api(screentest, "ugc_copilot")

    def program() -> None:
        states.clear()
        own.create()
        screentest.clock.advance(3_600)
        if not states:
            raise TimeoutError("no webhook came")

    found = screentest.explore(program, check=False)

    marks = verdicts(found)
    hooks = {name: mark for name, mark in marks.items() if name.startswith("webhook.")}
    assert hooks == {
        "webhook.1:hook-twice": "·",
        "webhook.1:hook-late": "·",
        "webhook.1:hook-never": "$",
        "webhook.1:hook-forged": "·",
    }


def test_stream_breaks_at_each_of_its_events(screentest: World) -> None:
    headers = {"X-API-Key": screentest.ozor.api_key}
    documents = "https://ozor.ai/api/v1/documents"
    files = {"file": ("a.pdf", pdf_bytes(), PDF_TYPE)}
    made = httpx.post(f"{documents}/analyze", headers=headers, files=files).json()["plan"]
    plan = f"{documents}/plans/{made['planId']}"
    httpx.patch(plan, headers=headers, json={"scenes": scenes(2)}).raise_for_status()

    def program() -> None:
        step = ""
        with httpx.stream("POST", f"{plan}/generate", headers=headers, timeout=60) as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    step = json.loads(line[5:])["step"]
        if step != "done":
            raise RuntimeError(step)

    marks = verdicts(screentest.explore(program, check=False))

    cuts = {name.partition(":")[2]: it for name, it in marks.items() if ":cut-" in name}
    assert list(cuts) == [f"cut-{count}" for count in range(len(cuts))]
    assert len(cuts) == 7
    assert set(cuts.values()) == {"$"}
    assert [marks[f"generatePlan.1:{it}"] for it in ("event-twice", "no-end")] == ["·", "$"]


# --- files, early ends and credits ----------------------------------------------------------------


def _export(world: World) -> Api:
    """Ozor's API, with the video `listed` that can be downloaded."""
    own = api(world, "ozor")
    made = own.create()
    wait(own, made)
    own.http.post(f"/videos/{made['videoId']}/export", json={}).raise_for_status()
    world.clock.advance_until_idle()
    return own


def _downloads(own: Api, tries: int, *, checks: bool) -> bytes:
    """The last file of so many *tries*, each with a URL of its own."""
    video = own.get("/videos")["videos"][0]["videoId"]
    answers = [httpx.get(own.get(f"/videos/{video}")["downloadUrl"])]
    while not answers[-1].is_success and len(answers) < tries:
        answers.append(httpx.get(own.get(f"/videos/{video}")["downloadUrl"]))
    if checks:
        answers[-1].raise_for_status()
    return answers[-1].content


@pytest.mark.parametrize(
    ("tries", "checks", "mark"),
    [(1, False, "?"), (1, True, "e"), (2, True, "·")],
    ids=["keeps the refusal as its file", "reports it", "asks for another URL"],
)
def test_signed_url_dies_before_its_download(
    screentest: World, tries: int, *, checks: bool, mark: str
) -> None:
    own = _export(screentest)

    found = screentest.explore(
        lambda: _downloads(own, tries, checks=checks), only="getVideo.1:expired", check=False
    )

    assert verdicts(found) == {"getVideo.1:expired": mark}


@pytest.mark.screentest(clock="manual")
def test_webhook_comes_before_the_answer(screentest: World) -> None:
    known: set[str] = set()
    ended: set[str] = set()

    def receive(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        event = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        ended.update({event["data"]["operationName"]} & known)
        start("204 No Content", [])
        return []

    screentest.ugc_copilot.webhooks.deliver_to(wsgi_app=receive)
    own = api(screentest, "ugc_copilot")

    def program(*, polls: bool) -> None:
        known.clear()
        ended.clear()
        made = own.create()
        known.add(made["operation"]["name"])
        screentest.clock.advance(600)
        if not ended and not (polls and own.status(made) not in OPEN):
            raise TimeoutError("the webhook of a video that is not known")

    names = "proxyStartVideoGeneration.1:early"
    waits, polls = (
        verdicts(screentest.explore(partial(program, polls=it), only=names, check=False))
        for it in (False, True)
    )

    assert (waits, polls) == ({names: "e"}, {names: "·"})


def test_credits_end_while_a_job_runs(screentest: World) -> None:
    own = api(screentest, "ulazai")

    def program() -> None:
        first, second = own.create("A lamp"), own.create("A chair")
        wait(own, first)
        wait(own, second)

    found = screentest.explore(program, only="generateTextToVideo.1:spent", check=False)

    assert verdicts(found) == {"generateTextToVideo.1:spent": "$"}
    assert [it["response"]["status"] for it in found.results[0].run.lines] == [201, 402]

"""`screentest.explore`: what is wrong with a client is found, and what is right is not accused."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from screentest import MockError, World
from screentest.mock_server.explore.exploration import Exploration, Result
from screentest.mock_server.explore.files import write_report
from screentest.mock_server.explore.places import places_of
from screentest.mock_server.explore.text import stories, text_report
from tests.plugin.corpus.wire import OPEN, RENDER, api

from .exploring import verdicts, wait

pytestmark = pytest.mark.screentest(violations="ignore")

_CREATE = {
    "ozor": "generateVideo",
    "ulazai": "generateTextToVideo",
    "znapai": "createVideo",
    "ugc_copilot": "proxyStartVideoGeneration",
}
#: Exploring takes five seconds on two processors that do nothing else.
_SECONDS_MAX = 5.0


def _again(call: Callable[[], Any]) -> Any:
    for pause_s in (1, 2, 4):
        try:
            return call()
        except (httpx.HTTPError, requests.RequestException, ValueError):
            time.sleep(pause_s)
    return call()


# --- double payments ------------------------------------------------------------------------------


def _repeats_by_hand(world: World, provider: str) -> None:
    own = api(world, provider)
    made = _again(own.create)
    wait(own, made)


def _repeats_by_urllib3(world: World, _: str) -> None:
    session = requests.Session()
    retry = Retry(total=3, allowed_methods=None, status_forcelist=[500, 503], backoff_factor=1)
    session.mount("https://", HTTPAdapter(max_retries=retry))
    headers = {"X-API-Key": world.ozor.api_key}
    videos = "https://ozor.ai/api/v1/videos"
    body = {"prompt": "A lamp"}
    made = session.post(f"{videos}/generate", headers=headers, json=body, timeout=5)
    made.raise_for_status()
    wait(api(world, "ozor"), made.json())


def _repeats_in_tasks(world: World, _: str) -> None:
    async def main() -> None:
        headers = {"X-API-Key": world.ozor.api_key}
        async with httpx.AsyncClient(base_url="https://ozor.ai/api/v1", headers=headers) as client:
            for pause_s in (1, 2, 4):
                try:
                    made = await client.post("/videos/generate", json={"prompt": "A lamp"})
                    made.raise_for_status()
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(pause_s)
            else:
                raise RuntimeError("no answer")
            path = f"/videos/{made.json()['videoId']}/jobs/{made.json()['jobId']}"
            async with asyncio.timeout(1_800):
                while True:
                    job = await client.get(path)
                    job.raise_for_status()
                    if job.json()["status"] == "completed":
                        return
                    if job.json()["status"] == "failed":
                        raise RuntimeError("failed")
                    await asyncio.sleep(10)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("client", "provider"),
    [
        (_repeats_by_hand, "ozor"),
        (_repeats_by_hand, "ulazai"),
        (_repeats_by_hand, "znapai"),
        (_repeats_by_hand, "ugc_copilot"),
        (_repeats_by_urllib3, "ozor"),
        (_repeats_in_tasks, "ozor"),
    ],
    ids=lambda it: it if isinstance(it, str) else it.__name__.strip("_"),
)
def test_double_payment_is_found(
    screentest: World, client: Callable[[World, str], None], provider: str
) -> None:
    names = [f"{_CREATE[provider]}.1:{way}" for way in ("lost", "503-done", "killed", "cut")]

    found = screentest.explore(lambda: client(screentest, provider), only=names, check=False)

    assert list(verdicts(found).values()) == ["2", "2", "2", "·"]


@pytest.mark.long
def test_same_seed_gives_the_same_table(screentest: World) -> None:
    texts = [
        list(
            text_report(
                screentest.explore(
                    lambda: _repeats_by_hand(screentest, "ulazai"), runs=25, check=False
                )
            )
        )
        for _ in range(2)
    ]

    assert texts[0] == texts[1]


def test_program_of_twelve_requests_is_explored_in_seconds(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        made = own.create()
        wait(own, made, pause_s=6)

    began = time.process_time()
    found = screentest.explore(program, check=False)

    assert (len(found.plain.lines), len(found.results)) == (12, 51)
    assert time.process_time() - began < _SECONDS_MAX


# --- a client that is right -----------------------------------------------------------------------


def _is_right(world: World, kept: Path) -> None:
    """One idempotency key per order, Retry-After, a deadline, and an error for a failure."""
    own = api(world, "ugc_copilot")
    deadline_s = time.monotonic() + 1_800

    def call(path: str, body: Any, **headers: str) -> Any:
        while time.monotonic() < deadline_s:
            pause_s = 5.0
            try:
                answer = own.http.post(path, json=body, headers=headers)
                if answer.status_code in {401, 402, 403}:
                    raise PermissionError(answer.text)
                pause_s = float(answer.headers.get("Retry-After", pause_s))
                answer.raise_for_status()
                return answer.json()
            except (httpx.HTTPError, ValueError):
                time.sleep(pause_s)
        raise TimeoutError(path)

    kept.touch()
    made = call("/proxyStartVideoGeneration", RENDER, **{"Idempotency-Key": "order-1"})
    asked = {"data": {"engine": "sora", "operationName": made["operation"]["name"]}}
    while not (job := call("/proxyCheckVideoStatus", asked))["done"]:
        time.sleep(10)
    if "error" in job:
        raise RuntimeError(str(job["error"]))


@pytest.mark.long
def test_client_that_is_right_has_a_clean_table(screentest: World, tmp_path: Path) -> None:
    found = screentest.explore(lambda: _is_right(screentest, tmp_path / "kept"))

    marks = set(verdicts(found).values())
    assert found.bad == []
    assert marks <= {"·", "e", "$"}
    assert len(found.results) > 40


# --- the other verdicts ---------------------------------------------------------------------------


def test_what_pays_twice_says_so_with_its_cost(screentest: World) -> None:
    with pytest.raises(AssertionError) as caught:
        screentest.explore(
            lambda: _repeats_by_hand(screentest, "ugc_copilot"),
            only="proxyStartVideoGeneration.1:lost",
        )

    text = str(caught.value)
    assert "it spent 36 credits (4.50 USD), the undisturbed run 18 credits (2.25 USD)" in text
    assert "why: screentest explain SC207" in text
    assert "again: screentest.explore(<lambda>, only='proxyStartVideoGeneration.1:lost')" in text


def test_failure_that_is_hidden_is_found(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        made = own.create()
        for _ in range(100):
            if own.status(made) not in OPEN:
                return
            time.sleep(10)

    names = ["generateVideo.1:fails", "generateVideo.1:cut", "getJob.1:state"]
    found = screentest.explore(program, only=names, check=False)

    assert list(verdicts(found).values()) == ["?", "e", "?"]


def test_loop_without_a_deadline_is_found(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        made = own.create()
        while own.status(made) in OPEN:
            time.sleep(10)

    found = screentest.explore(program, only="generateVideo.1:stalls", check=False)

    assert verdicts(found) == {"generateVideo.1:stalls": "∞"}
    assert found.results[0].run.ending.detail == "more than 60 minutes of the world's time"


def test_retry_after_is_respected_or_not(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program(pause_s: float) -> None:
        while (answer := own.http.get("/videos")).status_code == 429:
            time.sleep(pause_s)
        answer.raise_for_status()

    early, late = (
        verdicts(
            screentest.explore(partial(program, pause_s), only="listVideos.1:429", check=False)
        )
        for pause_s in (29, 30)
    )

    assert early == {"listVideos.1:429": "!"}
    assert late == {"listVideos.1:429": "·"}


def test_second_payment_after_a_refusal_is_found(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        status = ""
        for _ in range(2):
            made = own.create()
            while (status := own.status(made)) in OPEN:
                time.sleep(10)
            if status == "completed":
                return
        raise RuntimeError(status)

    found = screentest.explore(program, only="generateVideo.1:refused", check=False)

    assert verdicts(found) == {"generateVideo.1:refused": "R"}


def test_program_that_looks_before_it_pays_survives_a_kill(screentest: World) -> None:
    own = api(screentest, "znapai")

    def program() -> None:
        listed = own.get("/videos")["data"]
        wait(own, listed[0] if listed else own.create())

    found = screentest.explore(program, only="createVideo.1:killed", check=False)

    assert verdicts(found) == {"createVideo.1:killed": "·"}


def test_key_in_a_url_is_found(screentest: World) -> None:
    url = "https://ozor.ai/api/v1/videos"
    key = screentest.ozor.api_key

    def program() -> None:
        httpx.get(f"{url}?key={key}", headers={"X-API-Key": key}).raise_for_status()

    found = screentest.explore(program, only="listVideos.1:slow", check=False)

    assert verdicts(found) == {"listVideos.1:slow": "K"}


# --- plans, reports and mistakes ------------------------------------------------------------------


def test_pairs_break_twice_after_what_was_survived(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        _again(lambda: own.get("/videos"))

    found = screentest.explore(program, pairs=True, check=False)

    pairs = [it for it in found.results if len(it.cell.parts) == 2]
    survived = [it for it in found.results if _marks_of(it) == "·" and it not in pairs]
    tried = {it.cell.parts[0][1].name for it in pairs}
    marks = {it.cell.name: _marks_of(it) for it in pairs}
    assert marks["listVideos.1:cut+listVideos.2:cut"] == "·"
    # After 500, 503 and a silence the program does the same, so one of them is enough.
    assert 1 < len(tried) < len(survived)


def _faults_of(result: Result) -> list[tuple[str | None, list[str]]]:
    """The operation of each request of a run, with the faults that applied to it."""
    return [
        (it["operation"], [fault["type"] for fault in it.get("faults", ())])
        for it in result.run.lines
    ]


def test_pair_on_one_operation_breaks_both_of_its_calls(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        _again(lambda: own.get("/videos"))

    found = screentest.explore(program, pairs=True, check=False)

    pairs = {it.cell.name: it for it in found.results if len(it.cell.parts) == 2}
    assert [name for name, it in pairs.items() if not it.run.has_fired] == []
    assert _faults_of(pairs["listVideos.1:cut+listVideos.2:500"]) == [
        ("listVideos", ["reset_peer"]),
        ("listVideos", ["http_error"]),
        ("listVideos", []),
    ]


def test_pair_on_two_operations_breaks_both(screentest: World) -> None:
    own = api(screentest, "ozor")

    def program() -> None:
        wait(own, _again(own.create))

    names = [
        "generateVideo.1:cut+getJob.1:500",
        "generateVideo.1:500-done+generateVideo.2:killed",
        "generateVideo.1:cut+generateVideo.2:fails",
    ]
    two, killed, failing = screentest.explore(program, only=names, check=False).results

    assert _faults_of(two) == [
        ("generateVideo", ["reset_peer"]),
        ("generateVideo", []),
        ("getJob", ["http_error"]),
    ]
    # The first break does not kill the program, which repeats the call before it is killed.
    assert _faults_of(killed)[:3] == [
        ("generateVideo", ["http_error"]),
        ("generateVideo", ["timeout"]),
        ("generateVideo", []),
    ]
    assert failing.run.ending.detail == "RuntimeError: the video ended as failed"


def test_place_is_a_position_in_the_journal_also_after_a_download(screentest: World) -> None:
    """The line of a file has no operation."""
    own = api(screentest, "ozor")
    found = screentest.explore(lambda: own.get("/videos"), only="listVideos.1:cut", check=False)
    (listed,) = found.plain.lines
    contracts = {"ozor": found.results[0].cell.place.contract}

    places = places_of([{**listed, "operation": None}, listed, listed], [], contracts)

    assert [(it.name, it.index) for it in places] == [("listVideos.1", 1), ("listVideos.2", 2)]
    assert [it.position_in([listed, listed]) for it in places] == [0, 1]


def test_story_begins_where_the_broken_request_is_in_its_own_run(screentest: World) -> None:
    """Requests that a program makes at the same time change places from run to run."""
    own = api(screentest, "ozor")
    calls: list[Callable[[], object]] = [lambda: _again(own.create), lambda: own.get("/videos")]

    def program() -> None:
        for call in calls:
            call()
        calls.reverse()

    found = screentest.explore(program, only="generateVideo.1:lost", check=False)

    (story,) = stories(found)
    assert found.results[0].run.lines[0]["operation"] == "listVideos"
    assert (story.steps[0].call, story.steps[0].outcome) == (
        "POST generateVideo",
        "no answer, the work is done (reset_peer)",
    )


def test_bound_of_runs_is_kept_and_told(
    screentest: World, capsys: pytest.CaptureFixture[str]
) -> None:
    own = api(screentest, "ozor")

    found = screentest.explore(lambda: own.get("/videos"), runs=3, check=False)

    assert (len(found.results), found.left_out) == (3, 7)
    assert "runs: 3; 7 more are left out, --runs allows them" in capsys.readouterr().out


def test_world_is_as_before_afterwards(screentest: World) -> None:
    own = api(screentest, "ozor")
    before = screentest.ozor.credits, screentest.clock.now_ms, len(screentest.requests)

    screentest.explore(lambda: _repeats_by_hand(screentest, "ozor"), runs=4, check=False)

    assert (screentest.ozor.credits, screentest.clock.now_ms, len(screentest.requests)) == before
    assert screentest.findings() == []
    assert own.http.get("/videos").json()["videos"] == []


@pytest.mark.parametrize(
    ("only", "detail"),
    [
        ("listVideo.1:cut", "no place 'listVideo.1'; did you mean 'listVideos.1'?"),
        ("listVideos.1:cud", "no break of listVideos.1 'cud'; did you mean 'cut'?"),
    ],
)
def test_cell_that_does_not_exist_is_refused(screentest: World, only: str, detail: str) -> None:
    own = api(screentest, "ozor")

    with pytest.raises(MockError) as caught:
        screentest.explore(lambda: own.get("/videos"), only=only)

    assert detail in str(caught.value)


def test_program_that_fails_undisturbed_is_refused(screentest: World) -> None:
    def program() -> None:
        raise ValueError("no such lamp")

    with pytest.raises(MockError, match="undisturbed run does not succeed: ValueError: no such"):
        screentest.explore(program)
    with pytest.raises(MockError, match="the program has called no provider"):
        screentest.explore(lambda: None)


def test_reports_show_the_same_cells(screentest: World) -> None:
    found = screentest.explore(lambda: _repeats_by_hand(screentest, "ozor"), runs=8, check=False)

    document = json.loads(write_report("json", found))
    junit, html = write_report("junit", found), write_report("html", found)

    names = [it.cell.name for it in found.results]
    assert [it["cell"] for it in document["cells"]] == names
    assert document["stories"][0]["verdict"] == "PAID_TWICE"
    assert junit.count("<testcase ") == len(names)
    assert junit.count("<failure ") == len(found.bad) > 0
    assert html.count('<td class="PAID_TWICE bad"') == sum("2" in it for it in _marks(found))
    assert "<script" not in html


def _marks(found: Exploration) -> list[str]:
    return list(verdicts(found).values())


def _marks_of(result: Result) -> str:
    return "".join(it.mark for it in result.verdicts)

"""A mock that remembers the answers to polls is byte for byte the mock that does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

import pytest
from flask import Flask
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.http.edge import Edge
from screentest.mock_server.pipeline.remembered import KEPT_MAX, HeadersAsked
from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer, MockWorld, make_world
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor
from tests.ulazai import steps as ulazai
from tests.znapai import steps as znapai

_STEPS = 70
_START_MS = 1_767_225_600_000
#: The prompts of jobs that succeed, fail, are slow or stop.
_PROMPTS = ("A lamp", "[[screentest:fail]]", "[[screentest:slow=9s]]", "[[screentest:stall]]")
_FAULTS: Sequence[Json] = (
    {"type": "http_error", "attributes": {"status": 503}},
    {"type": "malformed_json", "nth": 2},
    {"type": "limit_data", "attributes": {"bytes": 3}},
    {"type": "job_failure", "times": 1},
    {"type": "http_error", "probability": 0.3, "phase": "after_commit"},
)
_READINGS = (
    ("ozor.pending_status", "generate_only"),
    ("znapai.video_ids", "plain"),
    ("znapai.extensions", "strict_proxy"),
)


@dataclass
class Wall:
    """The machine's clock, set by the test."""

    now_ms: int = _START_MS

    def __call__(self) -> int:
        return self.now_ms


def _polled(provider: str, made: Json) -> str:
    match provider:
        case "ozor":
            return ozor.job_path(made)
        case "oshara":
            return oshara.path_of(made)
        case "ulazai":
            return ulazai.status_path(made["data"]["task_id"])
        case _:
            return f"{znapai.VIDEOS}/{made['id']}"


@dataclass
class _Mock:
    """One of the two mocks, with everything that a history has made in it."""

    app: Flask
    wall: Wall
    world: MockWorld
    accounts: dict[str, list[Account]]
    paths: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    answers: list[tuple[int, object, bytes]] = field(
        default_factory=list[tuple[int, object, bytes]]
    )

    def note(self, answer: Answer) -> Answer:
        self.answers.append((answer.status, answer.headers, answer.content))
        return answer

    def control(self, method: str, path: str, body: Json = None) -> Answer:
        return self.note(self.world.control.request(method, self.world.path + path, json=body))

    def create(self, provider: str, number: int, prompt: str) -> None:
        client = self.accounts[provider][number].client
        match provider:
            case "ozor":
                answer = client.post(ozor.GENERATE, json={"prompt": prompt})
            case "oshara":
                answer = client.post(oshara.JOBS, form={**oshara.LEAST, "text_content": prompt})
            case "ulazai":
                answer = client.post(ulazai.TEXT, json={**ulazai.TEXT_BODY, "prompt": prompt})
            case _:
                answer = client.post(znapai.VIDEOS, json={**znapai.LEAST, "prompt": prompt})
        self.note(answer)
        if answer.status < 300 and answer.content[-1:] == b"}":
            self.paths.setdefault(provider, []).append(_polled(provider, answer.json()))


def _open(*, remembers: bool, mode: str) -> _Mock:
    wall = Wall()
    app = create_app(remembers=remembers, clock=wall)
    world = make_world(WsgiClient(app), clock={"mode": mode, "now": "2026-01-01T00:00:00Z"})
    accounts = {
        name: [world.account(name, credits=100_000) for _ in range(2)]
        for name in ("ozor", "oshara", "ulazai", "znapai")
    }
    return _Mock(app, wall, world, accounts)


# --- what a history is made of --------------------------------------------------------------------


def _poll(mock: _Mock, draw: Random) -> None:
    """One poll, mostly of a job that the caller owns."""
    provider = draw.choice(sorted(mock.paths) or ["ozor"])
    lists = {"ozor": ozor.VIDEOS, "znapai": znapai.VIDEOS, "oshara": oshara.JOBS}
    paths = [*mock.paths.get(provider, ()), lists.get(provider, "/nowhere"), ozor.KEYS]
    account = mock.accounts[provider][draw.choice((0, 0, 0, 1))]
    path, times = draw.choice(paths), draw.randint(1, 5)
    client = draw.choice((account.client, account.client, mock.world.anonymous(provider)))
    query = draw.choice((None, None, None, {"limit": "1"}))
    headers = draw.choice(({}, {}, {"Accept": "text/html"}, {"X-Odd": "1"}))
    for _ in range(times):
        mock.note(
            client.request(draw.choice(("GET", "GET", "HEAD")), path, query=query, headers=headers)
        )
        mock.wall.now_ms += draw.choice((0, 0, 1, 900))


def _create(mock: _Mock, draw: Random) -> None:
    provider, number = draw.choice(sorted(mock.accounts)), draw.randint(0, 1)
    mock.create(provider, number, draw.choice(_PROMPTS))


def _advance(mock: _Mock, draw: Random) -> None:
    by: Sequence[Json] = [{"by_ms": it} for it in (0, 1, 700, 2_500, 40_000)]
    mock.control("POST", "/clock/advance", draw.choice((*by, {"until": "next"}, {"until": "idle"})))


def _fault(mock: _Mock, draw: Random) -> None:
    if draw.random() < 0.5:
        mock.control("DELETE", "/faults")
    else:
        mock.control("POST", "/faults", draw.choice(_FAULTS))


def _change_job(mock: _Mock, draw: Random) -> None:
    listed = mock.control("GET", "/jobs").json()["items"]
    change = draw.choice(({"outcome": "failed"}, {"held": True}, {"held": False}))
    if listed:
        job = draw.choice(listed)
        mock.control("PATCH", f"/jobs/{job['id']}", change)


def _change_account(mock: _Mock, draw: Random) -> None:
    account = mock.accounts[draw.choice(sorted(mock.accounts))][1]
    change = draw.choice(({"credits": 0}, {"credits": 9_000}, {"api_key_revoked": True}))
    mock.control("PATCH", f"/accounts/{account.id}", change)


def _change_world(mock: _Mock, draw: Random) -> None:
    name, value = draw.choice(_READINGS)
    mode = draw.choice(("real", "manual", "auto"))
    match draw.randint(0, 4):
        case 0:
            mock.control("PATCH", "/interpretations", {name: value})
        case 1:
            mock.control("PATCH", "/clock", {"mode": mode})
        case 2:
            mock.control("POST", "/snapshots", {"name": "here"})
        case 3:
            mock.control("POST", "/snapshots/here/restore")
        case _:
            mock.control("POST", "/reset")


def _wait(mock: _Mock, draw: Random) -> None:
    mock.wall.now_ms += draw.choice((1, 300, 5_000, 90_000))


_ACTS: Sequence[tuple[Callable[[_Mock, Random], None], int]] = (
    (_poll, 50),
    (_create, 14),
    (_advance, 10),
    (_wait, 10),
    (_fault, 4),
    (_change_job, 5),
    (_change_account, 2),
    (_change_world, 2),
)


def _history(seed: int, *, remembers: bool) -> _Mock:
    """The mock after the history of *seed*: its answers, then its journal and its whole state."""
    draw = Random(seed)
    mock = _open(remembers=remembers, mode=draw.choice(("manual", "real", "auto")))
    for _ in range(_STEPS):
        act = draw.choices([it for it, _ in _ACTS], [weight for _, weight in _ACTS])[0]
        act(mock, Random(draw.random()))
    mock.control("GET", "/requests?limit=200")
    for accounts in mock.accounts.values():
        for account in accounts:
            mock.control("GET", f"/accounts/{account.id}/ledger?limit=200")
    mock.control("POST", "/snapshots", {"name": "end"})
    mock.control("GET", "/snapshots/end")
    mock.control("GET", "/events?limit=200")
    return mock


def _compare(seed: int) -> None:
    plain = _history(seed, remembers=False).answers
    remembering = _history(seed, remembers=True).answers

    for number, (expected, found) in enumerate(zip(plain, remembering, strict=True)):
        assert found == expected, f"answer {number} of seed {seed}"


@pytest.mark.parametrize("seed", range(40))
def test_a_history_is_the_same_with_and_without_memory(seed: int) -> None:
    _compare(seed)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_histories_are_the_same_with_and_without_memory(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        _compare(1_000 + seed)


# --- what is reused, and what is not --------------------------------------------------------------


def _reuse(mock: _Mock) -> list[bool]:
    """For each later provider call: whether its answer was reused."""
    edge: Edge = mock.app.extensions["screentest.edge"][0]
    reused: list[bool] = []

    def observe(handled: object, _: float) -> None:
        note = handled.note  # type: ignore[attr-defined]
        reused.append(not isinstance(note.call.request.headers, HeadersAsked))

    edge.observe = observe
    return reused


@pytest.mark.parametrize("provider", ["ozor", "oshara", "ulazai", "znapai"])
def test_the_second_poll_of_an_unchanged_job_is_reused(provider: str) -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create(provider, 0, "A lamp")
    client, path = mock.accounts[provider][0].client, mock.paths[provider][0]
    reused = _reuse(mock)

    answers = [client.get(path) for _ in range(3)]

    assert reused == [False, True, True]
    assert len({it.content for it in answers}) == 1
    assert len({it.headers["x-screentest-request-id"] for it in answers}) == 3


def test_an_answer_is_not_reused_beyond_the_next_step_of_its_job() -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create("ozor", 0, "A lamp")
    client, path = mock.accounts["ozor"][0].client, mock.paths["ozor"][0]
    first = client.get(path)
    mock.world.advance_to_next()
    reused = _reuse(mock)

    second = client.get(path)

    assert reused == [False]
    assert first.json()["status"] != second.json()["status"]


def test_a_world_keeps_a_bounded_number_of_answers() -> None:
    mock = _open(remembers=True, mode="manual")
    mock.create("ozor", 0, "A lamp")
    client, path = mock.accounts["ozor"][0].client, mock.paths["ozor"][0]

    for number in range(KEPT_MAX + 5):
        client.get(path, query={"n": number})

    worlds = mock.app.extensions["screentest"]
    assert len(worlds.get(mock.world.id).remembered) == KEPT_MAX

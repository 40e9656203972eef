"""Random histories of calls to one mock: what they are made of, and what they answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random

from screentest.specs.json_types import Json
from tests.mock_client import Account, Answer, MockWorld
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor
from tests.ulazai import steps as ulazai
from tests.znapai import steps as znapai

START_MS = 1_767_225_600_000
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

    now_ms: int = START_MS

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
class PlayedMock:
    """A mock, with everything that a history has made in it."""

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


# --- what a history is made of --------------------------------------------------------------------


def _poll(mock: PlayedMock, draw: Random) -> None:
    """One poll, mostly of a job that the caller owns."""
    provider = draw.choice(sorted(mock.paths) or sorted(mock.accounts))
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


def _create(mock: PlayedMock, draw: Random) -> None:
    provider, number = draw.choice(sorted(mock.accounts)), draw.randint(0, 1)
    mock.create(provider, number, draw.choice(_PROMPTS))


def _advance(mock: PlayedMock, draw: Random) -> None:
    by: Sequence[Json] = [{"by_ms": it} for it in (0, 1, 700, 2_500, 40_000)]
    mock.control("POST", "/clock/advance", draw.choice((*by, {"until": "next"}, {"until": "idle"})))


def _fault(mock: PlayedMock, draw: Random) -> None:
    if draw.random() < 0.5:
        mock.control("DELETE", "/faults")
    else:
        mock.control("POST", "/faults", draw.choice(_FAULTS))


def _change_job(mock: PlayedMock, draw: Random) -> None:
    listed = mock.control("GET", "/jobs").json()["items"]
    change = draw.choice(({"outcome": "failed"}, {"held": True}, {"held": False}))
    if listed:
        job = draw.choice(listed)
        mock.control("PATCH", f"/jobs/{job['id']}", change)


def _change_account(mock: PlayedMock, draw: Random) -> None:
    account = mock.accounts[draw.choice(sorted(mock.accounts))][1]
    change = draw.choice(({"credits": 0}, {"credits": 9_000}, {"api_key_revoked": True}))
    mock.control("PATCH", f"/accounts/{account.id}", change)


def _change_world(mock: PlayedMock, draw: Random) -> None:
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


def _wait(mock: PlayedMock, draw: Random) -> None:
    mock.wall.now_ms += draw.choice((1, 300, 5_000, 90_000))


ACTS: Sequence[tuple[Callable[[PlayedMock, Random], None], int]] = (
    (_poll, 50),
    (_create, 14),
    (_advance, 10),
    (_wait, 10),
    (_fault, 4),
    (_change_job, 5),
    (_change_account, 2),
    (_change_world, 2),
)


def act(mock: PlayedMock, draw: Random) -> None:
    """One random act of a client or of the test behind it."""
    chosen = draw.choices([it for it, _ in ACTS], [weight for _, weight in ACTS])[0]
    chosen(mock, Random(draw.random()))

"""Time, order and determinism: what a world shows depends on rows and clock alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import Client as WsgiClient

from screentest.specs.json_types import Json
from tests.mock_client import Account, MockWorld, make_world

_GENERATE = {"prompt": "A lamp", "export": True, "exportIsPublic": True}


def _begin(world: MockWorld) -> tuple[Account, str, str]:
    """One account with a running job that ends in a public export."""
    account = world.account("ozor")
    made = account.client.post("/api/v1/videos/generate", json=_GENERATE).json()
    return account, made["videoId"], made["jobId"]


def _state_of(world: MockWorld, account: Account) -> Json:
    """Everything that can be seen of a world without asking a provider."""
    events = world.control.get(f"{world.path}/events").json()["items"]
    jobs = world.control.get(f"{world.path}/jobs").json()["items"]
    return account.ledger(), events, jobs


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 120_000), max_size=8))
def test_advance_in_pieces_is_advance_at_once(wsgi: WsgiClient, cuts: list[int]) -> None:
    """Where the jumps are cut changes nothing: every effect sees its own due time."""
    at_once, in_pieces = make_world(wsgi), make_world(wsgi)
    first, second = _begin(at_once)[0], _begin(in_pieces)[0]

    at_once.advance(sum(cuts))
    for cut in cuts:
        in_pieces.advance(cut)

    assert _state_of(at_once, first) == _state_of(in_pieces, second)
    for world in (at_once, in_pieces):
        world.control.delete(world.path)


@settings(max_examples=25, deadline=None)
@given(polls=st.lists(st.sampled_from(["job", "video", "list", "ledger"]), max_size=12))
def test_reading_changes_nothing(wsgi: WsgiClient, polls: list[str]) -> None:
    """A world that is read at every step ends like one that is never read."""
    watched, alone = make_world(wsgi), make_world(wsgi)
    account, video, job = _begin(watched)
    other = _begin(alone)[0]
    paths = {
        "job": f"/api/v1/videos/{video}/jobs/{job}",
        "video": f"/api/v1/videos/{video}",
        "list": "/api/v1/videos",
    }

    for poll in polls:
        if poll == "ledger":
            account.ledger()
        else:
            assert account.client.get(paths[poll]).status == 200
        watched.advance(9_000)
    alone.advance(9_000 * len(polls))

    assert _state_of(watched, account) == _state_of(alone, other)
    for world in (watched, alone):
        world.control.delete(world.path)


def test_same_seed_and_same_calls_give_the_same_bytes(wsgi: WsgiClient) -> None:
    """Ids, bodies and files repeat, but for the world's name in the addresses."""
    seen: list[list[bytes]] = []
    for _ in range(2):
        world = make_world(wsgi, seed=42)
        account, video, job = _begin(world)
        world.advance_until_idle()
        bodies = [
            account.client.get(f"/api/v1/videos/{video}/jobs/{job}").content,
            account.client.get("/api/v1/videos").content,
            account.client.get(f"/api/v1/videos/{video}").content.partition(b"X-Goog-Signature")[0],
        ]
        seen.append([body.replace(f"/w/{world.id}/".encode(), b"/w/W/") for body in bodies])

    assert seen[0] == seen[1]


def test_another_seed_gives_other_ids(wsgi: WsgiClient) -> None:
    made = [_begin(make_world(wsgi, seed=seed))[1:] for seed in (1, 2)]

    assert set(made[0]).isdisjoint(made[1])


def test_effects_see_their_own_due_time(world: MockWorld) -> None:
    """A long jump does not smear the instants of what happens inside it."""
    account, video, job = _begin(world)
    due = world.control.get(f"{world.path}/jobs/{job}").json()["script"]

    fired = world.advance(10 * 60 * 60 * 1_000)

    assert [event["at"] for event in fired][:2] == [due[1]["at"], due[2]["at"]]
    assert [event["type"] for event in fired] == [
        "job.running",
        "job.completed",
        "job.running",
        "job.completed",
    ]
    assert account.ledger()["entries"][-1]["at"] == due[2]["at"]
    assert account.client.get(f"/api/v1/videos/{video}").json()["exportStatus"] == "complete"


@pytest.mark.parametrize("by_ms", [-1, 400 * 24 * 60 * 60 * 1_000 + 1])
def test_clock_goes_neither_back_nor_beyond_400_days(world: MockWorld, by_ms: int) -> None:
    before = world.control.get(f"{world.path}/clock").json()

    answer = world.control.post(f"{world.path}/clock/advance", json={"by_ms": by_ms})

    assert answer.status == 422
    assert world.control.get(f"{world.path}/clock").json() == before


def test_held_job_does_not_move_and_resumes_where_it_stopped(world: MockWorld) -> None:
    """Time that a job is held does not count."""
    account, video, job = _begin(world)
    path = f"/api/v1/videos/{video}/jobs/{job}"
    world.advance_to_next()
    world.change(f"jobs/{job}", {"held": True})

    world.advance(60 * 60 * 1_000)
    stood = account.client.get(path).json()["status"]
    world.change(f"jobs/{job}", {"held": False})
    world.advance(60 * 1_000)

    assert stood == "processing"
    assert account.client.get(path).json()["status"] == "completed"


def test_reset_puts_a_world_back_to_its_first_moment(world: MockWorld) -> None:
    first = world.control.get(world.path).json()
    _begin(world)
    world.advance(60_000)

    again = world.control.post(f"{world.path}/reset").json()

    assert again == first
    assert world.control.get(f"{world.path}/jobs").json()["items"] == []

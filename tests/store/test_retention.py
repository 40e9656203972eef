"""Beyond `--keep` the oldest finished resources are dropped; what lives is not, nor is money."""

from __future__ import annotations

from random import Random

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.mock_server.store.table import Ordered
from screentest.specs.json_types import Json
from tests.mock_client import Account, make_world
from tests.ozor import steps as ozor
from tests.ugc_copilot import steps as ugc

_KEEP = 40


def _wsgi(keep: int = _KEEP) -> WsgiClient:
    return WsgiClient(create_app(keep=keep))


def _create(account: Account, prompt: str = "A lamp") -> Json:
    answer = account.client.post(ozor.GENERATE, json={"prompt": prompt})
    assert answer.status == 200, answer.text
    return answer.json()


def _status(account: Account, made: Json) -> int:
    return account.client.get(ozor.job_path(made)).status


def _sum_up(ledger: Json) -> list[int]:
    """Available, held and spent as the opening balance and the entries add up."""
    signs = {"grant": (1, 0, 0), "hold": (-1, 1, 0), "capture": (0, -1, 1), "release": (1, -1, 0)}
    sums = [ledger["opening"][it] for it in ("available", "held", "spent")]
    for entry in ledger["entries"]:
        for place, sign in enumerate(signs[entry["kind"]]):
            sums[place] += sign * entry["amount"]
    return sums


def test_the_oldest_finished_jobs_are_dropped_and_the_totals_stay_exact() -> None:
    account = make_world(_wsgi()).account("ozor", credits=1_000)
    made: list[Json] = []
    for _ in range(100):
        made.append(_create(account))
        account.world.advance_until_idle()

    statuses = [_status(account, it) for it in made]

    ledger = account.ledger()
    assert statuses == sorted(statuses, reverse=True)
    # Each creation makes a video, a conversation and a job.
    assert statuses.count(200) == _KEEP // 3
    assert (ledger["available"], ledger["held"], ledger["spent"]) == (900, 0, 100)
    assert _sum_up(ledger) == [900, 0, 100]
    assert ledger["opening"]["spent"] == statuses.count(404)
    assert len(ledger["entries"]) < 200


def test_a_dropped_id_is_unknown_and_its_finding_says_why() -> None:
    world = make_world(_wsgi())
    account = world.account("ozor", credits=1_000)
    first = _create(account)
    for _ in range(_KEEP):
        world.advance_until_idle()
        _create(account)

    dropped = account.client.get(ozor.job_path(first))
    never = make_world(_wsgi()).account("ozor").client.get(ozor.job_path(first))

    assert (dropped.status, dropped.content) == (never.status, never.content)
    (finding,) = account.world.requests(status=404)[0]["findings"]
    assert finding["actual"] == "an id whose resource was dropped as history"
    assert "--keep" in finding["fix"]


def test_a_running_job_is_never_dropped_and_no_creation_refused() -> None:
    world = make_world(_wsgi())
    account = world.account("ozor", credits=1_000)
    stalled = [_create(account, "[[screentest:stall]]") for _ in range(3)]
    running = [_create(account) for _ in range(3 * _KEEP)]

    assert {_status(account, it) for it in (*stalled, *running)} == {200}

    world.advance_until_idle()
    for _ in range(3 * _KEEP):
        _create(account)
        world.advance_until_idle()
    assert {_status(account, it) for it in stalled} == {200}
    assert {_status(account, it) for it in running} == {404}


def test_a_job_whose_signed_url_is_open_is_kept() -> None:
    world = make_world(_wsgi())
    account = world.account("ozor", credits=1_000)
    made = ozor.generate(account)
    world.advance_until_idle()
    ozor.export(account, made["videoId"])
    world.advance_until_idle()
    url = ozor.video(account, made["videoId"])["downloadUrl"]
    for _ in range(_KEEP // 2):
        _create(account)
        world.advance_until_idle()

    assert account.client.follow(url, headers={"Range": "bytes=0-9"}).status == 206


def test_a_job_within_its_idempotency_window_is_kept() -> None:
    world = make_world(_wsgi())
    account = world.account("ugc_copilot", credits=1_000_000)
    key = {"Idempotency-Key": "one"}
    first = account.client.post(ugc.START, json=ugc.body("sora"), headers=key)
    world.advance_until_idle()
    for _ in range(2 * _KEEP):
        ugc.try_start(account)
        world.advance(60_000)
        world.advance_until_idle()

    again = account.client.post(ugc.START, json=ugc.body("sora"), headers=key)

    assert (again.status, again.content) == (first.status, first.content)
    name = ugc.accepted(first)["operation"]["name"]
    assert ugc.try_check(account, name).status == 200


def test_keep_zero_is_no_limit_and_a_small_world_loses_nothing_to_a_large_one() -> None:
    unlimited = make_world(_wsgi(0)).account("ozor", credits=1_000)
    made = [_create(unlimited) for _ in range(3)]
    unlimited.world.advance_until_idle()
    assert {_status(unlimited, it) for it in made} == {200}

    wsgi = _wsgi()
    small, large = (make_world(wsgi).account("ozor", credits=1_000) for _ in range(2))
    kept = _create(small)
    small.world.advance_until_idle()
    for _ in range(2 * _KEEP):
        _create(large)
        large.world.advance_until_idle()
    _create(small)
    assert _status(small, kept) == 200


class _Row:
    def __init__(self, seq: int) -> None:
        self.seq = seq


@pytest.mark.parametrize("seed", range(5))
def test_rows_in_order_are_a_sorted_list_wherever_rows_are_removed(seed: int) -> None:
    draw, ordered, plain = Random(seed), Ordered[_Row](), list[_Row]()
    for seq in range(5_000):
        row = _Row(seq)
        ordered.change(None, None, row)
        plain.append(row)
    while plain:
        at = draw.choice((0, 0, 0, draw.randrange(len(plain)), min(len(plain) - 1, 5)))
        ordered.change(None, plain.pop(at), None)
        if draw.random() < 0.02:
            low, high = sorted(draw.randrange(5_000) for _ in range(2))
            found = ordered.page(None, after_seq=low, before_seq=high)
            assert found == [it for it in plain if low < it.seq < high]
            assert list(ordered.of(None)) == plain
            assert ordered.count(None) == len(plain)
    assert ordered.page(None) == []

"""Habits of a client that only several calls show: each is found, and its near miss is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import Client as WsgiClient

from screentest.mock_server.http.app import create_app
from screentest.specs.json_types import Json
from tests.mock_client import START, Account, MockWorld, make_world
from tests.oshara import steps as oshara
from tests.ozor import steps as ozor_steps
from tests.ugc_copilot import steps as ugc
from tests.ulazai import steps as ulazai
from tests.znapai import steps as znapai


def _poll_ozor(account: Account) -> Callable[[], Json]:
    job = ozor_steps.generate(account)
    return lambda: ozor_steps.job(account, job)


def _poll_oshara(account: Account) -> Callable[[], Json]:
    job = oshara.create(account)
    return lambda: oshara.read(account, job)


def _poll_ulazai(account: Account) -> Callable[[], Json]:
    task = ulazai.from_text(account)["task_id"]
    return lambda: ulazai.status(account, task)


def _poll_znapai(account: Account) -> Callable[[], Json]:
    video = znapai.create(account)["id"]
    return lambda: znapai.read(account, video)


#: provider, how a job is started and polled, and the pause between polls that its document asks for
_CADENCES = [
    ("ozor", _poll_ozor, 2_000),
    ("oshara", _poll_oshara, 5_000),
    ("ulazai", _poll_ulazai, 30_000),
]
_POLLS = {name: start for name, start, _ in _CADENCES} | {"znapai": _poll_znapai}


def _found(world: MockWorld) -> list[str]:
    """The codes of all findings of the world, oldest first."""
    return [it["code"] for line in world.requests() for it in line.get("findings", ())]


def _last_finding(world: MockWorld) -> Json:
    return world.requests()[-1]["findings"][-1]


# --- SC201: polled faster than the provider asks --------------------------------------------------


@pytest.mark.parametrize(
    ("provider", "start", "pause_ms"), _CADENCES, ids=[it[0] for it in _CADENCES]
)
def test_poll_a_millisecond_early_is_found_and_one_in_time_is_not(
    world: MockWorld, provider: str, start: Callable[..., Callable[[], Json]], pause_ms: int
) -> None:
    poll = start(world.account(provider))
    poll()

    world.advance(pause_ms)
    poll()
    in_time = _found(world)
    world.advance(pause_ms - 1)
    poll()

    assert (in_time, _found(world)) == ([], ["SC201"])


@pytest.mark.clause("OZ-232")
def test_early_poll_is_reported_with_both_pauses_and_the_clause(ozor: Account) -> None:
    poll = _poll_ozor(ozor)
    poll()
    ozor.world.advance(500)

    poll()

    assert _last_finding(ozor.world) == {
        "code": "SC201",
        "pointer": "",
        "expected": "2 s between polls",
        "actual": "0.5 s",
        "fix": "wait 2 s between polls",
        "source": "https://www.ozor.ai/docs/api OZ-232",
        "severity": "warning",
    }


def test_polls_of_two_jobs_in_turn_are_not_early(ozor: Account) -> None:
    polls = [_poll_ozor(ozor), _poll_ozor(ozor)]

    for _ in range(3):
        for poll in polls:
            poll()
            ozor.world.advance(1_000)

    assert _found(ozor.world) == []


def test_polls_while_a_manual_clock_does_not_move_are_not_early(ozor: Account) -> None:
    poll = _poll_ozor(ozor)

    for _ in range(3):
        poll()

    assert _found(ozor.world) == []


def test_polls_in_a_tight_loop_are_early_on_a_real_clock() -> None:
    instants_ms = iter(range(1_767_225_600_000, 1_767_225_700_000, 3))
    wsgi = WsgiClient(create_app(clock=lambda: next(instants_ms)))
    account = make_world(wsgi, clock={"mode": "real"}).account("ozor")
    poll = _poll_ozor(account)

    for _ in range(3):
        poll()

    assert _found(account.world) == ["SC201", "SC201"]


def test_polls_that_move_the_clock_themselves_are_not_early(wsgi: WsgiClient) -> None:
    account = make_world(wsgi, clock={"mode": "auto", "now": START}).account("ozor")
    poll = _poll_ozor(account)

    for _ in range(3):
        poll()

    assert _found(account.world) == []


def test_provider_that_asks_for_no_pause_gets_polls_at_any_pace(world: MockWorld) -> None:
    poll = _poll_znapai(world.account("znapai"))

    for _ in range(3):
        poll()
        world.advance(1)

    assert _found(world) == []


# --- SC202: polled on after the end ---------------------------------------------------------------


#: The findings about a client that continues, in the words of its provider.
_ENDS = {
    "ozor": (
        "3 since it ended as 'completed'",
        "end the loop at 'completed' and at 'failed': Job ends in 'completed' "
        "(Export in 'complete', Generation in 'generated')",
    ),
    "oshara": (
        "3 since it ended as 'COMPLETED'",
        "end the loop at 'COMPLETED' and at 'FAILED': VideoJob ends in 'COMPLETED'",
    ),
    "ulazai": (
        "3 since it ended as 'success'",
        "end the loop at 'success' and at 'failed': Task ends in 'success'",
    ),
    "znapai": (
        "3 since it ended as 'completed'",
        "end the loop at 'completed' and at 'failed': Video ends in 'completed'",
    ),
}


@pytest.mark.parametrize("provider", _POLLS)
def test_third_poll_after_the_end_is_found_and_the_second_is_not(
    world: MockWorld, provider: str
) -> None:
    poll = _POLLS[provider](world.account(provider))
    world.advance_until_idle()

    for _ in range(2):
        poll()
    twice = _found(world)
    poll()

    assert (twice, _found(world)) == ([], ["SC202"])
    assert (_last_finding(world)["actual"], _last_finding(world)["fix"]) == _ENDS[provider]


def test_end_in_failure_is_an_end(ozor: Account) -> None:
    job = ozor_steps.generate(ozor)
    ozor.world.fail_job(job["jobId"], "The model gave up")
    ozor.world.advance_until_idle()

    for _ in range(3):
        ozor_steps.job(ozor, job)

    assert _found(ozor.world) == ["SC202"]


def test_three_ended_jobs_read_once_each_are_not_a_finding(ozor: Account) -> None:
    polls = [_poll_ozor(ozor) for _ in range(3)]
    ozor.world.advance_until_idle()

    for poll in polls:
        poll()

    assert _found(ozor.world) == []


def _exported(account: Account) -> str:
    """The path of a video whose export has ended."""
    path = f"{ozor_steps.VIDEOS}/{ozor_steps.generate(account)['videoId']}"
    account.world.advance_until_idle()
    assert account.client.post(f"{path}/export", json={}).status == 200
    account.world.advance_until_idle()
    return path


def test_poll_of_a_video_whose_export_is_complete_names_both_words(ozor: Account) -> None:
    path = _exported(ozor)

    statuses = [ozor.client.get(path).status for _ in range(40)]

    assert statuses == [200] * 40
    assert _found(ozor.world)[:1] == ["SC202"]
    detail = _last_finding(ozor.world)
    assert detail["fix"] == (
        "end the loop at 'complete' and at 'failed': Export ends in 'complete' "
        "(Generation in 'generated', Job in 'completed')"
    )
    assert detail["source"] == "https://www.ozor.ai/docs/api OZ-104"


def test_poll_of_a_video_every_ten_seconds_goes_on_too_long_at_the_sixth(ozor: Account) -> None:
    path = _exported(ozor)

    found: list[int] = []
    for _ in range(6):
        ozor.client.get(path)
        ozor.world.advance(10_000)
        found.append(len(_found(ozor.world)))

    assert found == [0, 0, 0, 0, 0, 1]


def test_video_that_is_read_again_for_a_fresh_url_is_not_a_finding(ozor: Account) -> None:
    path = _exported(ozor)

    for _ in range(8):
        ozor.client.get(path)
        ozor.world.advance(3_600_000)

    assert _found(ozor.world) == []


def test_video_that_is_read_while_its_export_runs_is_not_a_finding(ozor: Account) -> None:
    path = f"{ozor_steps.VIDEOS}/{ozor_steps.generate(ozor)['videoId']}"
    ozor.world.advance_until_idle()
    ozor.client.post(f"{path}/export", json={})

    for _ in range(10):
        ozor.client.get(path)

    assert _found(ozor.world) == []


# --- SC205: a refused request repeated unchanged --------------------------------------------------


def test_refused_request_sent_again_unchanged_is_found(ozor: Account) -> None:
    for _ in range(2):
        ozor.client.post(ozor_steps.GENERATE, json={})

    assert _found(ozor.world) == ["SC107", "SC107", "SC205"]
    assert _last_finding(ozor.world)["fix"] == (
        "change what was refused; repeat only after 429 and 5xx"
    )


def test_wrong_key_sent_again_is_found_and_another_wrong_key_is_not(ozor: Account) -> None:
    for key in ("first", "second", "second"):
        ozor_steps.with_key(ozor, key).get(ozor_steps.VIDEOS)

    assert _found(ozor.world) == ["SC402", "SC402", "SC402", "SC205"]


def test_refused_request_that_was_changed_is_not_a_repetition(ozor: Account) -> None:
    for body in ({}, {"prompt": 3}, {"prompt": "A lamp"}):
        ozor.client.post(ozor_steps.GENERATE, json=body)

    assert "SC205" not in _found(ozor.world)


def test_same_body_with_its_content_type_is_not_a_repetition(ozor: Account) -> None:
    for headers in ({}, {"Content-Type": "application/x-www-form-urlencoded"}):
        ozor.client.post(ozor_steps.GENERATE, raw=b"prompt=x", headers=headers)

    assert _found(ozor.world) == ["SC105", "SC105"]


def test_refused_form_sent_again_is_found_by_its_fields(world: MockWorld) -> None:
    account = world.account("oshara")

    for title in ("Lamp", "Boat", "Boat"):
        account.client.post(oshara.JOBS, form={"title": title})

    assert _found(world).count("SC205") == 1


@pytest.mark.parametrize("reason", ["credits", "state"])
def test_refusal_that_time_or_money_can_lift_may_be_repeated(ozor: Account, reason: str) -> None:
    if reason == "credits":
        ozor.set_credits(0)
        refused = [ozor.client.post(ozor_steps.GENERATE, json={"prompt": "A"}) for _ in range(2)]
    else:
        path = f"{ozor_steps.VIDEOS}/{ozor_steps.generate(ozor)['videoId']}/export"
        refused = [ozor.client.post(path, json={}) for _ in range(2)]

    assert all(answer.status >= 400 for answer in refused)
    assert "SC205" not in _found(ozor.world)


def test_rate_limited_call_may_be_repeated(world: MockWorld) -> None:
    account = world.account("ugc_copilot", credits=100_000, tier="business")

    statuses = [ugc.try_start(account).status for _ in range(12)]

    assert statuses[-2:] == [429, 429]
    assert "SC205" not in _found(world)


def test_failure_that_was_ordered_may_be_repeated(world: MockWorld) -> None:
    account = world.account("ulazai")
    body = {"type": "http_error", "times": 2, "attributes": {"status": 503}}
    assert world.control.post(f"{world.path}/faults", json=body).status == 201

    statuses = [account.client.post(ulazai.TEXT, json=ulazai.TEXT_BODY).status for _ in range(2)]

    assert (statuses, _found(world)) == ([503, 503], [])


# --- SC207: a paid call repeated without the key that would make it one ---------------------------


def _start(account: Account, key: str | None = None, **scene: str) -> int:
    body = {"data": {"engine": "sora", "scene": {**ugc.SCENE, **scene}}}
    headers = {"Idempotency-Key": key} if key is not None else {}
    return account.client.post(ugc.START, json=body, headers=headers).status


@pytest.fixture
def payer(world: MockWorld) -> Account:
    return world.account("ugc_copilot", credits=100_000, tier="business")


def test_paid_call_repeated_without_a_key_is_found(payer: Account) -> None:
    _start(payer)
    payer.world.advance(1_500)

    assert _start(payer) == 200

    finding = _last_finding(payer.world)
    assert (finding["code"], finding["pointer"]) == ("SC207", "/Idempotency-Key")
    assert finding["actual"] == "the same call again after 1.5 s, without one"
    assert _found(payer.world) == ["SC207"]


def test_paid_call_repeated_with_a_key_is_what_the_key_is_for(payer: Account) -> None:
    statuses = [_start(payer, "order-1") for _ in range(2)]

    assert (statuses, _found(payer.world)) == ([200, 200], [])


def test_two_paid_calls_that_differ_are_two_orders(payer: Account) -> None:
    _start(payer, scriptText="First")
    _start(payer, scriptText="Second")

    assert _found(payer.world) == []


def test_paid_call_of_another_account_is_not_a_repetition(world: MockWorld) -> None:
    for _ in range(2):
        _start(world.account("ugc_copilot", credits=100_000))

    assert _found(world) == []


def test_paid_call_repeated_after_keys_are_forgotten_is_a_new_order(payer: Account) -> None:
    _start(payer)
    payer.world.advance(86_400_000)

    _start(payer)

    assert _found(payer.world) == []


def test_provider_without_such_a_key_is_not_asked_for_one(ozor: Account) -> None:
    for _ in range(2):
        ozor_steps.generate(ozor)

    assert _found(ozor.world) == []


# --- What advice may not do -----------------------------------------------------------------------


def test_advice_does_not_change_the_answer(ozor: Account) -> None:
    poll = _poll_ozor(ozor)
    poll()
    ozor.world.advance(1)

    answer = poll()

    line = ozor.world.requests()[-1]
    assert answer["status"] == "queued"
    assert (line["response"]["status"], "reason" in line) == (200, False)
    assert line["findings"][0]["severity"] == "warning"


def test_habits_of_one_world_are_unknown_in_another(wsgi: WsgiClient) -> None:
    for world in (make_world(wsgi), make_world(wsgi)):
        world.anonymous("ozor").get("/api/v1/vidoes")

        assert _found(world) == ["SC110"]

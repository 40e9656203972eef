"""Webhooks of a server that cannot be steered, at the callback that the user supplied."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.runs.command import open_target, plan_lines
from screentest.contract_tests.runs.options import VerifyOptions
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.sessions.deliveries import asked_field
from screentest.contract_tests.targets.callback import Inbox, listen
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import NotAllowedError, UnreachableError
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.registry import load_contract
from tests.tree import ROOT

UGC = "ugc_copilot"
SHOWN = (
    "hook.video.completed",
    "hook.signature",
    "hook.retries",
    "hook.stops",
    "hook.id",
    "hook.state",
)
KEPT, BROKEN, DIFFERS = RuleVerdict.KEPT, RuleVerdict.BROKEN, RuleVerdict.DIFFERS


def _plain(
    contract: Contract, bend: str = "", *, has_others: bool = True, patience_s: int = 10**7
) -> PlainTarget:
    mock = InProcessTarget(make_app(contract), contract, bend_deliveries=bend)
    return PlainTarget(mock, has_others, patience_s * 1_000)


def _judged(target: PlainTarget, *, by: Contract | None = None) -> Result:
    contract = by or target.mock.contract
    checks = load_checks(contract)
    chosen = [it for it in scenarios_of(contract, checks) if it.name.endswith(" hooks")]
    chosen += [it for it in scenarios_of(contract, checks) if it.name.startswith("hooks of")]
    return verify(contract, checks, lambda: target, chosen, is_open=True, is_shared=True)


def _verdicts(result: Result) -> Mapping[str, RuleVerdict]:
    return {it: result.judge.verdict(it) for it in SHOWN}


def test_a_callback_lets_webhooks_be_judged_without_steering() -> None:
    result = _judged(_plain(load_contract(UGC)))

    assert _verdicts(result) == dict.fromkeys(SHOWN, KEPT)


def test_without_a_callback_no_webhook_is_judged() -> None:
    result = _judged(_plain(load_contract(UGC), has_others=False))

    assert set(_verdicts(result).values()) == {RuleVerdict.NOT_JUDGED}
    lacks = {it.scenario.name: it.lacks for it in result.skipped}
    assert lacks["repeated hooks"] == {"--callback"}


@pytest.mark.parametrize(
    ("bend", "rule", "verdict"),
    [
        ("drop", "hook.video.completed", BROKEN),
        ("drop_retries", "hook.retries", BROKEN),
        ("new_id", "hook.id", BROKEN),
        # The document says that deliveries are signed, and neither of what nor in which header.
        ("reserialise", "hook.signature", DIFFERS),
        ("no_timestamp", "hook.signature", DIFFERS),
        ("no_type", "hook.video.completed", DIFFERS),
        # It also says that an event may come twice.
        ("repeat", "hook.stops", KEPT),
    ],
)
def test_a_defect_breaks_what_a_clause_demands_and_differs_elsewhere(
    bend: str, rule: str, verdict: RuleVerdict
) -> None:
    result = _judged(_plain(load_contract(UGC), bend))

    assert result.judge.verdict(rule) is verdict


def test_a_repetition_that_only_one_reading_has_may_be_left_out() -> None:
    fewer = load_contract(UGC, {f"{UGC}.webhook_attempts": "five_in_all"})

    result = _judged(_plain(fewer), by=load_contract(UGC))

    assert result.judge.verdict("hook.retries") is DIFFERS
    assert "repetition 5 was to come after 21600000 ms" in (
        result.judge.differs["hook.retries"].summary
    )


def test_repetitions_are_judged_as_far_as_the_patience_reaches() -> None:
    result = _judged(_plain(load_contract(UGC), patience_s=600))

    ran = next(it for it in result.ran if it.scenario.name == "repeated hooks")
    assert ran.lacks == {"--resume, or --patience 1800"}
    assert result.judge.verdict("hook.retries") is RuleVerdict.NOT_JUDGED
    assert result.judge.verdict("hook.id") is KEPT


@pytest.mark.parametrize(
    ("provider", "lines"),
    [
        (
            UGC,
            [
                "webhooks: enter https://hooks.example/in at the provider, for the events "
                "video.completed, video.failed",
                "webhooks: pass the secret that the provider shows with --callback-secret",
            ],
        ),
        ("ozor", []),
    ],
)
def test_the_plan_says_what_to_enter_at_the_provider(provider: str, lines: list[str]) -> None:
    options = VerifyOptions(provider, "http://127.0.0.1:1", callback="https://hooks.example/in")

    found = plan_lines(options)

    assert [it for it in found if it.startswith("webhooks")] == lines


# Over a socket


@dataclass
class Posted:
    """A sender of webhooks."""

    port: int

    def __call__(self, body: bytes, path: str = "/", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer


@contextmanager
def _listening(inbox: Inbox) -> Generator[Posted]:
    port = _free_port()
    close = listen(inbox, "127.0.0.1", port)
    try:
        yield Posted(port)
    finally:
        close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as line:
        port: int = line.getsockname()[1]
    return port


@pytest.fixture
def inbox() -> Inbox:
    return Inbox("https://hooks.example/in", lambda: 7)


@pytest.fixture
def post(inbox: Inbox) -> Iterator[Posted]:
    with _listening(inbox) as posted:
        yield posted


def test_a_listener_keeps_what_arrives_with_its_time(inbox: Inbox, post: Posted) -> None:
    status = post(b'{"id":"job_1"}', **{"X-Signature": "abc"}).status

    found = inbox.deliveries()
    assert (status, [(it.at_ms, it.body, it.verdict) for it in found]) == (
        200,
        [(7, b'{"id":"job_1"}', 200)],
    )
    assert found[0].headers["x-signature"] == "abc"


def test_only_deliveries_about_the_job_get_the_answers_that_were_set(
    inbox: Inbox, post: Posted
) -> None:
    inbox.answer_deliveries([500, 503], about="job_1")

    statuses = [post(it).status for it in (b"job_2", b"job_1", b"job_1", b"job_1")]

    assert statuses == [200, 500, 503, 200]


def test_a_followed_redirect_is_counted_and_is_no_delivery(inbox: Inbox, post: Posted) -> None:
    inbox.answer_deliveries([302])

    moved = post(b"job_1")
    post(b"job_1", urlsplit(moved.headers["Location"]).path)

    assert (moved.status, moved.headers["Location"]) == (302, "https://hooks.example/in/moved")
    assert (inbox.followed(), len(inbox.deliveries())) == (1, 1)


def test_a_sender_without_an_answer_is_noted_when_it_gives_up(inbox: Inbox, post: Posted) -> None:
    inbox.answer_deliveries([0])
    connection = http.client.HTTPConnection("127.0.0.1", post.port, timeout=0.05)
    connection.request("POST", "/", b"job_1")

    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    for _ in range(1_000):  # the listener notices it meanwhile
        post(b"job_2")
        if 0 in {it.verdict for it in inbox.deliveries()}:
            break

    assert [it.verdict for it in inbox.deliveries()].count(0) == 1
    assert inbox.answers == []


def test_a_request_that_arrives_elsewhere_does_not_reach_the_listener(
    inbox: Inbox, post: Posted
) -> None:
    other = Inbox()

    with _listening(other) as post_elsewhere:
        is_reached = inbox.is_reached(lambda: post_elsewhere(b"probe 1"), b"probe 1", 0.01)

    assert (is_reached, inbox.deliveries(), len(other.deliveries())) == (False, [], 1)
    assert inbox.is_reached(lambda: post(b"probe 2"), b"probe 2", 5.0)


@pytest.mark.slow
def test_a_callback_that_leads_elsewhere_ends_the_run(inbox: Inbox, post: Posted) -> None:
    options = VerifyOptions(
        UGC,
        "http://127.0.0.1:1",
        api_key="k",
        callback=f"http://127.0.0.1:{post.port}/",
        callback_listen=f"127.0.0.1:{_free_port()}",
    )

    with pytest.raises(UnreachableError, match="a request to this callback did not arrive at"):
        open_target(options)


def test_a_callback_that_leads_here_is_ready(inbox: Inbox) -> None:
    listens = f"127.0.0.1:{_free_port()}"
    options = VerifyOptions(
        UGC, "http://127.0.0.1:1", api_key="k", callback_listen=listens, callback_secret="whsec_1"
    )

    target = open_target(options)

    callback = target.callback
    assert callback is not None
    assert (callback.url, callback.secret) == (f"http://{listens}/", "whsec_1")
    assert callback.receiver.deliveries() == []
    target.close()


@pytest.mark.parametrize("listens", ["127.0.0.1", "127.0.0.1:0", "nowhere.invalid:8933"])
def test_an_address_that_cannot_be_listened_on_is_refused(listens: str) -> None:
    options = VerifyOptions(UGC, "http://127.0.0.1:1", api_key="k", callback_listen=listens)

    with pytest.raises(NotAllowedError, match=r"no callback|cannot receive on"):
        open_target(options)


@pytest.mark.parametrize(
    ("contract", "field"),
    [
        (UGC, None),
        (ROOT / "examples" / "replicate", "webhook"),
        (ROOT / "examples" / "luma", "callback_url"),
        (ROOT / "examples" / "magic_hour", None),
    ],
)
def test_a_request_names_the_callback_where_the_contract_has_a_field_for_it(
    contract: str | Path, field: str | None
) -> None:
    rules = load_contract(contract).behaviour.webhooks

    assert rules is not None
    assert asked_field(rules) == field

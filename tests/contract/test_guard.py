"""The guard lets nothing pass that was not allowed, even when many ask at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from screentest.contract_tests.targets.costs import Change
from screentest.contract_tests.targets.guard import (
    CreditBudget,
    Guarded,
    ReadOnlyError,
    SpentError,
    price_at_most,
)
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import (
    Live,
    NotAllowedError,
    NotSentError,
    check_address,
)
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.needs import UnableError
from screentest.contract_tests.targets.target import NO_PROMPTS, Identity, OutgoingRequest, Prompts
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.contracts.registry import load_contract

GENERATE = OutgoingRequest(
    "POST", "/api/v1/videos/generate", "", {"content-type": "application/json"}, b'{"prompt":"x"}'
)


def _guarded(budget: CreditBudget, *, is_read_only: bool = False) -> Guarded:
    contract = load_contract("ozor")
    target = InProcessTarget(make_app(contract), contract)
    return Guarded(target, contract, budget, is_read_only)


def _signed(guarded: Guarded) -> OutgoingRequest:
    headers = {**GENERATE.headers, "x-api-key": guarded.owner.keys["api_key"]}
    return OutgoingRequest("POST", GENERATE.path, "", headers, GENERATE.body)


def test_a_budget_is_kept_to_the_credit_under_parallel_load() -> None:
    budget = CreditBudget(25)

    def pay(_: int) -> bool:
        if not budget.reserve(2):
            return False
        budget.settle(2, Change(spent=2))
        return True

    with ThreadPoolExecutor(16) as pool:
        paid = list(pool.map(pay, range(200)))

    assert (sum(paid), budget.spent, budget.reserved) == (12, 24, 0)


def test_a_refused_request_gives_its_reserve_back() -> None:
    budget = CreditBudget(10)

    assert budget.reserve(10)
    budget.settle(10, Change())

    assert (budget.spent, budget.reserved, budget.reserve(10)) == (0, 0, True)


def test_what_the_budget_does_not_cover_never_reaches_the_server() -> None:
    guarded = _guarded(CreditBudget(1))
    wire = _signed(guarded)

    first = guarded.send(wire)
    with pytest.raises(SpentError, match="may cost 1, 0 credits are left"):
        guarded.send(wire)

    assert (first.status, guarded.budget.reserved) == (200, 1)


def test_reading_only_means_reading_only() -> None:
    guarded = _guarded(CreditBudget(None), is_read_only=True)

    with pytest.raises(ReadOnlyError, match="changes something"):
        guarded.send(_signed(guarded))
    with pytest.raises(ReadOnlyError):
        guarded.send(OutgoingRequest("TRACE", "/api/v1/videos"))


def test_prices_come_from_the_contract_and_the_request() -> None:
    contract = load_contract("ugc_copilot")
    body = b'{"data": {"engine": "veo", "quality": "hq", "duration": 8}}'
    headers = {"content-type": "application/json"}

    price = price_at_most(
        contract, OutgoingRequest("POST", "/proxyStartVideoGeneration", "", headers, body)
    )

    assert price == 130


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8787/ozor", "http://localhost:1", "http://[::1]:2"]
)
def test_this_machine_may_be_tested(url: str) -> None:
    check_address(url, is_live=False)


@pytest.mark.parametrize(
    "url",
    ["https://ozor.ai", "http://10.0.0.1", "ftp://127.0.0.1", "nothing", "", "http://"],
)
def test_another_machine_may_not_unless_it_is_meant(url: str) -> None:
    with pytest.raises(NotAllowedError):
        check_address(url, is_live=False)


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://127.0.0.1:x", "no address 'http://127.0.0.1:x': Port could not be cast"),
        ("http://127.0.0.1:99999", "no address 'http://127.0.0.1:99999': Port out of range"),
        ("http://127.0.0.1:0", "no address 'http://127.0.0.1:0': port 0 cannot be connected to"),
        ("http://[::1", "no address 'http://[::1': Invalid IPv6 URL"),
        ("http://127.0.0.1/a b", "no address 'http://127.0.0.1/a b': blanks and letters beyond"),
        ("http://127.0.0.1/é", "no address 'http://127.0.0.1/é': blanks and letters beyond"),
        ("http://127.0.0.1/?a=1", "no address 'http://127.0.0.1/?a=1': leave out what follows"),
        ("http://me:secret@127.0.0.1", "no name or password goes into the address of 127.0.0.1"),
    ],
)
def test_invalid_address_is_refused_with_the_reason(url: str, detail: str) -> None:
    with pytest.raises(NotAllowedError, match=f"^{re.escape(detail)}"):
        check_address(url, is_live=True)


@pytest.mark.parametrize("url", ["http://[::1", "lamp", "http://127.0.0.1:9/a b", "http://h:x/"])
def test_address_that_a_server_makes_up_leaves_rules_open(url: str) -> None:
    live = Live("http://127.0.0.1:9", Identity("owner"))

    with pytest.raises(UnableError, match="^the address .* was handed out, and "):
        live.fetch(url)


@dataclass(slots=True)
class Faltering:
    """A live server that takes Ozor's credit and then answers *statuses*, with Retry-After: 1."""

    statuses: list[int]
    sent: list[OutgoingRequest] = field(default_factory=list[OutgoingRequest])
    waited_ms: list[int] = field(default_factory=list[int])
    name: str = "faltering"
    owner: Identity = field(default_factory=lambda: Identity("owner", {"api_key": "k"}))
    stranger: None = None
    empty: None = None
    revoked: None = None
    callback: None = None
    is_mock: bool = False
    prompts: Prompts = NO_PROMPTS
    sees_credits: bool = False
    controls: None = None
    patience_ms: int = 0

    def credits(self, who: Identity) -> int:
        raise NotImplementedError(who.name)

    def now_ms(self) -> int:
        return 0

    def wait(self, ms: int) -> None:
        self.waited_ms.append(ms)

    def close(self) -> None:
        """Nothing is kept."""

    def fetch(self, url: str) -> Raw:
        raise NotImplementedError(url)

    def send(self, wire: OutgoingRequest) -> Raw:
        self.sent.append(wire)
        status = self.statuses.pop(0)
        if not status:
            raise NotSentError("refused")
        headers = {"retry-after": "1", "content-type": "application/json"}
        return Raw(
            wire.method, wire.path, wire.query, wire.headers, wire.body, status, headers, b"{}", 0
        )


def _live(provider: str, *statuses: int, limit: int | None = None) -> tuple[Guarded, Faltering]:
    target = Faltering(list(statuses))
    return Guarded(target, load_contract(provider), CreditBudget(limit)), target


PAID = OutgoingRequest(
    "POST", GENERATE.path, "", {**GENERATE.headers, "x-api-key": "k"}, GENERATE.body
)
READ = OutgoingRequest("GET", "/api/v1/videos", "", {"x-api-key": "k"})


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_server_that_fails_may_have_charged_and_is_not_asked_again(status: int) -> None:
    guarded, target = _live("ozor", status, limit=1)

    answer = guarded.send(PAID)
    with pytest.raises(SpentError):
        guarded.send(PAID)

    assert (answer.status, len(target.sent), target.waited_ms) == (status, 1, [])
    assert (guarded.budget.spent, guarded.budget.reserved) == (1, 0)


def test_reading_is_repeated_when_a_server_asks_for_patience() -> None:
    guarded, target = _live("ozor", 503, 429, 200)

    answer = guarded.send(READ)

    assert (answer.status, target.waited_ms, guarded.budget.spent) == (200, [1_000, 1_000], 0)


def test_patience_ends_after_three_more_attempts() -> None:
    guarded, target = _live("ozor", 429, 429, 429, 429)

    answer = guarded.send(READ)

    assert (answer.status, len(target.sent)) == (429, 4)


def test_a_paid_request_that_was_refused_for_its_pace_is_repeated() -> None:
    guarded, target = _live("ozor", 429, 500)

    guarded.send(PAID)

    assert (len(target.sent), guarded.budget.spent) == (2, 1)


def test_repeats_of_one_key_are_paid_once() -> None:
    headers = {
        "content-type": "application/json",
        "authorization": "Bearer k",
        "Idempotency-Key": "the-same",
    }
    body = b'{"data": {"engine": "veo", "quality": "hq", "duration": 8}}'
    guarded, target = _live("ugc_copilot", 503, 503, 200)

    guarded.send(OutgoingRequest("POST", "/proxyStartVideoGeneration", "", headers, body))

    assert (len(target.sent), guarded.budget.spent) == (3, 130)


def test_what_never_left_costs_nothing() -> None:
    guarded, _ = _live("ozor", 0)

    with pytest.raises(NotSentError):
        guarded.send(PAID)

    assert (guarded.budget.spent, guarded.budget.reserved) == (0, 0)

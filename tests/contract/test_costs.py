"""The guard settles by what the answers show, and comes to what the server's own ledger says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from screentest.contract_tests.scenarios.scenario import Scenario
from screentest.contract_tests.scenarios.verify import scenarios_of, verify
from screentest.contract_tests.targets.costs import Change, Costs
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessControls, InProcessTarget
from screentest.contract_tests.targets.live import UnreachableError
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.target import Identity, OutgoingRequest
from screentest.contract_tests.traces.trace import Raw
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.registry import load_contract

from .hands import PROVIDERS, guarded_session

RENDER = "proxyStartVideoGeneration"
SEARCH = "proxyFetchTopSellingProducts"
START = "/api/v1/sora/generate/text-to-video/"


@dataclass(slots=True)
class AuditedControls(InProcessControls):
    """Controls that remember the accounts that they made."""

    accounts: list[str] = field(default_factory=list[str])

    def new_identity(
        self, name: str, *, credits: int | None = None, tier: str | None = None
    ) -> Identity:
        made = InProcessControls.new_identity(self, name, credits=credits, tier=tier)
        self.accounts.append(made.account)
        return made


@dataclass(slots=True)
class Audited(InProcessTarget):
    """A world whose ledger is read before it goes: [spent, held] of all its accounts."""

    ledger: list[int] = field(default_factory=lambda: [0, 0])
    audited: AuditedControls = field(init=False)

    def __post_init__(self) -> None:
        InProcessTarget.__post_init__(self)
        world_id = self._controls.world_id
        self.audited = AuditedControls(
            self._client, self.contract.provider, world_id, self.now_ms, accounts=[]
        )
        self._controls = self.audited

    def close(self) -> None:
        for account in self.audited.accounts:
            path = f"{self.controls.path}/accounts/{account}/ledger"
            shown = self._client.control("GET", path)
            self.ledger[0] += shown["spent"]
            self.ledger[1] += shown["held"]
        InProcessTarget.close(self)


class BrokenOff(InProcessTarget):
    """A world whose answers are lost on the way."""

    def send(self, wire: OutgoingRequest) -> Raw:
        InProcessTarget.send(self, wire)
        raise UnreachableError("the connection was cut")


def _run(provider: str, seed: int, scenarios: Sequence[Scenario]) -> tuple[CreditBudget, list[int]]:
    """Run *scenarios*: the budget afterwards, and what the accounts have spent and held."""
    contract = load_contract(provider)
    checks = load_checks(contract)
    app, budget, ledger = make_app(contract), CreditBudget(None), [0, 0]
    verify(
        contract,
        checks,
        lambda: Guarded(Audited(app, contract, seed, ledger=ledger), contract, budget),
        scenarios,
        seed=seed,
    )
    return budget, ledger


def _scenarios(provider: str) -> list[Scenario]:
    contract = load_contract(provider)
    return scenarios_of(contract, load_checks(contract))


def _shows_its_costs(scenario: Scenario) -> bool:
    """Whether no answer is a failure of the server, and no stream is left: both hide a cost."""
    return not scenario.name.startswith(("flow ", "error of "))


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_a_run_spent_is_what_the_ledger_says(provider: str, seed: int) -> None:
    contract = load_contract(provider)
    shown = [it for it in _scenarios(provider) if _shows_its_costs(it)]

    budget, ledger = _run(provider, seed, shown)

    assert [budget.spent, budget.pending] == ledger
    assert (budget.spent > 0) == (contract.behaviour.initial_credits is not None)
    assert budget.reserved == budget.pending


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_cost_that_no_answer_shows_counts_as_spent(provider: str) -> None:
    hidden = [it for it in _scenarios(provider) if not _shows_its_costs(it)]

    budget, ledger = _run(provider, 1, hidden)

    assert budget.spent + budget.pending >= sum(ledger)


def test_a_job_that_is_paid_when_it_succeeds_is_pending_until_then() -> None:
    session, budget = guarded_session("ozor")

    made = session.resources.make("agent_job")
    accepted = (budget.spent, budget.pending)
    session.resources.finish(made)

    assert (accepted, (budget.spent, budget.pending)) == ((0, 1), (1, 0))


@pytest.mark.parametrize(
    ("provider", "kind", "by", "accepted"),
    [
        ("ozor", "agent_job", "generateVideo", (0, 1)),
        ("ugc_copilot", "render", RENDER, (18, 0)),
        ("ulazai", "task", "generateTextToVideo", (70, 0)),
    ],
)
def test_a_job_that_fails_costs_nothing(
    provider: str, kind: str, by: str, accepted: tuple[int, int]
) -> None:
    session, budget = guarded_session(provider)
    session.controls.fail_next(session.owner, by)

    made = session.resources.make(kind)
    before = (budget.spent, budget.pending)
    session.resources.finish(made)

    assert (before, (budget.spent, budget.pending)) == (accepted, (0, 0))


def test_a_job_without_an_observed_end_is_read_once_more() -> None:
    session, budget = guarded_session("ozor")
    session.resources.make("agent_job")
    session.target.wait(3_600_000)

    session.target.close()

    assert (budget.spent, budget.pending) == (1, 0)


def test_a_replay_costs_nothing_until_the_key_is_forgotten() -> None:
    session, budget = guarded_session("ugc_copilot")
    headers = {"Idempotency-Key": "the-same"}

    session.call(RENDER, headers=headers)
    session.call(RENDER, headers=headers)
    repeated = budget.spent
    session.target.wait(86_400_000)
    session.call(RENDER, headers=headers)

    assert (repeated, budget.spent) == (18, 36)


def test_a_length_that_was_cut_costs_what_the_answer_tells() -> None:
    session, budget = guarded_session("ugc_copilot")
    plan = session.plan(RENDER)
    asked = {**plan.json["data"], "engine": "kling", "duration": 400}

    answer = session.call(RENDER, RequestPlan(json={"data": asked}))

    assert (answer.reply["effectiveDuration"], budget.spent) == (15, 59)


def test_the_price_of_a_plan_is_that_of_the_plan_and_not_the_highest() -> None:
    session, budget = guarded_session("ozor")

    made = session.resources.ready("plan")
    cost = made.exchange.reply["plan"]["creditsCost"]
    session.call("generatePlan", ids=made.ids)

    assert 0 < cost < 30
    assert budget.spent == 1 + cost


def test_what_is_free_the_first_time_is_known_only_of_new_accounts() -> None:
    session, budget = guarded_session("ugc_copilot")
    answer = session.call(SEARCH)
    raw = Raw(
        "POST",
        answer.path,
        "",
        {"authorization": "Bearer k"},
        answer.request_body,
        200,
        answer.headers,
        answer.body,
        0,
    )

    of_a_new_observer = Costs(session.contract).change(raw)

    assert (budget.spent, of_a_new_observer) == (0, Change(spent=1))


def test_a_refusal_costs_nothing() -> None:
    session, budget = guarded_session("ulazai")

    answer = session.call("generateTextToVideo", RequestPlan(json={"prompt": ""}))

    assert (answer.status, budget.spent, budget.reserved) == (400, 0, 0)


def test_a_request_whose_answer_is_lost_may_have_been_paid() -> None:
    contract, budget = load_contract("ulazai"), CreditBudget(None)
    target = Guarded(BrokenOff(make_app(contract), contract), contract, budget)
    headers = {
        "content-type": "application/json",
        "authorization": f"Token {target.owner.keys['api_key']}",
    }

    with pytest.raises(UnreachableError):
        target.send(OutgoingRequest("POST", START, "", headers, b'{"prompt": "x"}'))

    assert (budget.spent, budget.reserved) == (70, 0)

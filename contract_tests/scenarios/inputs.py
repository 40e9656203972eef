"""Bad and extreme input for every operation, and the examples of the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from screentest.specs.checks.checks import Checks, Example
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import any_of, cites_violation, is_worded, takes_bad_input
from ..rules.prices import worst_price
from ..rules.rule_ids import RuleId
from ..sessions.made import Made
from ..sessions.pacing import spaced
from ..sessions.session import Session
from ..targets.needs import Need, UnableError
from ..targets.plans import is_directive
from ..targets.target import Identity
from ..traces.expressions import evaluate, is_shown
from ..traces.trace import Exchange
from .odd_requests import UNKNOWN_FIELD, bad_plans, good_plans, same_plans
from .scenario import Scenario, bound
from .walks import cost_of, is_cheaply_read, judge_file

#: Single faults tried per operation; enough for every keyword of the largest body.
_FAULTS_MAX = 60


def inputs(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Bad input for every operation that takes any, and the examples of the checks."""
    for name, operation in contract.operations.items():
        if takes_bad_input(operation):
            plan = checks.requests.get(name, RequestPlan())
            same = sum(1 for _ in same_plans(contract, name, plan))
            edges = 1 + same + sum(1 for _ in good_plans(contract, name, plan))
            starts = contract.behaviour.operations[name].price is not None
            yield Scenario(
                f"input of {name}",
                f"send {name} requests with one fault each",
                bound(_faults, name),
                worst_price(contract, checks, name) + cost_of(contract, checks, prices, name),
                30,
                is_probe=True,
            )
            yield Scenario(
                f"edges of {name}",
                f"send {name} requests at the edge of what is allowed",
                bound(_edges, name),
                edges * worst_price(contract, checks, name)
                + cost_of(contract, checks, prices, name),
                2 * edges,
                needs=frozenset({Need.BUDGET} if edges and starts else ()),
            )
        elif contract.behaviour.operations[name].effect == "read":
            yield Scenario(
                f"call {name}",
                f"call {name} as simply as possible",
                bound(_call, name),
                cost_of(contract, checks, prices, name),
                4,
                is_smoke=is_cheaply_read(contract, checks, name),
            )
    for example in (*checks.refused, *checks.accepted):
        is_refused = bool(example.because) or example.status is not None
        rules = contract.behaviour.operations[example.operation]
        is_free = is_refused or (rules.price is None and rules.starts is None)
        is_ordered = is_directive(example.plan) or is_directive(dict(example.added))
        yield Scenario(
            f"example {example.name}",
            f"{example.operation}: {example.summary}",
            bound(_example, example),
            0 if is_free else sum(prices.values()),
            4,
            needs=frozenset({Need.REFUSAL} if is_ordered else ()),
            is_probe=is_refused,
        )


def _faults(session: Session, name: str) -> None:
    operation, judge = session.contract.operations[name], session.judge
    who = session.wallet.rich("fumbler")
    ids = session.resources.ids_of(name, who=who)
    if ids and session.contract.behaviour.operations[name].effect == "read":
        # The refusals below are then about the fault, not about the resource.
        session.call(name, ids=ids, who=who)
    plans = bad_plans(session.contract, name, session.plan(name))
    for violation, plan in islice(plans, _FAULTS_MAX):
        answer = session.call(name, plan, ids=ids, who=spaced(session, who, name))
        wanted = _statuses_of(session, name, violation)
        seen = f"{answer.status} instead of {any_of(wanted)}"
        detail = f"{violation.message}, and it was answered {seen}"
        judge.check(
            rule_ids.inputs(operation.id),
            detail,
            answer,
            holds=answer.status in wanted,
            is_documented=cites_violation(session.contract, name, violation)
            and (answer.is_success or session.is_cited(name, "invalid")),
        )
        if answer.is_success and not session.is_steered and _is_paid(session, name):
            return  # Each further mistake of the server would be paid for.


def _is_paid(session: Session, name: str) -> bool:
    return session.contract.behaviour.operations[name].price is not None


def _edges(session: Session, name: str) -> None:
    operation, judge = session.contract.operations[name], session.judge
    _smallest(session, judge, name)
    edges = [(it, True) for it in good_plans(session.contract, name, session.plan(name))]
    # How else a request may be written is a matter of JSON and HTTP, and of interpretations.
    ways = [(it, False) for it in same_plans(session.contract, name, session.plan(name))]
    for (what, plan), is_documented in [*edges, *ways]:
        one = session.wallet.rich("precise")
        ids = session.resources.ids_of(name, who=one)
        answer = session.call(name, plan, ids=ids, who=spaced(session, one, name))
        detail = f"{what} is allowed, and it was answered {answer.status}"
        wanted = session.plan(name).answers
        holds = answer.is_success if wanted is None else answer.status == wanted
        if what == UNKNOWN_FIELD and session.contract.behaviour.unknown_fields != "ignore":
            holds = answer.status in session.contract.refusal_statuses("invalid", name)
        rule = rule_ids.inputs(operation.id)
        judge.check(rule, detail, answer, holds=holds, is_documented=is_documented)
        session.resources.finish_all()


def _statuses_of(session: Session, name: str, violation: Violation) -> tuple[int, ...]:
    """The statuses that a request to *name* with this *violation* may have."""
    for it in session.checks.invalid_as:
        is_missing = violation.keyword == "required" and violation.field == it.missing
        if violation.location == it.location or is_missing:
            return (it.status,)
    return session.contract.refusal_statuses("invalid", name)


def _call(session: Session, name: str) -> None:
    session.call(name, ids=session.resources.ids_of(name))


def _smallest(session: Session, judge: Judge, name: str) -> None:
    if name not in session.checks.requests:
        raise UnableError(f"no request of {name} is known that it accepts")
    one = session.wallet.rich("modest")
    fresh = session.contract.behaviour.operations[name].effect == "destructive"
    answer = session.call(name, ids=session.resources.ids_of(name, who=one, fresh=fresh), who=one)
    detail = f"the smallest request was answered {answer.status}"
    wanted = session.plan(name).answers
    holds = answer.is_success if wanted is None else answer.status == wanted
    judge.check(rule_ids.inputs(name), detail, answer, holds=holds)


def _example(session: Session, example: Example) -> None:
    if example.because or example.status is not None:
        _refused_example(session, example)
    else:
        _accepted_example(session, example)


def _refused_example(session: Session, example: Example) -> None:
    wanted = (
        session.contract.refusal_statuses(example.because, example.operation)
        if example.status is None
        else (example.status,)
    )
    ids = session.resources.ids_of(example.operation)
    # With levers the balance is looked at around it: the monitors judge that nothing was taken.
    looks = session.wallet.sees_balances
    if looks:
        session.wallet.balance()
    answer = session.call(example.operation, session.plan_of(example), ids=ids)
    if looks:
        session.wallet.balance()
    rule = rule_ids.example(example.name)
    session.judge_refusal(rule, example.summary, answer, reason=example.because, wanted=wanted)
    _shows(session, rule, example.shows, answer)


def _accepted_example(session: Session, example: Example) -> None:
    who = session.wallet.rich("asker")
    plan, rule = session.plan_of(example), rule_ids.example(example.name)
    ids = session.resources.ids_of(example.operation, who=who)
    before = (
        session.wallet.balance(who)
        if example.costs is not None and session.wallet.sees_balances
        else None
    )
    spaced(session, who, example.operation)
    answer = session.call(example.operation, plan, ids=ids, who=who)
    detail = f"it was answered {answer.status}"
    if not session.judge.check(rule, detail, answer, holds=answer.is_success):
        return
    _shows(session, rule, example.shows, answer)
    last = _finished(session, example, answer, who, ids)
    if last is not None and example.finally_shows:
        _shows(session, rule, example.finally_shows, last[1])
        judge_file(session, *last)
    if before is not None:
        after = session.wallet.balance(who)
        spent = before.total - after.total
        detail = f"{spent} credits were taken; it costs {example.costs}"
        session.judge.check(rule, detail, answer, holds=spent == example.costs)


def _finished(
    session: Session, example: Example, answer: Exchange, who: Identity, ids: Mapping[str, Json]
) -> tuple[Made, Exchange] | None:
    """What an accepted example made, and the last answer about it; None where it makes nothing."""
    make = next((it for it in session.resources.makes_of(example.operation) if it.read), None)
    if make is None or answer.is_stream:
        return None
    made: Made = session.resources.made_by(make, answer, who, ids)
    polls = session.resources.finish(made)
    return made, polls[-1] if polls else session.resources.read(made)


def _shows(session: Session, rule: RuleId, wanted: Mapping[str, Json], exchange: Exchange) -> None:
    judge = session.judge
    is_documented = is_worded(session.contract, judge.silence, exchange.operation, exchange)
    for at, value in wanted.items():
        found = evaluate(at, exchange)
        detail = f"{at} is {found!r}, wanted was {value!r}"
        holds = is_shown(value, found)
        judge.check(rule, detail, exchange, holds=holds, is_documented=is_documented)

"""Bad and extreme input for every operation, and the examples of the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.checks.checks import Checks, Example, Make
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.validation import Violation

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import takes_bad_input
from ..rules.rule_ids import RuleId
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.target import Identity
from ..traces.expressions import evaluate, is_shown
from ..traces.trace import Exchange
from .odd_requests import bad_plans, good_plans
from .pacing import spaced
from .scenario import Scenario, bound
from .walks import cost_of, is_cheaply_read

#: Single faults tried per operation; enough for every keyword of the largest body.
_FAULTS_MAX = 60


def inputs(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Bad input for every operation that takes any, and the examples of the checks."""
    for name, operation in contract.operations.items():
        if takes_bad_input(operation):
            yield Scenario(
                f"input of {name}",
                f"send {name} requests with one fault each",
                bound(_faults, name),
                sum(prices.values()),
                30,
                needs_controls=True,
                is_probe=True,
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
    for number, example in enumerate((*checks.refused, *checks.accepted)):
        is_refused = bool(example.because) or example.status is not None
        rules = contract.behaviour.operations[example.operation]
        is_free = is_refused or (rules.price is None and rules.starts is None)
        yield Scenario(
            f"example {number + 1}",
            f"{example.operation}: {example.summary}",
            bound(_example, example),
            0 if is_free else sum(prices.values()),
            4,
            needs_controls=not is_refused and not is_free,
            is_probe=is_refused,
        )


def _faults(session: Session, name: str) -> None:
    operation, judge = session.contract.operations[name], session.judge
    _smallest(session, judge, name)
    who = session.wallet.rich("fumbler")
    ids = session.resources.ids_of(name, who=who)
    for number, (violation, plan) in enumerate(bad_plans(session, name)):
        if number == _FAULTS_MAX:
            break
        answer = session.call(name, plan, ids=ids, who=spaced(session, who, name))
        refused = _status_of(session, violation)
        detail = f"{violation.message}, and it was answered {answer.status} instead of {refused}"
        holds = answer.status == refused
        judge.check(rule_ids.inputs(operation.id), detail, answer, holds=holds)
    for what, plan in good_plans(session, name):
        one = session.wallet.rich("precise")
        answer = session.call(name, plan, ids=session.resources.ids_of(name, who=one), who=one)
        detail = f"{what} is allowed, and it was answered {answer.status}"
        wanted = session.plan(name).answers
        holds = answer.is_success if wanted is None else answer.status == wanted
        judge.check(rule_ids.inputs(operation.id), detail, answer, holds=holds)


def _status_of(session: Session, violation: Violation) -> int:
    """The status of a request with this *violation*."""
    for it in session.checks.invalid_as:
        is_missing = violation.keyword == "required" and violation.field == it.missing
        if violation.location == it.location or is_missing:
            return it.status
    return session.contract.behaviour.status_of("invalid")


def _call(session: Session, name: str) -> None:
    session.call(name, ids=session.resources.ids_of(name))


def _smallest(session: Session, judge: Judge, name: str) -> None:
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
    refusals = session.contract.behaviour.refusals
    status = example.status or refusals[example.because].status
    ids = session.resources.ids_of(example.operation)
    # With controls the balance is read before and after: monitors judge that it did not change.
    looks = session.wallet.has_money and session.target.controls is not None
    if looks:
        session.wallet.balance()
    answer = session.call(example.operation, session.plan_of(example), ids=ids)
    if looks:
        session.wallet.balance()
    detail = f"it was answered {answer.status} instead of {status}"
    rule = rule_ids.example(example.name)
    session.judge.check(rule, detail, answer, holds=answer.status == status)
    _shows(session, rule, example.shows, answer)


def _accepted_example(session: Session, example: Example) -> None:
    who = session.wallet.rich("asker") if session.target.controls is not None else session.owner
    plan, rule = session.plan_of(example), rule_ids.example(example.name)
    ids = session.resources.ids_of(example.operation, who=who)
    before = (
        session.wallet.balance(who)
        if example.costs is not None and session.wallet.has_money
        else None
    )
    answer = session.call(example.operation, plan, ids=ids, who=who)
    detail = f"it was answered {answer.status}"
    if not session.judge.check(rule, detail, answer, holds=answer.is_success):
        return
    _shows(session, rule, example.shows, answer)
    last = _finished(session, example, answer, who, ids)
    if last is not None and example.finally_shows:
        _shows(session, rule, example.finally_shows, last)
    if before is not None:
        after = session.wallet.balance(who)
        spent = before.total - after.total
        detail = f"{spent} credits were taken; it costs {example.costs}"
        session.judge.check(rule, detail, answer, holds=spent == example.costs)


def _finished(
    session: Session, example: Example, answer: Exchange, who: Identity, ids: Mapping[str, Json]
) -> Exchange | None:
    """The last answer about the resource of an accepted example; None if it makes none."""
    make = _make_of(session, example.operation)
    if make is None or answer.is_stream:
        return None
    made: Made = session.resources.made_by(make, answer, who, ids)
    polls = session.resources.finish(made)
    return polls[-1] if polls else session.resources.read(made)


def _make_of(session: Session, operation: str) -> Make | None:
    """How to read the resource that *operation* starts; another operation may start it too."""
    kind = session.contract.behaviour.operations[operation].starts
    makes = [it for it in session.checks.makes.values() if it.read]
    own = [it for it in makes if it.by == operation]
    return next(iter(own or [it for it in makes if it.kind == kind]), None)


def _shows(session: Session, rule: RuleId, wanted: Mapping[str, Json], exchange: Exchange) -> None:
    for at, value in wanted.items():
        found = evaluate(at, exchange)
        detail = f"{at} is {found!r}, wanted was {value!r}"
        session.judge.check(rule, detail, exchange, holds=is_shown(value, found))

"""Prices, refusals without enough credits, and refunds of failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from screentest.specs.behaviour.lifecycles import Kind
from screentest.specs.behaviour.prices import Moment
from screentest.specs.checks.checks import Checks, Make
from screentest.specs.checks.views import View
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import any_of
from ..rules.prices import worst_price
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..targets.target import Identity
from ..traces.expressions import evaluate, has_value
from ..traces.trace import Exchange
from .odd_requests import bad_plans
from .scenario import STEERED, Scenario, bound
from .walks import cost_of

_SEEN = frozenset({Need.BALANCE})
_HOUR_MS = 3_600_000


def moneys(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about the price of each operation; none for a provider without credits."""
    if contract.behaviour.initial_credits is None:
        return
    total = sum(prices.values())
    for name, rules in contract.behaviour.operations.items():
        if rules.price is None:
            continue
        worst = worst_price(contract, checks, name)
        is_seen = frozenset() if shows_money(checks, name) else _SEEN
        least = 2 * worst + cost_of(contract, checks, prices, name)
        detail = f"pay for {name}, and look at the balance"
        yield Scenario(f"price of {name}", detail, bound(_price, name), least, 8, needs=is_seen)
        detail = f"a refused {name} costs nothing"
        yield Scenario(f"refusals of {name}", detail, bound(_refused, name), total, 4, needs=_SEEN)
        if rules.price.formula.text != "0":
            detail = f"{name} with one credit too few, then enough"
            needs = frozenset({Need.EMPTY_ACCOUNT})
            yield Scenario(
                f"credits for {name}", detail, bound(_short, name), worst, 10, needs=needs
            )
            if "server_error" in contract.behaviour.refusals:
                detail = f"a {name} that ends in a server error costs nothing in the end"
                run = bound(_server_error, name)
                yield Scenario(f"error of {name}", detail, run, total, 4, needs=STEERED)
        if rules.starts is not None and rules.price.moment is not Moment.ANSWER:
            detail, needs = f"a {name} that fails gives its credits back", _SEEN | {Need.FAILURE}
            yield Scenario(
                f"refund of {name}", detail, bound(_failure, name), total, 10, needs=needs
            )
    yield Scenario("what is free", "call what has no price", _free, total, 10, needs=_SEEN)


def shows_money(checks: Checks, name: str) -> bool:
    """Whether the answers of *name* show its price or the balance."""
    return any(view.charged or view.balance for view in checks.views.get(name, ()))


def _prepared(session: Session, name: str) -> tuple[Identity, dict[str, Json], Made | None]:
    """An account with the resources on which *name* acts, paid for before the balance is read."""
    who = session.wallet.rich("payer")
    maker = session.resources.maker_for(name)
    made = None if maker is None else session.resources.ready(maker.kind, who=who)
    session.resources.finish_all()  # so that no other job is paid meanwhile
    return who, dict(made.ids) if made is not None else {}, made


def _price(session: Session, name: str) -> None:
    if not session.is_steered and shows_money(session.checks, name):
        _pay_twice(session, name)
    if not session.wallet.sees_balances:
        return
    who, ids, needed = _prepared(session, name)
    facts = session.checks.price_facts.get(name, {}).values()
    if not session.is_steered and any(fact.counts_calls for fact in facts):
        session.call(name, ids=ids, who=who)  # The calls before this run are not known.
    # A price that depends on earlier calls shows it only when there were some.
    for _ in range(3 if any(fact.counts_calls for fact in facts) else 1):
        _pay(session, name, who, ids, needed)


def _pay_twice(session: Session, name: str) -> None:
    """Two paid calls, with refusals and free calls between them; `Figures` judges the answers."""
    ids = session.resources.ids_of(name)
    for _ in range(2):
        session.resources.finish_all()
        answer = session.call(name, ids=ids)
        if not answer.is_success:
            raise UnableError(f"{name} was refused: {answer.status}")
        make = next((it for it in session.checks.makes.values() if it.by == name), None)
        if make is not None:
            session.resources.finish(session.resources.made_by(make, answer, session.owner, ids))
        for _, plan in islice(bad_plans(session.contract, name, session.plan(name)), 3):
            session.call(name, plan, ids=ids)


def _pay(
    session: Session, name: str, who: Identity, ids: dict[str, Json], needed: Made | None
) -> None:
    plan = session.plan(name)
    cost = session.wallet.price(name, plan, needed, who)
    before = session.wallet.balance(who)
    answer = session.call(name, plan, ids=ids, who=who)
    if not answer.is_success:
        raise UnableError(f"{name} was refused: {answer.status}")
    after = session.wallet.balance(who)
    moment = _moment(session, name)
    rule = rule_ids.money(name, "price")
    is_later = moment is Moment.COMPLETION and not answer.is_stream
    wanted = before.total if is_later else before.total - cost
    detail = f"{before.total} credits became {after.total}; it costs {cost} at {moment.value}"
    session.judge.check(rule, detail, answer, holds=after.total == wanted)
    if session.is_steered:
        _shown_price(session, name, answer, cost, after.available)
    _wait_for_all(session, answer)
    last = session.wallet.balance(who)
    detail = f"{before.total} credits became {last.total} in the end; it costs {cost}"
    session.judge.check(rule, detail, answer, holds=last.total == before.total - cost)


def _moment(session: Session, name: str) -> Moment:
    price = session.contract.behaviour.operations[name].price
    assert price is not None, name
    return price.moment


def _shown_price(session: Session, name: str, answer: Exchange, cost: int, available: int) -> None:
    """Compare the price and the balance in an answer with those that were observed."""
    for view in session.checks.views.get(name, ()):
        rule = rule_ids.money(name, "shown")
        for at, value in ((view.charged, cost), (view.balance, available)):
            shown = evaluate(at, answer) if at else None
            if at:
                detail = f"{at} is {shown!r}; it is {value}"
                session.judge.check(rule, detail, answer, holds=shown == value)


def _wait_for_all(session: Session, answer: Exchange) -> None:
    """Wait until all jobs that *answer* started have ended; reads what it can meanwhile."""
    if not session.is_steered:
        session.resources.finish_all()
        return
    make = next((it for it in session.checks.makes.values() if it.by == answer.operation), None)
    for _ in range(200):
        due_ms = session.controls.next_due_ms()
        if due_ms is None:
            break
        session.target.wait(max(1, due_ms - session.target.now_ms()))
    if make is None:
        session.target.wait(1_000)


def _short(session: Session, name: str) -> None:
    check = session.judge.check
    if not session.is_steered:
        _refused_when_empty(session, name)
        return
    who, ids, needed = _prepared(session, name)
    cost = session.wallet.price(name, None, needed, who)
    if cost == 0:
        # Some operations are free the first time.
        session.call(name, ids=ids, who=who)
        cost = session.wallet.price(name, None, needed, who)
    if cost == 0:
        raise UnableError(f"the smallest {name} is free")
    wanted = session.contract.refusal_statuses("insufficient_credits", name)
    session.wallet.set_credits(who, cost - 1)
    listed = _listed(session, name, who)
    before = session.wallet.balance(who)
    refused = session.call(name, ids=ids, who=who)
    seen = f"{refused.status}, not {any_of(wanted)}"
    detail = f"with {cost - 1} of {cost} credits it was answered {seen}"
    check(rule_ids.money(name, "short"), detail, refused, holds=refused.status in wanted)
    session.target.wait(3_600_000)
    after = session.wallet.balance(who)
    detail = f"the refusal changed {before.total} credits to {after.total}"
    check(rule_ids.money(name, "short"), detail, refused, holds=before.total == after.total)
    now = _listed(session, name, who)
    detail = "what was refused for want of credits is listed"
    check(rule_ids.money(name, "short"), detail, refused, holds=listed == now)
    session.wallet.set_credits(who, cost)
    accepted = session.call(name, ids=ids, who=who)
    detail = f"with {cost} of {cost} credits it was answered {accepted.status}"
    check(rule_ids.money(name, "enough"), detail, accepted, holds=accepted.is_success)
    if accepted.is_success:
        _wait_for_all(session, accepted)
        left = session.wallet.balance(who)
        detail = f"{left.total} credits are left of {cost}"
        check(rule_ids.money(name, "enough"), detail, accepted, holds=left.total == 0)


def _refused_when_empty(session: Session, name: str) -> None:
    """An account without credits is refused, and nothing is made for it."""
    who, maker = session.empty, session.resources.maker_for(name)
    needed = session.resources.ready(maker.kind, who=who) if maker is not None else None
    ids: Mapping[str, Json] = needed.ids if needed is not None else {}
    if session.wallet.price(name, None, needed, who) == 0:
        session.call(name, ids=ids, who=who)  # Some things are free the first time.
    if session.wallet.price(name, None, needed, who) == 0:
        raise UnableError(f"the smallest {name} is free")
    listed = _listed(session, name, who)
    refused = session.call(name, ids=ids, who=who)
    wanted = session.contract.refusal_statuses("insufficient_credits", name)
    rule = rule_ids.money(name, "short")
    detail = "without credits"
    session.judge_refusal(rule, detail, refused, reason="insufficient_credits", wanted=wanted)
    detail = "what was refused for want of credits is listed"
    session.judge.check(rule, detail, refused, holds=listed == _listed(session, name, who))
    raise NeedError(Need.STEERING)  # for a balance that just suffices


def _listed(session: Session, name: str, who: Identity) -> Json:
    """The list of the resources that *name* makes; None where there is no list."""
    for rules in session.checks.lists.values():
        if session.checks.makes[rules.of].by == name:
            items = evaluate(rules.items, session.call(rules.operation, who=who))
            return len(items) if isinstance(items, list) else None
    return None


def _refused(session: Session, name: str) -> None:
    who, ids, _ = _prepared(session, name)
    before = session.wallet.balance(who)
    sent: list[Exchange] = []
    for _, plan in bad_plans(session.contract, name, session.plan(name)):
        sent.append(session.call(name, plan, ids=ids, who=who))
        if len(sent) == 3:
            break
    if not sent:
        sent.append(session.call(name, ids=dict.fromkeys(ids, "0"), who=who))
    _wait_an_hour(session)
    after = session.wallet.balance(who)
    detail = f"refusals changed {before.total} credits to {after.total}"
    holds = before.total == after.total or any(it.is_success for it in sent)
    session.judge.check(rule_ids.money(name, "refused"), detail, *sent[:2], holds=holds)


def _failure(session: Session, name: str) -> None:
    who, ids, needed = _prepared(session, name)
    cost = session.wallet.price(name, None, needed, who)
    plan = None if session.is_steered else session.failing_plan(name)
    if plan is None:
        session.controls.fail_next(who, name)
    before = session.wallet.balance(who)
    answer = session.call(name, plan, ids=ids, who=who)
    if not answer.is_success:
        raise UnableError(f"{name} was refused: {answer.status}")
    make = next((it for it in session.resources.makes_of(name) if it.read is not None), None)
    last = answer
    if make is not None and not answer.is_stream:
        made = session.resources.made_by(make, answer, who, ids, needed)
        polls = session.resources.finish(made)
        last = polls[-1] if polls else answer
    else:
        _wait_for_all(session, answer)
    if plan is not None and (make is None or not _has_failed(session, make, last)):
        raise NeedError(Need.FAILURE, message="the text of --failing-prompt made no job fail")
    # The balance is read right after the first answer that shows the failure.
    after = session.wallet.balance(who)
    detail = f"{before.total} credits became {after.total} although it failed; it costs {cost}"
    rule = rule_ids.money(name, "failure")
    session.judge.check(rule, detail, answer, last, holds=before.total == after.total)
    _shown_refund(session, last, cost)
    if make is not None and not answer.is_stream:
        session.target.wait(60_000)
        session.call(
            make.read or name,
            ids=session.resources.made_by(make, answer, who, ids, needed).ids,
            who=who,
        )
    _wait_an_hour(session)
    later = session.wallet.balance(who)
    detail = f"{before.total} credits became {later.total} an hour after the failure"
    session.judge.check(rule, detail, answer, last, holds=before.total == later.total)


def _has_failed(session: Session, make: Make, last: Exchange) -> bool:
    return session.shown.kind_seen(make.kind, last) is Kind.FAILED


def _wait_an_hour(session: Session) -> None:
    """Wait for what comes late, where waiting takes no time."""
    if session.is_steered:
        session.target.wait(_HOUR_MS)


def _shown_refund(session: Session, last: Exchange, cost: int) -> None:
    view: View
    for view in session.checks.views.get(last.operation, ()):
        shown = evaluate(view.refunded, last) if view.refunded else None
        if view.refunded and has_value(shown):
            detail = f"{view.refunded} is {shown!r}; {cost} was paid"
            rule = rule_ids.money(last.operation, "shown")
            session.judge.check(rule, detail, last, holds=shown == cost)


def _server_error(session: Session, name: str) -> None:
    who, ids, _ = _prepared(session, name)
    session.controls.break_next(who, name)
    before = session.wallet.balance(who)
    answer = session.call(name, ids=ids, who=who)
    session.target.wait(_HOUR_MS)
    after = session.wallet.balance(who)
    wanted = session.contract.refusal_statuses("server_error", name)
    detail = f"{before.total} credits became {after.total}, and it was answered {answer.status}"
    holds = answer.status in wanted and before.total == after.total
    session.judge.check(rule_ids.money(name, "error"), detail, answer, holds=holds)


def _free(session: Session) -> None:
    """Call every operation without a price, one after the other, without running jobs."""
    who = session.wallet.rich("reader")
    for name, rules in session.contract.behaviour.operations.items():
        if rules.price is not None or rules.effect == "billable":
            continue
        try:
            ids = session.resources.ids_of(name, who=who, fresh=rules.effect == "destructive")
        except UnableError:
            continue
        _wait_for_all(session, session.call(name, ids=ids, who=who))
        before = session.wallet.balance(who)
        answer = session.call(name, ids=ids, who=who)
        after = session.wallet.balance(who)
        detail = f"{name} changed {before.total} credits to {after.total}"
        session.judge.check(rule_ids.MONEY_FREE, detail, answer, holds=before.total == after.total)

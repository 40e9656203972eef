"""Lists: complete, in order, in pages, and without resources of other accounts."""

from __future__ import annotations

from collections.abc import Iterator

from screentest.specs.checks.checks import Checks, ListRules
from screentest.specs.checks.request_plan import RequestPlan
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.rule_ids import RuleId
from ..sessions.session import Session
from ..targets.needs import UnableError
from ..targets.target import Identity
from ..traces.expressions import Scope, evaluate, has_value
from ..traces.trace import Exchange
from .scenario import Scenario, bound

#: Resources that a scenario makes.
_LISTED = 4


def lists(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """One scenario for each operation that lists."""
    for name, rules in checks.lists.items():
        cost = prices[rules.of] * _LISTED
        yield Scenario(
            f"list {name}",
            f"make {_LISTED} and look how {name} lists them",
            bound(_lists, name),
            cost,
            14,
        )


def _lists(session: Session, name: str) -> None:
    rules, who = session.checks.lists[name], session.wallet.rich("lister")
    made: list[str] = []
    for _ in range(_LISTED):
        one = session.resources.make(rules.of, who=who)
        if rules.named not in one.ids:
            raise UnableError(f"the answer of {one.make.by} shows no {rules.named}")
        made.append(str(one.ids[rules.named]))
        session.target.wait(2_000)
    answer = session.call(name, who=who)
    shown = _ids(rules, answer)
    missing = [it for it in made if it not in shown]
    detail = f"{missing[:1]} was made and is not listed"
    session.judge.check(rule_ids.listing(name, "complete"), detail, answer, holds=not missing)
    _judge_count(session, rules, rule_ids.listing(name, "complete"), who, len(shown))
    if rules.newest_first:
        known = [it for it in shown if it in made]
        detail = f"listed as {known}, made as {made}"
        holds = known == list(reversed(made))
        session.judge.check(rule_ids.listing(name, "order"), detail, answer, holds=holds)
    if rules.limit:
        short = session.call(name, RequestPlan(query={rules.limit: 2}), who=who)
        detail = f"{len(_ids(rules, short))} items with a limit of 2"
        holds = _ids(rules, short) == shown[:2]
        session.judge.check(rule_ids.listing(name, "limit"), detail, short, holds=holds)
    if rules.after:
        _pages(session, rules, who, shown)
    if not session.contract.operations[name].security:
        return
    foreign = session.call(name, who=session.stranger)
    detail = f"{made[0]} is listed to another account"
    hidden = not set(_ids(rules, foreign)) & set(made)
    rule = rule_ids.own(name, "hidden")
    session.judge.check(rule, detail, foreign, holds=hidden)
    _judge_count(session, rules, rule, session.stranger, len(_ids(rules, foreign)))


def _judge_count(
    session: Session, rules: ListRules, rule: RuleId, who: Identity, listed: int
) -> None:
    """Compare the number that another operation shows with the *listed* resources of *who*."""
    if rules.counted_by is None:
        return
    counted = session.call(rules.counted_by.operation, who=who)
    count = evaluate(rules.counted_by.at, counted)
    detail = f"{count!r} are counted, {listed} are listed"
    session.judge.check(rule, detail, counted, holds=count == listed)


def _pages(session: Session, rules: ListRules, who: Identity, shown: list[str]) -> None:
    """Read pages of one item; every item occurs once, in the order of the whole list."""
    seen: list[str] = []
    query: dict[str, Json] = {rules.limit: 1}
    answer: Exchange | None = None
    for _ in range(len(shown) + 1):
        answer = session.call(rules.operation, RequestPlan(query=query), who=who)
        page = _ids(rules, answer)
        seen += page
        if not page or not evaluate(rules.more, answer):
            break
        query = {rules.limit: 1, rules.after: page[-1]}
    detail = f"the pages showed {seen}, the whole {shown}"
    if answer is not None:
        session.judge.check(
            rule_ids.listing(rules.operation, "pages"), detail, answer, holds=seen == shown
        )


def _ids(rules: ListRules, exchange: Exchange) -> list[str]:
    items = evaluate(rules.items, exchange)
    if not isinstance(items, list):
        return []
    found = [evaluate(rules.id, exchange, Scope(item=item)) for item in items]
    return [str(it) for it in found if has_value(it)]

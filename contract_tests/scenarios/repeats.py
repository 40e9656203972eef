"""Rules that need more than one request: repeated keys and rate windows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from screentest.specs.behaviour.call_limits import Idempotency, RateWindow
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import (
    any_of,
    jobs_at_once,
    names_needed,
    windows_apart,
    windows_in_force,
)
from ..sessions.pacing import spaced
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..targets.target import Identity
from ..traces.trace import Exchange
from .scenario import Scenario, bound


def repeats(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about idempotency and rates, where a provider has them."""
    behaviour = contract.behaviour
    total = sum(prices.values())
    if behaviour.idempotency is not None:
        for name in sorted(behaviour.idempotency.operations):
            if name in checks.requests:
                yield Scenario(
                    f"repeats of {name}",
                    f"send {name} twice with one key",
                    bound(_idempotency, name),
                    2 * total,
                    11,
                    needs=frozenset({Need.BUDGET}),
                )
    for window in windows_in_force(contract):
        yield Scenario(
            f"rate of {window.name}",
            f"send {window.limit + 1} calls at once",
            bound(_rate, window),
            window.limit * total,
            window.limit * 2 + 6 + len(windows_apart(contract, checks, window)),
            2 * window.per_ms,
            needs=frozenset({Need.BUDGET}),
            longest_wait_ms=window.per_ms,
            is_hasty=True,
        )


#: In the server's time; a longer answer leaves open in which second a call counted.
_SLOW_MS = 500


# Idempotency


def _idempotency(session: Session, name: str) -> None:
    rules = session.contract.behaviour.idempotency
    assert rules is not None
    who = session.wallet.rich("repeater")
    ids = session.resources.ids_of(name, who=who)
    key = {rules.header: f"kit-{name}-{session.run_id}"}
    if not session.is_steered:
        _repeated(session, name, ids, who, key)
        return
    before = session.wallet.balance(who)
    first = session.call(name, ids=ids, who=who, headers=key)
    if not first.is_success:
        raise UnableError(f"{name} was refused: {first.status}")
    paid = session.wallet.balance(who)
    again = session.call(name, ids=ids, who=who, headers=key)
    after = session.wallet.balance(who)
    check = session.judge.check
    detail = f"{first.status} became {again.status}, or the body differs"
    same = (first.status, first.body) == (again.status, again.body)
    check(rule_ids.idempotency("replay"), detail, first, again, holds=same)
    detail = f"{before.total} credits became {paid.total}, and {after.total} after the repeat"
    check(rule_ids.idempotency("once"), detail, first, again, holds=paid.total == after.total)
    _conflict(session, name, ids, who, key)
    if before.total == paid.total:
        return  # A free call does not show whether it was done again.
    _other_key(session, name, ids, who)
    _scope(session, name, rules, first)
    _kept_refusal(session, name, rules)
    _expiry(session, name, ids, who, rules)


def _repeated(
    session: Session, name: str, ids: Mapping[str, Json], who: Identity, key: Mapping[str, str]
) -> None:
    """What answers alone show of a repeated key: the same job, and another one for another key."""
    rules = session.contract.behaviour.idempotency
    assert rules is not None
    check = session.judge.check
    first = session.call(name, ids=ids, who=who, headers=key)
    if not first.is_success:
        raise UnableError(f"{name} was refused: {first.status}")
    again = session.call(name, ids=ids, who=who, headers=key)
    detail = f"{first.status} became {again.status}, or the body differs"
    same = (first.status, first.body) == (again.status, again.body)
    check(rule_ids.idempotency("replay"), detail, first, again, holds=same)
    _conflict(session, name, ids, who, key)
    make = next((it for it in session.checks.makes.values() if it.by == name), None)
    if make is None:
        return

    def job_of(answer: Exchange) -> str:
        return session.resources.made_by(make, answer, who, ids).own_id

    detail = "the same key made a second job"
    check(rule_ids.idempotency("once"), detail, first, again, holds=job_of(first) == job_of(again))
    other = session.call(name, ids=ids, who=who, headers={rules.header: f"{key[rules.header]}-b"})
    if other.is_success:
        detail = "another key gave the same job"
        check(rule_ids.idempotency("other"), detail, other, holds=job_of(first) != job_of(other))
    stranger = session.stranger
    its = session.resources.ids_of(name, who=stranger)
    theirs = session.call(name, ids=its, who=stranger, headers=key)
    if theirs.is_success:
        detail = "another account with the same key got the same answer"
        check(rule_ids.idempotency("scope"), detail, first, theirs, holds=theirs.body != first.body)
    raise NeedError(Need.STEERING)  # for the rules about refusals and expiry


def _other_key(session: Session, name: str, ids: Mapping[str, Json], who: Identity) -> None:
    rules = session.contract.behaviour.idempotency
    assert rules is not None
    before = session.wallet.balance(who)
    answer = session.call(name, ids=ids, who=who, headers={rules.header: f"kit-{name}-2"})
    after = session.wallet.balance(who)
    detail = f"{before.total} credits became {after.total} after another key"
    holds = answer.is_success and after.total < before.total
    session.judge.check(rule_ids.idempotency("other"), detail, answer, holds=holds)


def _conflict(
    session: Session, name: str, ids: Mapping[str, Json], who: Identity, key: Mapping[str, str]
) -> None:
    other = session.other_plan(name, lambda text: f"{text}, again")
    if other is None:
        return
    answer = session.call(name, other, ids=ids, who=who, headers=key)
    wanted = session.contract.refusal_statuses("idempotency_mismatch", answer.operation)
    detail = f"another body was answered {answer.status} instead of {any_of(wanted)}"
    session.judge.check(
        rule_ids.idempotency("conflict"), detail, answer, holds=answer.status in wanted
    )


def _scope(session: Session, name: str, rules: Idempotency, first: Exchange) -> None:
    other = session.wallet.rich("namesake")
    ids = session.resources.ids_of(name, who=other)
    key = {rules.header: first.request_headers[rules.header]}
    before = session.wallet.balance(other)
    answer = session.call(name, ids=ids, who=other, headers=key)
    after = session.wallet.balance(other)
    detail = f"another account with the same key was answered {answer.status} with the same body"
    holds = answer.is_success and before.total != after.total
    if first.operation in {it.by for it in session.checks.makes.values()}:
        holds = holds and answer.body != first.body
    session.judge.check(rule_ids.idempotency("scope"), detail, first, answer, holds=holds)


def _kept_refusal(session: Session, name: str, rules: Idempotency) -> None:
    poor = session.wallet.rich("poor")
    ids = session.resources.ids_of(name, who=poor)
    key = {rules.header: f"kit-{name}-poor"}
    session.wallet.set_credits(poor, 0)
    refused = session.call(name, ids=ids, who=poor, headers=key)
    session.wallet.set_credits(poor, 100_000)
    accepted = session.call(name, ids=ids, who=poor, headers=key)
    detail = f"refused with {refused.status}, and {accepted.status} after the credits came"
    is_kept = accepted.status == 402 if rules.keeps_refusals else accepted.is_success
    holds = refused.status == 402 and is_kept
    session.judge.check(rule_ids.idempotency("refusals"), detail, refused, accepted, holds=holds)


def _expiry(
    session: Session, name: str, ids: Mapping[str, Json], who: Identity, rules: Idempotency
) -> None:
    key = {rules.header: f"kit-{name}-old"}
    first = session.call(name, ids=ids, who=who, headers=key)
    session.target.wait(rules.keeps_ms - 1_000)
    before = session.wallet.balance(who)
    kept = session.call(name, ids=ids, who=who, headers=key)
    between = session.wallet.balance(who)
    session.target.wait(2_000)
    fresh = session.call(name, ids=ids, who=who, headers=key)
    after = session.wallet.balance(who)
    detail = "a second before its end the key was not kept"
    holds = kept.body == first.body and before.total == between.total
    session.judge.check(rule_ids.idempotency("expiry"), detail, first, kept, holds=holds)
    detail = "a second after its end the key was still kept"
    holds = fresh.is_success and after.total < between.total
    session.judge.check(rule_ids.idempotency("expiry"), detail, first, fresh, holds=holds)


# Rates


def _rate(session: Session, window: RateWindow) -> None:
    name = _cheapest(session, window)
    if jobs_at_once(session.contract, name) <= window.limit:
        raise UnableError(f"{window.name} lets more calls of {name} through than can run at once")
    who = session.wallet.rich("hasty", tier=_widest_tier(session))
    ids = session.resources.ids_of(name, who=who)
    # What another scenario has sent is older by more than the two clocks can differ.
    session.target.wait(window.per_ms + 2_000)
    check, limit = session.judge.check, window.limit

    def send(times: int) -> list[Exchange]:
        return [
            session.call(name, ids=ids, who=spaced(session, who, name, but=window))
            for _ in range(times)
        ]

    half = limit // 2
    answers = send(half)
    halfway_ms = session.target.now_ms()
    session.target.wait(window.per_ms // 2)
    answers += send(limit - half)
    wanted = session.contract.refusal_statuses("rate_limited", name)
    passed = [it for it in answers if it.status not in wanted]
    starts = session.contract.behaviour.operations[name].starts
    if not session.is_steered and starts and len(passed) < limit:
        raise NeedError(Need.TIER)  # as many jobs do not run at once
    detail = f"{len(passed)} of {limit} calls passed"
    check(rule_ids.rate(window.name, "limit"), detail, answers[-1], holds=len(passed) == limit)
    over = send(1)[0]
    if over.ended_ms - answers[0].at_ms >= window.per_ms:
        raise UnableError(f"{limit + 1} calls took longer than {window.per_ms // 1_000} s")
    detail = f"call {limit + 1} was answered {over.status} instead of {any_of(wanted)}"
    check(rule_ids.rate(window.name, "refuses"), detail, over, holds=over.status in wanted)
    _others_of_rate(session, window, who, wanted)
    if session.is_steered or session.target.stranger is not None:
        _scope_of_rate(session, window, name, wanted)
    if over.ended_ms - over.at_ms > _SLOW_MS:
        raise UnableError("the server answers too slowly to tell single seconds apart")
    _after_wait(session, window, name, ids, who, (answers[0], over))
    session.target.wait(max(0, halfway_ms + window.per_ms + 10 - session.target.now_ms()))
    freed = send(half + 1)
    passed = [it for it in freed if it.status not in wanted]
    detail = f"{len(passed)} calls passed when {half} had aged"
    # The call after the wait takes one place if it came before all of them had aged.
    holds = len(passed) in {half - 1, half}
    check(rule_ids.rate(window.name, "slides"), detail, freed[-1], holds=holds)
    if not session.is_steered and session.target.stranger is None:
        raise NeedError(Need.SECOND_ACCOUNT)  # for the scope


def _cheapest(session: Session, window: RateWindow) -> str:
    """The operation of *window* that needs the fewest resources."""
    known = [it for it in sorted(window.operations) if it in session.checks.requests]
    if not known:
        raise UnableError(f"the checks have no request for {window.name}")
    operations = session.contract.operations

    def weight(name: str) -> tuple[int, bool]:
        return (
            len(names_needed(operations[name], session.plan(name))),
            session.contract.behaviour.operations[name].starts is not None,
        )

    return min(known, key=weight)


def _widest_tier(session: Session) -> str | None:
    cap = session.contract.behaviour.concurrency
    return max(cap.limits, key=lambda tier: cap.limits[tier]) if cap is not None else None


def _others_of_rate(
    session: Session, window: RateWindow, who: Identity, refused: Collection[int]
) -> None:
    """Call one operation of each other window while *window* is full."""
    for name in windows_apart(session.contract, session.checks, window):
        answer = session.call(name, who=who)
        detail = f"{name} was answered {answer.status} while {window.name} was full"
        rule = rule_ids.rate(window.name, "apart")
        session.judge.check(rule, detail, answer, holds=answer.status not in refused)


def _scope_of_rate(
    session: Session, window: RateWindow, name: str, refused: Collection[int]
) -> None:
    other = session.wallet.other("neighbour", tier=_widest_tier(session))
    answer = session.call(name, ids=session.resources.ids_of(name, who=other), who=other)
    wanted = window.scope == "address"
    detail = f"another account was answered {answer.status}; calls count for one {window.scope}"
    holds = (answer.status in refused) == wanted
    session.judge.check(rule_ids.rate(window.name, "scope"), detail, answer, holds=holds)


def _after_wait(
    session: Session,
    window: RateWindow,
    name: str,
    ids: Mapping[str, Json],
    who: Identity,
    answers: tuple[Exchange, Exchange],
) -> None:
    """The wait in the refusal is just enough; *answers* are the first one and the refusal."""
    first, over = answers
    asked_s = over.headers.get("retry-after", "")
    rule = rule_ids.rate(window.name, "wait")
    if not asked_s.isdigit() or int(asked_s) < 1:
        detail = f"the refusal says Retry-After: {asked_s or 'nothing'}"
        session.judge.check(rule, detail, over, holds=False)
        return
    refused = over.status
    needed_s = -(-(first.at_ms + window.per_ms - over.at_ms) // 1_000)
    detail = f"Retry-After: {asked_s}, and {needed_s} s would do"
    session.judge.check(rule, detail, first, over, holds=int(asked_s) <= needed_s + 1)
    if int(asked_s) > 1:
        session.target.wait((int(asked_s) - 1) * 1_000 - 1)
        early = session.call(name, ids=ids, who=who)
        detail = f"a second less than Retry-After: {asked_s} was enough"
        session.judge.check(rule, detail, over, early, holds=early.status == refused)
        session.target.wait(1_001)
    else:
        session.target.wait(1_000)
    late = session.call(name, ids=ids, who=who)
    detail = f"after the wait of {asked_s} s it was answered {late.status}"
    session.judge.check(rule, detail, over, late, holds=late.status != refused)

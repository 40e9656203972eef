"""Repeated idempotency keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.behaviour.call_limits import Idempotency
from screentest.specs.checks.checks import Checks, Make
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import any_of
from ..sessions.session import Session
from ..targets.needs import Need, NeedError, UnableError
from ..targets.target import Identity
from ..traces.trace import Exchange
from .scenario import Scenario, bound


def repeats(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about idempotency, where a provider has it."""
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
        shown = _whose_key_ends(contract, checks, behaviour.idempotency)
        if shown is not None:
            yield Scenario(
                f"end of keys of {shown}",
                f"send {shown} again when its key has ended",
                bound(_expiry, shown),
                2 * total,
                4,
                behaviour.idempotency.keeps_ms,
                needs=frozenset({Need.BUDGET}),
                longest_wait_ms=behaviour.idempotency.keeps_ms,
            )


#: An idempotency key of a real server is tried this part of its time before and after its end.
_NEAR_END = 100


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
    if _maker(session.checks, name) is None:
        return

    def job_of(answer: Exchange) -> str:
        return _job_of(session, answer, who, ids)

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
    raise NeedError(Need.STEERING)  # for the rule about refusals


def _maker(checks: Checks, name: str) -> Make | None:
    return next((it for it in checks.makes.values() if it.by == name), None)


def _job_of(session: Session, answer: Exchange, who: Identity, ids: Mapping[str, Json]) -> str:
    make = _maker(session.checks, answer.operation)
    assert make is not None
    return session.resources.made_by(make, answer, who, ids).own_id


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


def _whose_key_ends(contract: Contract, checks: Checks, rules: Idempotency) -> str | None:
    """The operation that shows the end of its keys: by its jobs, or else by its price."""
    known = [it for it in sorted(rules.operations) if it in checks.requests]
    priced = [it for it in known if contract.behaviour.operations[it].price is not None]
    return next((it for it in known if _maker(checks, it)), next(iter(priced), None))


def _expiry(session: Session, name: str) -> None:
    """A key is kept until its end, and forgotten after it."""
    rules = session.contract.behaviour.idempotency
    assert rules is not None
    near_ms = 1_000 if session.is_steered else rules.keeps_ms // _NEAR_END
    who, target = session.wallet.rich("late"), session.target
    ids = session.resources.ids_of(name, who=who)
    key = {rules.header: f"kit-{name}-{session.run_id}-old"}
    shows_job = _maker(session.checks, name) is not None
    first = session.call(name, ids=ids, who=who, headers=key)
    if not first.is_success:
        raise UnableError(f"{name} was refused: {first.status}")
    session.resources.finish_all()
    paid = None if shows_job else session.wallet.balance(who).total

    def is_other(answer: Exchange) -> bool:
        if not shows_job:
            return session.wallet.balance(who).total != paid
        jobs = {_job_of(session, it, who, ids) for it in (first, answer) if it.is_success}
        return len(jobs) > 1

    def judge(answer: Exchange, detail: str, *, holds: bool) -> None:
        # How long keys are kept is an interpretation where the document does not say it.
        rule = rule_ids.idempotency("expiry")
        session.judge.check(rule, detail, first, answer, holds=holds, is_documented=False)

    ends_ms = first.at_ms + rules.keeps_ms
    target.wait(ends_ms - near_ms - target.now_ms())
    # A run that is continued may come back later than that.
    if target.now_ms() < ends_ms - near_ms // 2:
        kept = session.call(name, ids=ids, who=who, headers=key)
        if kept.ended_ms >= ends_ms:
            raise UnableError("the server answers too slowly to tell when a key ends")
        holds = kept.body == first.body and not is_other(kept)
        judge(kept, f"{near_ms // 1_000} s before its end the key was not kept", holds=holds)
    target.wait(ends_ms + near_ms - target.now_ms())
    fresh = session.call(name, ids=ids, who=who, headers=key)
    holds = fresh.is_success and is_other(fresh)
    judge(fresh, f"{near_ms // 1_000} s after its end the key was still kept", holds=holds)

"""The number of jobs and paid calls in flight at a time, with one key and with two."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.known import any_of, calls_that_only_pay
from ..sessions.made import Made, NotAcceptedError
from ..sessions.pacing import spaced
from ..sessions.session import Session
from ..targets.needs import Need, UnableError
from ..targets.target import Identity
from ..traces.trace import Exchange
from .scenario import STEERED, Scenario


def caps(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about concurrency, one for each tier, where a provider has a cap."""
    total = sum(prices.values())
    cap = contract.behaviour.concurrency
    for tier, limit in cap.limits.items() if cap is not None else ():
        yield Scenario(
            f"jobs of {tier}",
            f"start {limit + 1} jobs at once",
            _bound(tier),
            limit * total,
            limit + 8,
            needs=STEERED,
        )
    if cap is not None:
        most = max(cap.limits.values()) + 1
        yield Scenario(
            "jobs at once",
            f"start up to {most} jobs at once",
            _cap_by_trial,
            most * total,
            most + 8,
            needs=frozenset({Need.BUDGET}),
            is_hasty=True,
        )


def _cap_by_trial(session: Session) -> None:
    """Start jobs until one is refused: how many run tells the tier of the account."""
    cap, check = session.contract.behaviour.concurrency, session.judge.check
    if cap is None or session.is_steered:
        return
    kind, tiers = _capped_kind(session), {limit: it for it, limit in cap.limits.items()}
    operation = session.checks.makes[kind].by
    wanted = session.contract.refusal_statuses("too_many_running", operation)
    running: list[Made] = []
    refused: Exchange | None = None
    session.resources.finish_all()
    for _ in range(max(tiers) + 1):
        spaced(session, session.owner, operation)
        try:
            running.append(session.resources.make(kind))
        except NotAcceptedError as error:
            refused = error.exchange
            break
    if refused is not None and refused.status not in wanted and refused.status in {402, 403}:
        raise UnableError(f"job {len(running) + 1} was refused: {refused.status}")
    for made in running:
        state = session.shown.kind_seen(kind, session.resources.read(made))
        if state is not None and state.is_final:
            raise UnableError("a job had ended before the last one was asked for")
    last = refused or running[-1].exchange
    tier = tiers.get(len(running))
    detail = f"{len(running)} jobs ran at once, and one more was answered {last.status}"
    rule = rule_ids.cap(tier or tiers[max(tiers)])
    holds = tier is not None and refused is not None
    if check(rule, detail, last, holds=holds):
        session.judge_refusal(rule, detail, last, reason="too_many_running", wanted=wanted)
    if running and refused is not None:
        _paid_call_beside(session, session.owner, len(running))
        session.resources.finish(running[0])
        freed = session.call(session.checks.makes[kind].by)
        detail = f"a job had ended, and the next was answered {freed.status}"
        check(rule_ids.CAP_FREES, detail, freed, holds=freed.is_success)


def _bound(tier: str) -> Callable[[Session], None]:
    return lambda session: _cap(session, tier)


def _cap(session: Session, tier: str) -> None:
    cap = session.contract.behaviour.concurrency
    assert cap is not None
    limit, check = cap.limits[tier], session.judge.check
    kind = _capped_kind(session)
    tiers = session.contract.behaviour.tiers
    who = session.wallet.rich("busy", tier=tier if tier in tiers else None)
    running: list[Made] = []
    for _ in range(limit):
        made = _started(session, kind, who)
        if isinstance(made, Exchange):
            detail = f"job {len(running) + 1} of {limit} was refused"
            check(rule_ids.cap(tier), detail, made, holds=False)
            return
        running.append(made)
    answer = _try_to_start(session, kind, who)
    wanted = session.contract.refusal_statuses("too_many_running", answer.operation)
    detail = f"job {limit + 1} was answered {answer.status} instead of {any_of(wanted)}"
    check(rule_ids.cap(tier), detail, answer, holds=answer.status in wanted)
    _paid_call_beside(session, who, limit)
    if cap.scope == "key":
        answer = _try_to_start(session, kind, session.controls.with_further_key(who))
        detail = f"another key of the account was answered {answer.status} beside {limit} jobs"
        check(rule_ids.CAP_KEYS, detail, answer, holds=answer.is_success)
    session.controls.hold(session.resources.job_of(running[0]), held=False)
    session.resources.finish(running[0])
    answer = _try_to_start(session, kind, who)
    detail = f"a job had ended, and the next was answered {answer.status}"
    check(rule_ids.CAP_FREES, detail, answer, holds=answer.is_success)


def _paid_call_beside(session: Session, who: Identity, jobs: int) -> None:
    """Call what only pays while as many *jobs* run as may."""
    cap = session.contract.behaviour.concurrency
    calls = calls_that_only_pay(session.contract, session.checks)
    for name in calls[:1] if cap is not None and cap.counts_paid_calls else ():
        paid = session.call(name, who=who)
        wanted = session.contract.refusal_statuses("too_many_running", name)
        seen = f"{paid.status} instead of {any_of(wanted)}"
        detail = f"{name} was answered {seen} beside {jobs} jobs"
        session.judge.check(rule_ids.CAP_CALLS, detail, paid, holds=paid.status in wanted)


def _capped_kind(session: Session) -> str:
    resources = session.contract.behaviour.resources
    for kind, make in session.checks.makes.items():
        if kind in resources and resources[kind].counts_as_running and make.needs is None:
            return kind
    raise UnableError("nothing in the checks makes a job that counts")


def _started(session: Session, kind: str, who: Identity) -> Made | Exchange:
    """One more running job, held in its state; or the answer that refused it."""
    try:
        made = session.resources.make(kind, who=spaced(session, who, session.checks.makes[kind].by))
    except NotAcceptedError as refused:
        return refused.exchange
    session.controls.hold(session.resources.job_of(made), held=True)
    return made


def _try_to_start(session: Session, kind: str, who: Identity) -> Exchange:
    operation = session.checks.makes[kind].by
    return session.call(operation, who=spaced(session, who, operation))

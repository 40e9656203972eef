"""How many calls pass in a time, and how many jobs and paid calls may be in flight at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from screentest.specs.behaviour.call_limits import RateWindow
from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.known import (
    any_of,
    calls_that_only_pay,
    jobs_at_once,
    names_needed,
    windows_apart,
    windows_in_force,
)
from ..sessions.made import Made, NotAcceptedError
from ..sessions.pacing import spaced
from ..sessions.session import Session
from ..targets.credentials import first_credential, signed
from ..targets.needs import Need, NeedError, UnableError
from ..targets.request_builder import wire_of_plan
from ..targets.target import ANONYMOUS, Identity
from ..traces.trace import Exchange
from .scenario import STEERED, Scenario, bound

#: In the server's time; a longer answer leaves open in which second a call counted.
_SLOW_MS = 500
_BOTH = frozenset({Need.BUDGET, Need.SECOND_ACCOUNT})


def caps(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about rate windows, and about concurrency, one for each tier."""
    yield from _rates(contract, checks, prices)
    total = sum(prices.values())
    cap = contract.behaviour.concurrency
    for tier, limit in cap.limits.items() if cap is not None else ():
        yield Scenario(
            f"jobs of {tier}",
            f"start {limit + 1} jobs at once",
            bound(_cap, tier),
            limit * total,
            limit + 8,
            needs=STEERED,
        )
    if cap is not None:
        most = max(cap.limits.values()) + 1
        # The second account may be of another tier.
        accounts = {"owner": frozenset({Need.BUDGET}), "second account": _BOTH}
        for account, needs in accounts.items():
            yield Scenario(
                f"jobs at once of the {account}",
                f"start up to {most} jobs at once",
                bound(_cap_by_trial, account),
                most * total,
                most + 8,
                needs=needs,
                is_hasty=True,
            )


def _rates(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """One scenario for each rate window in force."""
    total = sum(prices.values())
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


def _cap_by_trial(session: Session, account: str) -> None:
    """Start jobs until one is refused: how many run tells the tier of the account."""
    cap, check = session.contract.behaviour.concurrency, session.judge.check
    if cap is None or session.is_steered:
        return
    who = session.owner if account == "owner" else session.stranger
    kind, tiers = _capped_kind(session), {limit: it for it, limit in cap.limits.items()}
    operation = session.checks.makes[kind].by
    wanted = session.contract.refusal_statuses("too_many_running", operation)
    running: list[Made] = []
    refused: Exchange | None = None
    session.resources.finish_all()
    for _ in range(max(tiers) + 1):
        spaced(session, who, operation)
        try:
            running.append(session.resources.make(kind, who=who))
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
        _paid_call_beside(session, who, len(running))
        session.resources.finish(running[0])
        freed = session.call(session.checks.makes[kind].by, who=who)
        detail = f"a job had ended, and the next was answered {freed.status}"
        check(rule_ids.CAP_FREES, detail, freed, holds=freed.is_success)


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
    is_judged = _scope_of_rate(session, window, name, wanted)
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
    if not is_judged:
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
) -> bool:
    """Call *name* as another caller. False if there is none.

    Where the operation takes no key, a call with a key is one.
    """
    operation = session.contract.operations[name]
    shown = (
        {} if operation.security else first_credential(session.contract.behaviour, session.owner)
    )
    if shown:
        wire = wire_of_plan(session.contract, operation, session.plan(name), {}, ANONYMOUS, {})
        answer = session.send(signed(wire, shown), session.owner)
    elif session.is_steered or session.target.stranger is not None:
        other = session.wallet.other("neighbour", tier=_widest_tier(session))
        answer = session.call(name, ids=session.resources.ids_of(name, who=other), who=other)
    else:
        return False
    wanted = window.scope == "address"
    caller = "a caller with a key" if shown else "another account"
    detail = f"{caller} was answered {answer.status}; calls count for one {window.scope}"
    holds = (answer.status in refused) == wanted
    session.judge.check(rule_ids.rate(window.name, "scope"), detail, answer, holds=holds)
    return True


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

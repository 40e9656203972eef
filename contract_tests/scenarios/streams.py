"""Streams: a successful one, one that fails, and a refusal before it begins."""

from __future__ import annotations

from collections.abc import Iterator

from screentest.specs.checks.checks import Checks
from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..sessions.made import Made
from ..sessions.session import Session
from ..targets.needs import Need, UnableError
from ..targets.target import Identity
from ..traces.trace import Exchange
from .scenario import STEERED, Scenario, bound


def streams(contract: Contract, checks: Checks, prices: dict[str, int]) -> Iterator[Scenario]:
    """Scenarios about each streaming operation."""
    for name in contract.behaviour.streams:
        total = sum(prices.values())
        yield Scenario(
            f"stream of {name}",
            f"read a whole stream of {name}",
            bound(_good, name),
            total,
            4,
            120_000,
        )
        yield Scenario(
            f"failing stream of {name}",
            f"read a stream of {name} that fails",
            bound(_failing, name),
            total,
            4,
            needs=STEERED,
        )
        yield Scenario(
            f"refused stream of {name}",
            f"ask for a stream of {name} without credits",
            bound(_refused, name),
            total,
            3,
            needs=frozenset({Need.EMPTY_ACCOUNT}),
        )


def _acted_on(session: Session, name: str, who: Identity) -> Made:
    maker = session.resources.maker_for(name)
    if maker is None:
        raise UnableError(f"{name} acts on nothing")
    return session.resources.ready(maker.kind, who=who)


def _good(session: Session, name: str) -> None:
    made = _acted_on(session, name, session.wallet.rich("viewer"))
    stream = session.call(name, ids=made.ids, who=made.owner)
    _agree(session, name, made, stream, "succeeded")


def _agree(session: Session, name: str, made: Made, stream: Exchange, wanted: str) -> None:
    """The resource shows the same end as the stream."""
    rules = session.contract.behaviour.streams[name]
    payload = stream.events[-1].payload if stream.events else None
    last = payload.get(rules.name_field) if isinstance(payload, dict) else None
    shown = session.resources.read(made)
    state = session.shown.state_seen(made.make.kind, shown)
    failed = rules.on_error[rules.name_field]
    detail = f"the stream ended with {last!r}, the {made.make.kind} is {state!r}"
    ended = {"succeeded": last != failed, "failed": last == failed}[wanted]
    kind = session.shown.kind_seen(made.make.kind, shown)
    agrees = kind is not None and (kind.value == "succeeded") == (wanted == "succeeded")
    session.judge.check(
        rule_ids.stream(name, "state"), detail, stream, shown, holds=ended and agrees
    )


def _failing(session: Session, name: str) -> None:
    made = _acted_on(session, name, session.wallet.rich("viewer"))
    session.controls.fail_next(made.owner, name)
    stream = session.call(name, ids=made.ids, who=made.owner)
    rules = session.contract.behaviour.streams[name]
    payload = stream.events[-1].payload if stream.events else None
    last = payload.get(rules.name_field) if isinstance(payload, dict) else None
    wanted = rules.on_error[rules.name_field]
    detail = f"it was to fail, and the last event is {last!r} instead of {wanted!r}"
    session.judge.check(rule_ids.stream(name, "error"), detail, stream, holds=last == wanted)
    if isinstance(payload, dict):
        value = rules.on_error.get(rules.rising_field)
        detail = f"the error says {rules.rising_field} {payload.get(rules.rising_field)!r}"
        holds = payload.get(rules.rising_field) == value
        session.judge.check(rule_ids.stream(name, "error"), detail, stream, holds=holds)
    _agree(session, name, made, stream, "failed")


def _refused(session: Session, name: str) -> None:
    is_steered = session.is_steered
    who = session.wallet.rich("viewer") if is_steered else session.empty
    made = _acted_on(session, name, who)
    cost = session.wallet.price(name, None, made)
    if cost == 0:
        raise UnableError(f"the smallest {name} is free")
    if is_steered:
        session.wallet.set_credits(made.owner, cost - 1)
    answer = session.call(name, ids=made.ids, who=made.owner)
    detail = f"without {cost} credits it was answered {answer.status} as "
    detail += answer.content_type
    holds = answer.status == 402 and not answer.is_stream
    session.judge.check(rule_ids.stream(name, "refused"), detail, answer, holds=holds)

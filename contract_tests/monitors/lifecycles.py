"""Whether resources move as their lifecycles say, for each pair of observations.

Observations are samples, and a state may be missed: the later state must be reachable from the
earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from screentest.specs.behaviour.lifecycles import Lifecycle
from screentest.specs.checks.checks import Checks
from screentest.specs.checks.views import View
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.judge import Judge
from ..traces.expressions import Scope, as_number, evaluate, has_value, is_shown
from ..traces.trace import MISSING, Event, Exchange
from .times import follow_each_other


@dataclass(slots=True)
class Seen:
    """What is known of one resource so far."""

    state: str | None = None
    exchange: Exchange | None = None
    progress: Json = None
    constants: dict[str, Json] = field(default_factory=dict[str, Json])
    settled: dict[str, Json] = field(default_factory=dict[str, Json])
    moving: dict[str, tuple[str, Json]] = field(default_factory=dict[str, tuple[str, Json]])
    made: Exchange | None = None


def reachable(lifecycle: Lifecycle) -> Mapping[str, frozenset[str]]:
    """For each state, all states that can follow it, itself included."""
    found: dict[str, frozenset[str]] = {}
    for start in lifecycle.states:
        seen, waiting = {start}, [start]
        while waiting:
            for following in lifecycle.edges.get(waiting.pop(), ()):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        found[start] = frozenset(seen)
    return found


def state_of(view: View, exchange: Exchange, scope: Scope) -> str | None:
    """The state that *view* finds, in the contract's words; None when it shows none."""
    if isinstance(view.state, str):
        value = evaluate(view.state, exchange, scope) if view.state else MISSING
        return view.aliases.get(value, value) if isinstance(value, str) else None
    for case in view.state:
        if all(is_shown(it, evaluate(at, exchange, scope)) for at, it in case.where.items()):
            return case.name
    return None


def observations(checks: Checks, exchange: Exchange) -> Iterator[tuple[View, Scope]]:
    """Every resource that an answer shows."""
    for view in checks.views.get(exchange.operation, ()):
        fits = exchange.is_success if view.status is None else exchange.status == view.status
        if not fits:
            continue
        if not view.each:
            yield view, Scope()
            continue
        items = evaluate(view.each, exchange)
        for item in items if isinstance(items, list) else ():
            yield view, Scope(item=item)


def _overlap(one: Exchange, other: Exchange) -> bool:
    """Whether both ran at the same time, so that it is unknown which answer is older."""
    return one.at_ms < other.ended_ms and other.at_ms < one.ended_ms


class Lifecycles:
    """Judges `life.…`. *replayed* says whether an exchange only repeats an earlier answer."""

    def __init__(self, contract: Contract, checks: Checks, judge: Judge) -> None:
        self._contract = contract
        self._checks = checks
        self._judge = judge
        self._seen: dict[tuple[str, str], Seen] = {}
        self._replays: set[tuple[str, str, str]] = set()
        resources = contract.behaviour.resources.values()
        self._reachable = {
            it.lifecycle.name: reachable(it.lifecycle) for it in resources if it.lifecycle
        }
        self._makers = {make.by: make for make in checks.makes.values()}

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange) or not event.operation or self._is_replay(event):
            return
        for view, scope in observations(self._checks, event):
            id_ = evaluate(view.id, event, scope)
            if not has_value(id_):
                continue
            key = (view.resource, str(id_))
            known = self._seen.setdefault(key, Seen())
            self._observe(view, scope, event, str(id_), known)
            known.exchange = event

    def _is_replay(self, exchange: Exchange) -> bool:
        """Whether *exchange* is an idempotent replay, which shows an earlier state."""
        rules = self._contract.behaviour.idempotency
        value = exchange.request_headers.get(rules.header) if rules is not None else None
        if value is None:
            return False
        key = (exchange.key, exchange.operation, value)
        if key in self._replays:
            return True
        if exchange.is_success:
            self._replays.add(key)
        return False

    def _observe(self, view: View, scope: Scope, exchange: Exchange, id_: str, known: Seen) -> None:
        kind = view.resource
        make = self._makers.get(exchange.operation)
        if make is not None and known.exchange is None:
            known.made = exchange
        asked = evaluate(view.asked, exchange, scope) if view.asked else MISSING
        if asked is not MISSING:
            detail = f"asked for {asked!r}, got {id_!r}"
            self._judge.check_optional(
                rule_ids.life(kind, "same"), detail, exchange, holds=str(asked) == id_
            )
        state = state_of(view, exchange, scope)
        if state is not None:
            self._judge_state(view, exchange, state, known)
        self._judge_fields(view, scope, exchange, state, known)
        known.state = state if state is not None else known.state

    def _judge_state(self, view: View, exchange: Exchange, state: str, known: Seen) -> None:
        kind, lifecycle = view.resource, self._contract.behaviour.lifecycle_of(view.resource)
        if lifecycle is None:
            return
        before, check = known.state, self._judge.check_optional
        pair = tuple(it for it in (known.exchange, exchange) if it is not None)
        if state not in lifecycle.states:
            detail = f"{state!r} is not a state of it (there are: {', '.join(lifecycle.states)})"
            check(rule_ids.life(kind, "edges"), detail, exchange, holds=False)
            return
        if before is None:
            is_new = known.made is exchange and lifecycle.simulated
            if is_new:
                detail = f"it was {state} in the answer that made it"
                is_open = not lifecycle.states[state].kind.is_final
                # A repeated request shows an existing resource in its present state, and perhaps
                # not its maker.
                if is_open or kind not in self._checks.same_as_asked:
                    check(rule_ids.life(kind, "lasts"), detail, exchange, holds=is_open)
            return
        if known.exchange is not None and _overlap(known.exchange, exchange):
            return
        detail = f"it went from {before} to {state}"
        if before in lifecycle.states and lifecycle.states[before].kind.is_final:
            check(rule_ids.life(kind, "final"), detail, *pair, holds=state == before)
            return
        ways = self._reachable[lifecycle.name]
        check(
            rule_ids.life(kind, "edges"),
            detail,
            *pair,
            holds=state in ways.get(before, frozenset()),
        )

    def _judge_fields(
        self, view: View, scope: Scope, exchange: Exchange, state: str | None, known: Seen
    ) -> None:
        kind, check = view.resource, self._judge.check_optional
        pair = tuple(it for it in (known.exchange, exchange) if it is not None)
        for at in view.constant:
            value = evaluate(at, exchange, scope)
            name = at.rpartition("/")[2]
            if value is not MISSING:
                before = known.constants.setdefault(name, value)
                detail = f"{name} changed from {before!r} to {value!r}"
                check(rule_ids.life(kind, "constant"), detail, *pair, holds=before == value)
        if view.ascending:
            problem = follow_each_other([evaluate(at, exchange, scope) for at in view.ascending])
            check(rule_ids.life(kind, "times"), problem or "", exchange, holds=problem is None)
        if view.echoes and known.made is not None:
            self._judge_echoes(view, scope, exchange, known.made)
        if view.progress:
            self._judge_progress(view, scope, exchange, known)
        if state is not None:
            self._judge_moves(view, scope, exchange, state, known)
        meaning = self._contract.behaviour.meaning_of(kind, state)
        if meaning is None:
            return
        for when, fields in view.shown.items():
            for at in fields:
                is_there = has_value(evaluate(at, exchange, scope))
                name, word = at.rpartition("/")[2], "" if is_there else "not "
                detail = f"it is {state} and {name} is {word}there"
                holds = is_there == (meaning.value == when)
                check(rule_ids.life(kind, "shown"), detail, exchange, holds=holds)
        if meaning.is_final:
            for at in view.settles:
                value = evaluate(at, exchange, scope)
                before = known.settled.setdefault(at, value)
                detail = f"it had ended, and {at} changed from {before!r} to {value!r}"
                check(rule_ids.life(kind, "constant"), detail, *pair, holds=before == value)

    def _judge_moves(
        self, view: View, scope: Scope, exchange: Exchange, state: str, known: Seen
    ) -> None:
        """Judge fields that change when the state does, and only then."""
        for at in view.moves:
            value = evaluate(at, exchange, scope)
            if value is MISSING:
                continue
            before, old = known.moving.get(at, (state, value))
            known.moving[at] = (state, value)
            name = at.rpartition("/")[2]
            detail = f"{name} was {old!r} while {before} and is {value!r} while {state}"
            pair = tuple(it for it in (known.exchange, exchange) if it is not None)
            holds = (old == value) == (before == state)
            rule = rule_ids.life(view.resource, "moves")
            self._judge.check(rule, detail, *pair, holds=holds)

    def _judge_echoes(self, view: View, scope: Scope, exchange: Exchange, made: Exchange) -> None:
        for at, asked_at in view.echoes.items():
            asked, shown = evaluate(asked_at, made, scope), evaluate(at, exchange, scope)
            if asked is MISSING:
                continue
            detail = f"asked for {asked!r}, and {at.rpartition('/')[2]} is {shown!r}"
            rule = rule_ids.life(view.resource, "echoes")
            self._judge.check_optional(rule, detail, made, exchange, holds=asked == shown)

    def _judge_progress(self, view: View, scope: Scope, exchange: Exchange, known: Seen) -> None:
        value = evaluate(view.progress, exchange, scope)
        now, before = as_number(value), as_number(known.progress)
        if now is None:
            return
        if known.exchange is not None and _overlap(known.exchange, exchange):
            return
        detail = f"progress fell from {known.progress} to {value}"
        pair = tuple(it for it in (known.exchange, exchange) if it is not None)
        holds = before is None or now >= before
        self._judge.check_optional(
            rule_ids.life(view.resource, "progress"), detail, *pair, holds=holds
        )
        known.progress = value

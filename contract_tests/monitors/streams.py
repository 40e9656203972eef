"""Whether event streams are in order, timely, with rising progress and exactly one end."""

from __future__ import annotations

from dataclasses import dataclass

from screentest.specs.behaviour.outputs import StreamRules
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.judge import Judge
from ..traces.expressions import as_number
from ..traces.trace import Event, Exchange, LackingPart


@dataclass(slots=True)
class EventStreams:
    """Judges `stream.…` on every stream of a trace."""

    contract: Contract
    judge: Judge

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange):
            return
        rules = self.contract.behaviour.streams.get(event.operation)
        if rules is None or not event.is_success or LackingPart.BODY in event.lacks:
            return
        if not event.is_stream or not event.events:
            detail = "the accepted request was not answered with readable events"
            self.judge.check(rule_ids.stream(event.operation, "last"), detail, event, holds=False)
            return
        payloads = [it.payload if isinstance(it.payload, dict) else {} for it in event.events]
        names = [payload.get(rules.name_field) for payload in payloads]
        self._judge_order(rules, event, names)
        self._judge_end(rules, event, names)
        self._judge_rise(rules, event, payloads, names)
        self._judge_life(rules, event)

    def _judge_order(self, rules: StreamRules, exchange: Exchange, names: list[Json]) -> None:
        known = [name for name in names if name in rules.order]
        places = [rules.order.index(name) for name in known]
        strange = [name for name in names if name not in rules.order and name not in rules.last]
        detail = f"came as {', '.join(map(str, names))}; the order is {', '.join(rules.order)}"
        starts_first = bool(places) and places[0] == 0
        holds = places == sorted(places) and not strange and starts_first
        self.judge.check(rule_ids.stream(rules.operation, "order"), detail, exchange, holds=holds)

    def _judge_end(self, rules: StreamRules, exchange: Exchange, names: list[Json]) -> None:
        ends = [place for place, name in enumerate(names) if name in rules.last]
        detail = (
            f"came as {', '.join(map(str, names))}; it ends with one of {', '.join(rules.last)}"
        )
        closing = sum(event.get(rules.name_field) in rules.last for event in rules.events)
        count = min(len(ends), closing)
        holds = count > 0 and ends == list(range(len(names) - count, len(names)))
        self.judge.check(rule_ids.stream(rules.operation, "last"), detail, exchange, holds=holds)

    def _judge_rise(
        self, rules: StreamRules, exchange: Exchange, payloads: list[Json], names: list[Json]
    ) -> None:
        failed = rules.on_error.get(rules.name_field)
        shown = [
            payload.get(rules.rising_field)
            for payload, name in zip(payloads, names, strict=True)
            if name != failed
        ]
        figures = [figure for figure in map(as_number, shown) if figure is not None]
        detail = f"{rules.rising_field} came as {', '.join(map(str, shown))}"
        holds = figures == sorted(figures) and len(figures) == len(shown)
        self.judge.check(rule_ids.stream(rules.operation, "rising"), detail, exchange, holds=holds)

    def _judge_life(self, rules: StreamRules, exchange: Exchange) -> None:
        # A HAR file has the content of a stream, but not the times.
        if not exchange.chunks or len(exchange.events) < 3 or exchange.ended_ms == exchange.at_ms:
            return
        first, last = exchange.events[0].at_ms, exchange.events[-1].at_ms
        detail = f"{len(exchange.events)} events came in {exchange.chunks} piece(s), all at the end"
        holds = first < last and exchange.chunks > 1
        self.judge.check(rule_ids.stream(rules.operation, "live"), detail, exchange, holds=holds)

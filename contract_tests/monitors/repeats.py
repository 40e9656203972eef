"""Rules over several requests: repeated keys, and the number of calls in a rate window."""

from __future__ import annotations

from screentest.specs.contracts.contract import Contract

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import windows_in_force
from ..traces.trace import Event, Exchange, LackingPart


class Repeats:
    """Judges `idem.replay`, `idem.conflict` and `rate.….limit` on any trace."""

    def __init__(self, contract: Contract, judge: Judge) -> None:
        self._contract = contract
        self._judge = judge
        self._answers: dict[tuple[str, str, str], Exchange] = {}
        self._accepted: dict[tuple[str, str], list[int]] = {}

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange) or not event.operation:
            return
        self._judge_rate(event)
        self._judge_replay(event)

    def _judge_rate(self, exchange: Exchange) -> None:
        if not exchange.is_success or exchange.actor == "anonymous":
            return
        if LackingPart.CALLER in exchange.lacks or self._is_replay(exchange):
            return
        for window in windows_in_force(self._contract):
            if exchange.operation not in window.operations:
                continue
            times = self._accepted.setdefault((window.name, exchange.key), [])
            times.append(exchange.at_ms)
            recent = [at for at in times if at > exchange.at_ms - window.per_ms]
            self._accepted[window.name, exchange.key] = recent
            if len(recent) > window.limit:
                detail = f"{len(recent)} calls passed in {window.per_ms // 1_000} s"
                self._judge.check(
                    rule_ids.rate(window.name, "refuses"), detail, exchange, holds=False
                )

    def _is_replay(self, exchange: Exchange) -> bool:
        """Whether the answer repeats an earlier one; the contract does not say if it counts."""
        rules = self._contract.behaviour.idempotency
        value = exchange.request_headers.get(rules.header) if rules is not None else None
        if rules is None or value is None:
            return False
        first = self._answers.get((exchange.key, exchange.operation, value))
        return (
            first is not None
            and exchange.at_ms - first.at_ms < rules.keeps_ms
            and (first.status, first.body) == (exchange.status, exchange.body)
        )

    def _judge_replay(self, exchange: Exchange) -> None:
        rules = self._contract.behaviour.idempotency
        if rules is None or exchange.operation not in rules.operations:
            return
        value = exchange.request_headers.get(rules.header)
        if value is None or not exchange.is_success or exchange.lacks:
            return
        key = (exchange.key, exchange.operation, value)
        first = self._answers.setdefault(key, exchange)
        if first is exchange or exchange.at_ms - first.at_ms >= rules.keeps_ms:
            self._answers[key] = exchange
            return
        if first.request_body == exchange.request_body:
            detail = "the same key and body were answered differently"
            holds = (first.status, first.body) == (exchange.status, exchange.body)
            # How long a key is kept is an interpretation in many contracts.
            is_soon = exchange.at_ms - first.at_ms < rules.keeps_ms // 2
            rule = rule_ids.idempotency("replay")
            self._judge.check(rule, detail, first, exchange, holds=holds, is_documented=is_soon)
        else:
            detail = "the same key was accepted with another body"
            self._judge.check(
                rule_ids.idempotency("conflict"), detail, first, exchange, holds=False
            )

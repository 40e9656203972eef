"""Access: anonymous requests, and resources of another account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from screentest.specs.behaviour.sent_keys import carries
from screentest.specs.checks.checks import Checks, ListRules
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import any_of
from ..traces.expressions import Scope, evaluate, has_value
from ..traces.trace import Event, Exchange, LackingPart, query_values


class Access:
    """Judges `auth.….missing`, `own.…`, `list.….order` and `list.….limit` on any trace."""

    def __init__(self, contract: Contract, checks: Checks, judge: Judge) -> None:
        self._contract = contract
        self._checks = checks
        self._judge = judge
        self._owners: dict[tuple[str, str], str] = {}
        self._new: dict[str, list[str]] = {}

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange) or not event.operation:
            return
        if LackingPart.CALLER not in event.lacks:
            self._judge_anonymous(event)
            self._judge_owner(event)
        self._note_made(event)
        rules = self._checks.lists.get(event.operation)
        if rules is not None and event.is_success:
            self._judge_list(rules, event)

    def _judge_anonymous(self, exchange: Exchange) -> None:
        schemes = self._contract.operations[exchange.operation].security
        if exchange.actor != "anonymous" or not schemes:
            return
        # An unknown key may get another answer than a missing one.
        if carries(self._contract.behaviour, schemes, exchange.request_headers, exchange.query):
            return
        wanted = self._contract.refusal_statuses("missing_credential", exchange.operation)
        detail = (
            f"without a credential it was answered {exchange.status} instead of {any_of(wanted)}"
        )
        rule = rule_ids.auth(exchange.operation, "missing")
        # No document says which refusal of a request with two faults comes first.
        is_readable = not exchange.request_headers.get("content-type") or has_value(exchange.sent)
        self._judge.check(
            rule,
            detail,
            exchange,
            holds=exchange.status in wanted,
            is_documented=is_readable or exchange.is_success,
        )

    def _judge_owner(self, exchange: Exchange) -> None:
        for target in self._contract.behaviour.operations[exchange.operation].targets:
            place, _, name = target.id_from.partition(".")
            if place != "path":
                continue
            owner = self._owners.get((name, exchange.path_values.get(name, "")))
            if owner is None or owner == exchange.key or exchange.actor == "anonymous":
                continue
            detail = f"what {owner} made was answered {exchange.status} to {exchange.key}"
            rule = rule_ids.own(exchange.operation, "foreign")
            self._judge.check_optional(rule, detail, exchange, holds=not exchange.is_success)
            return

    def _note_made(self, exchange: Exchange) -> None:
        """Note the owner of the ids in an answer, and which of them are new.

        An id that the request named is not new: an export is, its video is not.
        """
        if not exchange.is_success:
            return
        asked = set(_texts([exchange.path_values, query_values(exchange), exchange.sent]))
        for make in self._checks.makes.values():
            if make.by != exchange.operation:
                continue
            for name, expression in make.ids.items():
                value = evaluate(expression, exchange)
                if not has_value(value):
                    continue
                if LackingPart.CALLER not in exchange.lacks:
                    self._owners.setdefault((name, str(value)), exchange.key)
                new = self._new.setdefault(name, [])
                if str(value) not in asked and str(value) not in new:
                    new.append(str(value))

    def _judge_list(self, rules: ListRules, exchange: Exchange) -> None:
        items = evaluate(rules.items, exchange)
        if not isinstance(items, list):
            return
        shown = [str(evaluate(rules.id, exchange, Scope(item=item))) for item in items]
        if exchange.actor != "anonymous" and LackingPart.CALLER not in exchange.lacks:
            owners = {it: self._owners.get((rules.named, it)) for it in shown}
            foreign = [it for it, owner in owners.items() if owner not in {None, exchange.key}]
            detail = f"{foreign[:1]} belongs to another account"
            self._judge.check_optional(
                rule_ids.own(rules.operation, "hidden"), detail, exchange, holds=not foreign
            )
        given = query_values(exchange).get(rules.limit, "") if rules.limit else ""
        if given.isdigit():
            detail = f"{len(items)} items with a limit of {given}"
            rule = rule_ids.listing(rules.operation, "limit")
            self._judge.check(rule, detail, exchange, holds=len(items) <= int(given))
        self._judge_order(rules, exchange, shown)

    def _judge_order(self, rules: ListRules, exchange: Exchange, shown: list[str]) -> None:
        """Newest first, or as the request says, among resources whose creation was seen."""
        order = self._new.get(rules.named, [])
        places = [order.index(it) for it in shown if it in order]
        detail = f"{', '.join(shown[:5])} is not in order"
        repeated = len(set(shown)) != len(shown)
        if rules.newest_first and (len(places) > 1 or repeated):
            given = query_values(exchange)
            is_turned = any(given.get(name) == it for name, it in rules.oldest_first.items())
            holds = places == sorted(places, reverse=not is_turned) and not repeated
            self._judge.check(
                rule_ids.listing(rules.operation, "order"), detail, exchange, holds=holds
            )


def _texts(value: Json) -> Iterator[str]:
    """Every text and number in *value*, as it is written in a URL."""
    if isinstance(value, Mapping):
        for it in value.values():
            yield from _texts(it)
    elif isinstance(value, list):
        for it in value:
            yield from _texts(it)
    elif has_value(value):
        yield str(value)

"""Whether answers look as documented, and whether requests that break the schema are refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs

from screentest.specs.checks.checks import Checks, Relation
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import INFERRED, Operation, ReplyShape
from screentest.specs.openapi.validation import Violation

from ..rules import rule_ids
from ..rules.judge import Judge
from ..rules.known import cites_violation, is_worded, unworded_statuses
from ..traces.expressions import NOTHING, as_number, evaluate, has_value, read_fact
from ..traces.trace import MISSING, Event, Exchange, LackingPart
from .times import follow_each_other

#: A live provider may send more than is documented; only our own mock must keep objects closed.
_OPENNESS = frozenset({"additionalProperties", "unevaluatedProperties"})


@dataclass(slots=True)
class Shapes:
    """Judges `shape.…`, `input.…` and the relations inside answers."""

    contract: Contract
    checks: Checks
    judge: Judge
    is_open: bool = False
    _headers_named: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._headers_named = frozenset(
            header
            for it in self.checks.clauses.values()
            for header in it.about.header
            if header in it.says.lower()
        )

    def see(self, event: Event) -> None:
        if not isinstance(event, Exchange) or not event.operation:
            return
        operation = self.contract.operations[event.operation]
        self._judge_reply(operation, event)
        self._judge_input(operation, event)
        for relation in self.checks.relations:
            if relation.operation == event.operation:
                self._judge_relation(relation, event)

    def _judge_reply(self, operation: Operation, exchange: Exchange) -> None:
        if operation.reply(exchange.status) is None and exchange.status in unworded_statuses(
            self.contract, operation
        ):
            return
        detail = self._problem(operation, exchange)
        is_documented = (
            detail is not None
            and not (operation.is_inferred and exchange.is_success)
            and is_worded(self.contract, self.judge.silence, operation.id, exchange)
        )
        if detail is None and self.is_open:
            # The document does not demand it. It may show which reading the server follows.
            found = self._violations(operation, exchange)
            detail = found[0].message if found else None
        rule = rule_ids.shape(operation.id)
        holds = detail is None
        self.judge.check(rule, detail or "", exchange, holds=holds, is_documented=is_documented)

    def _problem(self, operation: Operation, exchange: Exchange) -> str | None:
        shape = operation.reply(exchange.status)
        if shape is None:
            documented = ", ".join(sorted(operation.replies))
            return f"status {exchange.status} is not documented (documented: {documented})"
        if exchange.broken:
            return "the body says that it is JSON and is not"
        missing = [
            name
            for name in shape.headers
            if name.lower() not in exchange.headers
            and (self.judge.silence is None or name.lower() in self._headers_named)
        ]
        if missing and LackingPart.HEADERS not in exchange.lacks:
            return f"the header {missing[0]} is missing"
        if _is_without_body(exchange):
            return None
        if shape.content and not exchange.content_type:
            return f"no content type, and a body was promised ({', '.join(shape.content)})"
        found = self._violations(operation, exchange)
        if self.is_open:
            found = [it for it in found if not self._is_inferred(it)]
        if found:
            return found[0].message
        return self._event_problem(shape, exchange) if exchange.is_stream else None

    def _violations(self, operation: Operation, exchange: Exchange) -> list[Violation]:
        if _is_without_body(exchange):
            return []
        body = exchange.content_type or None
        found = operation.reply_violations(exchange.status, body, exchange.reply)
        return [it for it in found if not self.is_open or it.keyword not in _OPENNESS]

    def _is_inferred(self, violation: Violation) -> bool:
        """Whether the contract says that the document is silent about what is violated."""
        if violation.keyword == "type" or not violation.place:
            return False
        schema: Json = self.contract.document
        for step in violation.place[:-1]:
            # The validator reports a status, such as the key "200", as a number.
            schema = schema[step if isinstance(schema, list) else str(step)]
        return INFERRED in schema

    def _event_problem(self, shape: ReplyShape, exchange: Exchange) -> str | None:
        if not exchange.events:
            return "the stream has no event that can be read"
        for number, event in enumerate(exchange.events, start=1):
            if event.payload is None:
                return f"event {number} is not JSON: {event.text[:60]!r}"
            found = shape.event.violations(event.payload) if shape.event is not None else []
            if found:
                return f"event {number}: {found[0].message}"
        return None

    def _judge_input(self, operation: Operation, exchange: Exchange) -> None:
        if exchange.actor == "anonymous" or exchange.status in {401, 403, 404, 429}:
            return
        found = request_violations(operation, exchange)
        if not found:
            return
        detail = f"accepted with {exchange.status}, although {found[0].message}"
        holds = exchange.status >= 400
        cited = any(cites_violation(self.contract, operation.id, it) for it in found)
        rule = rule_ids.inputs(operation.id)
        self.judge.check(rule, detail, exchange, holds=holds, is_documented=cited)

    def _judge_relation(self, relation: Relation, exchange: Exchange) -> None:
        if not (
            exchange.is_success if relation.status is None else exchange.status == relation.status
        ):
            return
        if exchange.lacks & {LackingPart.SENT, LackingPart.BODY}:
            return
        detail = self._relation_problem(relation, exchange)
        rule = rule_ids.example(relation.name)
        self.judge.check(rule, detail or "", exchange, holds=detail is None)

    def _relation_problem(self, relation: Relation, exchange: Exchange) -> str | None:
        if relation.equal:
            left, right = (evaluate(part, exchange) for part in relation.equal)
            both = has_value(left) or has_value(right)
            return (
                None
                if left == right or not both
                else f"{relation.summary}: {left!r} is not {right!r}"
            )
        if relation.contains:
            whole, part = (evaluate(it, exchange) for it in relation.contains)
            holds = not has_value(whole) or str(part) in str(whole)
            return None if holds else f"{relation.summary}: {part!r} is not in {whole!r}"
        if relation.ascending:
            shown = [evaluate(part, exchange) for part in relation.ascending]
            values = shown[0] if len(shown) == 1 and isinstance(shown[0], list) else shown
            problem = follow_each_other(values)
            return f"{relation.summary}: {problem}" if problem else None
        total = evaluate(relation.total, exchange)
        expected = self._expected_total(relation, exchange)
        seen, wanted = as_number(total), as_number(expected)
        is_more = relation.at_least and seen is not None and wanted is not None and seen > wanted
        if expected is MISSING or seen == wanted or is_more:
            return None
        return f"{relation.summary}: {total!r} instead of {expected!r}"

    def _expected_total(self, relation: Relation, exchange: Exchange) -> Json:
        if relation.counts:
            items = evaluate(relation.counts, exchange)
            return len(items) if isinstance(items, list) else MISSING
        if relation.price and relation.fact is not None:
            price = self.contract.behaviour.operations[relation.price].price
            assert price is not None, relation.price
            name = next(iter(price.formula.roots))
            fact = as_number(read_fact(relation.fact, exchange, NOTHING))
            return price.amount({name: fact}) if fact is not None else MISSING
        parts = [as_number(evaluate(part, exchange)) for part in relation.parts]
        return int(sum(part for part in parts if part is not None))


def _is_without_body(exchange: Exchange) -> bool:
    return exchange.method == "HEAD" or LackingPart.BODY in exchange.lacks


def request_violations(operation: Operation, exchange: Exchange) -> list[Violation]:
    """How a request breaks its schema, as far as this is visible from outside."""
    found: list[Violation] = []
    given = parse_qs(exchange.query, keep_blank_values=True)
    for parameter in operation.parameters:
        if parameter.place != "query":
            continue
        value = parameter.read_all(given)
        if value is not None:
            found += parameter.schema.violations(value, under=f"/{parameter.name}")
        elif parameter.is_required:
            found.append(Violation("query", f"/{parameter.name}", "required", "a value", "nothing"))
    content_type = exchange.request_headers.get("content-type", "").partition(";")[0]
    schema = operation.bodies.get(content_type)
    if schema is not None and content_type.endswith("json") and has_value(exchange.sent):
        found += schema.violations(exchange.sent)
    return found

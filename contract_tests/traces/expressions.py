"""Runtime expressions: where in an exchange a value is.

`$response.body#/a/0/b`, `$response.header.name`, `$response.status`, `$request.body#/a`,
`$request.path.name`, `$request.query.name`, `$item#/a`, `$ids.name`, `$job.details#/a`,
`$made.response.body#/a` (of the exchange that made the resource), and `$12` for a number. They
follow the Arazzo specification, with additional names for facts of a scenario.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from screentest.specs.checks.views import Fact
from screentest.specs.json_types import Json

from .trace import MISSING, Exchange, query_values


@dataclass(frozen=True, slots=True)
class Scope:
    """What expressions may name beside the exchange itself."""

    item: Json = None
    ids: Mapping[str, Json] = field(default_factory=dict[str, Json])
    details: Json = None
    made: Exchange | None = None


NOTHING = Scope()


def evaluate(expression: str, exchange: Exchange, scope: Scope = NOTHING) -> Json:
    """The value of *expression*; MISSING if there is none."""
    source, _, pointer = expression.partition("#")
    if source.startswith("$made.") and scope.made is not None:
        return evaluate("$" + expression[len("$made.") :], scope.made, scope)
    if source[1:].isdigit():
        return int(source[1:])
    return at_pointer(_source(source, exchange, scope), pointer)


def _source(source: str, exchange: Exchange, scope: Scope) -> Json:
    head, _, name = source[1:].rpartition(".")
    match source:
        case "$response.body":
            return exchange.reply
        case "$request.body":
            return exchange.sent
        case "$response.status":
            return exchange.status
        case "$item":
            return scope.item
        case "$job.details":
            return scope.details
        case _:
            pass
    match head:
        case "response.header":
            return exchange.headers.get(name.lower(), MISSING)
        case "request.header":
            return exchange.request_headers.get(name.lower(), MISSING)
        case "request.path":
            return exchange.path_values.get(name, MISSING)
        case "request.query":
            return query_values(exchange).get(name, MISSING)
        case "ids":
            return scope.ids.get(name, MISSING)
        case _:
            return MISSING


def at_pointer(value: Json, pointer: str) -> Json:
    """The value at a JSON *pointer* below *value*; MISSING when it is absent.

    The step `*` gives the list of what follows it in every item of a list.
    """
    if not pointer:
        return value
    steps = pointer.lstrip("/").split("/")
    for place, step in enumerate(steps):
        step = step.replace("~1", "/").replace("~0", "~")
        if step == "*" and isinstance(value, list):
            return _of_items(value, steps[place + 1 :])
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def _of_items(items: list[Json], steps: list[str]) -> list[Json]:
    """The values at *steps* in each of *items*; another `*` among them makes one flat list."""
    found = [at_pointer(item, "/".join(steps)) for item in items]
    if "*" not in steps:
        return found
    return [it for inner in found if isinstance(inner, list) for it in inner]


def has_value(value: Json) -> bool:
    """Whether *value* is present and not null."""
    return value is not MISSING and value is not None


def is_shown(wanted: Json, value: Json) -> bool:
    """Whether *value* matches *wanted*: an exact value, or a matcher with its argument."""
    if isinstance(wanted, dict) and len(wanted) == 1:
        ((word, argument),) = wanted.items()
        match word:
            case "present":
                return has_value(value)
            case "absent":
                return not has_value(value)
            case "length":
                return isinstance(value, Sequence) and len(value) == argument
            case "starts":
                return isinstance(value, str) and value.startswith(argument)
            case "contains":
                return isinstance(value, str) and argument in value
            case "one_of":
                return value in argument
            case "not":
                return has_value(value) and not is_shown(argument, value)
            case "has":
                return _has_item(argument, value)
            case "lacks":
                return isinstance(value, list) and not _has_item(argument, value)
            case _:
                pass
    return type(value) is type(wanted) and value == wanted


def _has_item(wanted: Json, value: Json) -> bool:
    """Whether *value* is a list with an item whose fields match *wanted*."""
    if not isinstance(value, list):
        return False
    items = [it for it in value if isinstance(it, dict)]
    return any(
        all(is_shown(wish, it.get(name, MISSING)) for name, wish in wanted.items()) for it in items
    )


def read_fact(fact: Fact, exchange: Exchange, scope: Scope = NOTHING) -> Json:
    """The figure that *fact* describes; its default, or MISSING."""
    detail = evaluate(fact.shown, exchange, scope) if fact.shown else MISSING
    if has_value(detail):
        return detail
    if fact.count:
        items = evaluate(fact.count, exchange, scope)
        if not isinstance(items, list):
            return MISSING
        if not fact.with_text:
            return len(items)
        texts = [item.get(fact.with_text) for item in items if isinstance(item, dict)]
        return sum(1 for text in texts if isinstance(text, str) and text.strip())
    value = evaluate(fact.source, exchange, scope) if fact.source else MISSING
    if has_value(value):
        if fact.only is not None:
            number = as_number(value)
            is_known = number is not None and fact.only[0] <= number <= fact.only[1]
            return value if is_known else MISSING
        return value
    return fact.default if fact.default is not None else MISSING


def as_number(value: Json) -> Fraction | None:
    """*value* as an exact number; None if it is not a number. True counts as 1, as in prices."""
    if isinstance(value, bool):
        return Fraction(int(value))
    return Fraction(str(value)) if isinstance(value, int | float) else None

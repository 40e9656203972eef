"""What each part of a contract's `checks` section is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from .clauses import Subject
from .contract_subjects import ContractSubjects, about, fields_in
from .json_types import Json


def subject_of_check(subjects: ContractSubjects, checks: Json, steps: Sequence[str]) -> Subject:
    """The subject of the part of *checks* at the path *steps*."""
    value = checks
    for step in steps:
        value = value[int(step)] if isinstance(value, list) else value[step]
    match steps:
        case ["cadence"]:
            return about(topic={"cadence"})
        case ["makes", kind, *_]:
            return subjects.resource(kind) | about(topic={"media"})
        case ["views", operation, *_, "media"]:
            return _view(subjects, operation, value) | about(topic={"media"})
        case ["views", operation, *_]:
            return _view(subjects, operation, value)
        case ["lists", operation]:
            return _list(subjects, operation, value)
        case ["refused" | "accepted", _]:
            smallest = checks.get("requests", {}).get(value["operation"], {})
            return _example(subjects, value, smallest)
        case ["relations", _]:
            names = {value["operation"], *([value["price"]] if "price" in value else [])}
            kinds = subjects.kinds_of(value["operation"])
            return kinds | about(operation=names, field=fields_in(value))
        case ["may_refuse", operation]:
            return subjects.operation(operation, statuses=value["statuses"])
        case ["same_as_asked", kind]:
            return subjects.kinds([kind]) | about(operation={checks["makes"][kind]["by"]})
        case _:
            raise AssertionError(f"no subject for checks/{'/'.join(steps)}")


def _view(subjects: ContractSubjects, operation: str, value: Json) -> Subject:
    kinds = [value["resource"]] if "resource" in value else []
    base = subjects.kinds(kinds) if kinds else subjects.kinds_of(operation)
    return base | about(operation={operation}, field=fields_in(value))


def _list(subjects: ContractSubjects, operation: str, value: Json) -> Subject:
    fields = {*fields_in(value), *value.get("oldest_first", {})}
    fields |= {value[name] for name in ("limit", "after") if name in value}
    return subjects.kinds([value["of"]]) | about(
        operation={operation}, field=fields, topic={"list", "order"}
    )


def _example(subjects: ContractSubjects, value: Json, smallest: Json) -> Subject:
    """A request that is refused or accepted; *smallest* is the one that it is a change of."""
    name = value["operation"]
    fields = {*value.get("with", {}), *value.get("without", ())}
    fields |= fields_in([value.get("shows", {}), value.get("finally", {})])
    if "request" in value:
        fields |= _changed(value["request"], smallest)
    if "because" not in value and "status" not in value:
        return subjects.accepted(name) | about(field=fields)
    refused = subjects.reason(value.get("because", ""), name)
    statuses = {value["status"]} if "status" in value else refused.status
    # A field says more than the topics of the reason.
    topics = frozenset() if fields else refused.topic
    return replace(refused, status=frozenset(statuses), topic=topics) | about(field=fields)


def _changed(request: Json, smallest: Json) -> set[str]:
    """The fields in which *request* differs from *smallest*; none where it has no fields."""
    if "raw" in request:
        return set()
    mine, its = _sent(request), _sent(smallest)
    return {name for name in mine.keys() | its.keys() if mine.get(name) != its.get(name)}


def _sent(request: Json) -> Mapping[str, Json]:
    body = request.get("json", request.get("form"))
    return {**(body if isinstance(body, dict) else {}), **request.get("query", {})}

"""The subjects of the parts of checks.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ..json_types import Json
from ..topics import NOT_OF_ANSWERS, NOT_OF_INPUT, Topic
from .clauses import Subject, subject
from .contract_subjects import ContractSubjects, about, fields_in

_OF_NO_VIEW: frozenset[Topic] = frozenset({"method", "webhook"})


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
        case ["flows", _]:
            return _flow(subjects, value, checks.get("requests", {}))
        case _:
            raise AssertionError(f"no subject for checks/{'/'.join(steps)}")


def _view(subjects: ContractSubjects, operation: str, value: Json) -> Subject:
    kinds = [value["resource"]] if "resource" in value else []
    base = subjects.kinds(kinds) if kinds else subjects.kinds_of(operation)
    statuses = {value["status"]} if "status" in value else subjects.accepted(operation).status
    return (
        base
        | about(operation={operation}, field=fields_in(value), status=statuses)
        | about(never=NOT_OF_ANSWERS | _OF_NO_VIEW)
    )


def _list(subjects: ContractSubjects, operation: str, value: Json) -> Subject:
    fields = {*fields_in(value), *value.get("oldest_first", {})}
    fields |= {value[name] for name in ("limit", "after") if name in value}
    return subjects.kinds([value["of"]]) | about(
        operation={operation},
        field=fields,
        status=subjects.accepted(operation).status,
        topic={"list", "order"},
    )


def _example(subjects: ContractSubjects, value: Json, smallest: Json) -> Subject:
    """The subject of a refused or accepted request; *smallest* is the request that it changes."""
    name = value["operation"]
    fields = {*value.get("with", {}), *value.get("without", ())}
    fields |= fields_in([value.get("shows", {}), value.get("finally", {})])
    if "request" in value:
        fields |= _changed(value["request"], smallest)
    if "because" not in value and "status" not in value:
        return subjects.accepted(name) | about(field=fields)
    refused = subjects.reason(value.get("because", ""), name)
    statuses = {value["status"]} if "status" in value else refused.status
    # A field is more exact than the topics of the reason.
    topics = frozenset() if fields else refused.topic
    refused = replace(refused, status=frozenset(statuses), topic=topics)
    return refused | about(
        field=fields, never=NOT_OF_INPUT if value.get("because") == "invalid" else ()
    )


def _flow(subjects: ContractSubjects, value: Json, requests: Json) -> Subject:
    """What several calls are about: the operations, fields and statuses of all of them.

    `about` adds what no call names, such as a field that is left out on purpose.
    """
    calls = [step for step in value["steps"] if "call" in step]
    shown = [[it.get("shows", {}), it.get("until", {}), it.get("keeps", {})] for it in calls]
    fields = {*fields_in(shown), *_keys_in(shown)}
    for step in calls:
        fields |= {*step.get("with", {}), *step.get("without", ()), *step.get("ids", {})}
        if "request" in step:
            fields |= _changed(step["request"], requests.get(step["call"], {}))
    reasons = {it["because"] for it in calls if "because" in it}
    refused = {status for it in reasons for status in subjects.reason(it).status}
    return subject(value.get("about", {})) | about(
        operation={it["call"] for it in calls},
        field=fields,
        header={name.lower() for it in calls for name in it.get("headers", {})},
        status={200, *refused, *(it["status"] for it in calls if "status" in it)},
    )


def _keys_in(value: Json) -> set[str]:
    """The names of fields in what an answer must show; expressions and words do not count."""
    if isinstance(value, list):
        return {name for it in value for name in _keys_in(it)}
    if not isinstance(value, dict):
        return set()
    inner = {name for it in value.values() for name in _keys_in(it)}
    return {name for name in value if not name.startswith("$")} | inner


def _changed(request: Json, smallest: Json) -> set[str]:
    """The fields in which *request* differs from *smallest*; none where it has no fields."""
    if "raw" in request:
        return set()
    mine, its = _sent(request), _sent(smallest)
    return {name for name in mine.keys() | its.keys() if mine.get(name) != its.get(name)}


def _sent(request: Json) -> Mapping[str, Json]:
    body = request.get("json", request.get("form"))
    return {**(body if isinstance(body, dict) else {}), **request.get("query", {})}

"""The subject of each mutant: the part of the mock that it changes, in the terms of clauses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from screentest.contract_tests.mutants.mutant import Mutant
from screentest.specs.clauses.citing_places import CitingPlace
from screentest.specs.clauses.clauses import Subject
from screentest.specs.clauses.contract_subjects import ContractSubjects, about, dotted
from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.topics import NOT_OF_ANSWERS, Topic

#: The reason by which each gate refuses.
_REASON_OF_GATE = {
    "authentication": "missing_credential",
    "body": "malformed_body",
    "validation": "invalid",
    "existence": "not_found",
    "ownership": "foreign",
    "state": "wrong_state",
    "content": "content_refused",
    "idempotency": "idempotency_mismatch",
    "rate_limit": "rate_limited",
    "concurrency": "too_many_running",
    "credits": "insufficient_credits",
}
#: The refusal reason that a changed request avoids.
_REASONS = {"any_key": "missing_credential", "any_owner": "foreign", "early": "missing_credential"}
_TOPICS: Mapping[str, frozenset[Topic]] = {
    "freeze": frozenset({"lifecycle"}),
    "twice": frozenset({"idempotency", "credits", "price"}),
    "one_key_space": frozenset({"idempotency"}),
    "shrink": frozenset({"media"}),
    "like": frozenset({"url"}),
    "bytes_cut": frozenset({"media"}),
}
_METHOD: frozenset[Topic] = frozenset({"method"})
_NOT_OF_FIELDS = NOT_OF_ANSWERS | _METHOD
_MONEY: frozenset[Topic] = frozenset({"credits", "price", "refund"})


def citing_mutants(contract: Contract, mutants: Iterable[Mutant]) -> Iterator[CitingPlace]:
    """The clause that each of *mutants* breaks, and what the mutant is about."""
    subjects = ContractSubjects(contract)
    for mutant in mutants:
        place = f"mutants/{contract.provider}.yaml: {mutant.id}"
        yield CitingPlace(place, (mutant.breaks,), _subject(subjects, contract, mutant))


def _subject(subjects: ContractSubjects, contract: Contract, mutant: Mutant) -> Subject:
    change = mutant.change
    match mutant.seam:
        case "behaviour":
            return _of_behaviour(subjects, change)
        case "delivery":
            return about(topic={"webhook"})
        case "money":
            status = {"status_is": change["status"]} if "status" in change else {}
            return _of_operation(subjects, contract, change["after"], status) | about(topic=_MONEY)
        case "stream":
            return subjects.at(("streams", change["of"]))
        case _:
            return _of_operation(subjects, contract, change["of"], change)


def _of_behaviour(subjects: ContractSubjects, change: Mapping[str, Json]) -> Subject:
    steps = change["at"].strip("/").split("/")
    if steps == ["refusals", "order"] and "without" in change:
        return subjects.reason(_REASON_OF_GATE[change["without"]])
    if steps[0] == "refusals" and steps[1] != "replies":
        return about(topic={"error", "ownership", "environment", "method"})
    return subjects.at(steps)


def _of_operation(
    subjects: ContractSubjects, contract: Contract, name: str, change: Mapping[str, Json]
) -> Subject:
    """A change of the requests or answers of one operation, of all (`*`), or of `files`."""
    if name == "files":
        return about(topic={"url", "media"})
    statuses = _statuses(subjects, contract, name, change)
    fields = _fields(change)
    never = _NOT_OF_FIELDS if fields else frozenset[Topic]()
    found = about(field=fields, status=statuses, header=_headers(change), never=never)
    if name in contract.operations:
        whole = subjects.operation(name)
        found |= about(operation={name}, resource=whole.resource, lifecycle=whole.lifecycle)
    for word, reason in _REASONS.items():
        if word in change:
            refused = subjects.reason(reason, name if name in contract.operations else "")
            found = about(operation=found.operation, resource=found.resource) | refused
    for word, topics in _TOPICS.items():
        if word in change:
            found |= about(topic=topics)
    return found


def _statuses(
    subjects: ContractSubjects, contract: Contract, name: str, change: Mapping[str, Json]
) -> AbstractSet[int]:
    """The documented statuses of what is changed; by default the successes."""
    if "status_is" in change:
        return {change["status_is"]}
    if "forgive" in change or "query" in change:
        return subjects.reason("invalid").status
    if name not in contract.operations:
        return set()
    return {int(it) for it in contract.operations[name].replies if it.isdigit() and it < "3"}


def _fields(change: Mapping[str, Json]) -> set[str]:
    pointers = {
        pointer
        for word in (
            "set",
            "add",
            "drop",
            "times",
            "upper",
            "cut",
            "reverse",
            "repeat",
            "text",
            "freeze_fields",
        )
        for pointer in change.get(word, ())
    }
    if "unwrap" in change:
        pointers.add(change["unwrap"])
    return {name for it in pointers if (name := dotted(it))} | {*change.get("query", {})}


def _headers(change: Mapping[str, Json]) -> set[str]:
    dropped = {change["drop_header"]} if "drop_header" in change else set[str]()
    return {*change.get("header", {})} | dropped

"""The places where a contract cites clauses, and the subject of each.

The subject of a place comes from its position in the contract, never from the clauses that it
cites. Comparing the two finds a clause that is cited for another subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from ..contracts.contract import Contract
from ..files import BEHAVIOUR, CHECKS, READINGS
from ..json_types import Json
from ..openapi.openapi_places import places_in
from .check_subjects import subject_of_check
from .clauses import Subject, ids_in, read_clauses, subject
from .contract_subjects import ContractSubjects


class CitingPlace(Struct, frozen=True):
    """A place that cites clauses or interpretations, and what it is about.

    An *is_whole* place lists the clauses of a whole operation.
    """

    at: str
    ids: tuple[str, ...]
    about: Subject
    is_whole: bool = False


def wrong_citations(contract: Contract) -> list[str]:
    """What is wrong with the citations in the files of *contract*; empty without clauses."""
    if not read_clauses(contract):
        return []
    return problems_in(citing_places(contract), citable_subjects(contract))


def problems_in(places: Iterable[CitingPlace], known: Mapping[str, Subject]) -> list[str]:
    """One line for each citation that does not fit, or whose id is not *known*."""
    return [
        f"{place.at}: {problem}"
        for place in places
        for cited in place.ids
        if (problem := _problem(place, cited, known))
    ]


def _problem(place: CitingPlace, cited: str, known: Mapping[str, Subject]) -> str:
    if cited not in known:
        return f"cites {cited}, which does not exist"
    about = known[cited]
    if about == Subject():
        return f"cites {cited}, which has no `about`"
    if about.fits(place.about):
        return ""
    return f"cites {cited} ({about}), and is about {place.about}"


def citable_subjects(contract: Contract) -> dict[str, Subject]:
    """The subject of every clause and interpretation, by id."""
    raw = contract.content(READINGS).values()
    return {
        **{it.id: it.about for it in read_clauses(contract).values()},
        **{it["id"]: subject(it.get("about", {})) for it in raw},
    }


def citing_places(contract: Contract) -> Iterator[CitingPlace]:
    """Every place in the files of *contract* that cites something."""
    subjects = ContractSubjects(contract)
    raw = {**contract.content(BEHAVIOUR)}
    yield from _refusal_places(subjects, raw.pop("cites", {}), "")
    yield from _check_places(subjects, contract.content(CHECKS))
    for steps, ids in _sources(raw, ()):
        is_whole = steps[0] == "operations" and len(steps) == 2
        place = f"{BEHAVIOUR}: {'/'.join(steps)}"
        yield CitingPlace(place, ids, subjects.at(steps), is_whole)
    for found in places_in(contract.document):
        about_it = subjects.of_schema(found)
        yield CitingPlace(f"openapi.yaml: {found.at}", found.ids, about_it, found.is_whole)


def _sources(
    value: Json, steps: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(path of the mapping that has it, ids) of every `source` in *value*."""
    if isinstance(value, dict):
        for name, below in value.items():
            if name == "source":
                yield steps, ids_in(below)
            else:
                yield from _sources(below, (*steps, str(name)))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _sources(below, (*steps, str(index)))


def _refusal_places(subjects: ContractSubjects, raw: Json, operation: str) -> Iterator[CitingPlace]:
    """The places of a `cites` table, or of what it says of one operation."""
    at = f"{BEHAVIOUR}: cites/operations/{operation}" if operation else f"{BEHAVIOUR}: cites"
    for reason, ids in raw.get("reasons", {}).items():
        yield CitingPlace(f"{at}/reasons/{reason}", tuple(ids), subjects.reason(reason, operation))
    for field, rules in raw.get("fields", {}).items():
        lists = rules if isinstance(rules, dict) else {"": rules}
        for keyword, ids in lists.items():
            place = f"{at}/fields/{field}/{keyword}".rstrip("/")
            yield CitingPlace(place, tuple(ids), subjects.invalid_field(field, operation))
    for name, inner in raw.get("operations", {}).items():
        yield from _refusal_places(subjects, inner, name)


def _check_places(subjects: ContractSubjects, raw: Json) -> Iterator[CitingPlace]:
    """The places of checks.yaml."""
    for steps, ids in _sources(raw, ()):
        place = f"{CHECKS}: {_check_name(raw, steps)}"
        yield CitingPlace(place, ids, subject_of_check(subjects, raw, steps))
    for rule_id, ids in raw.get("also", {}).items():
        place = f"{CHECKS}: also/{rule_id}"
        yield CitingPlace(place, ids_in(ids), subjects.rule(rule_id))


def _check_name(checks: Json, steps: tuple[str, ...]) -> str:
    """The path of a check; operation and summary take the place of a number, which shifts."""
    if steps[0] not in {"refused", "accepted", "relations"}:
        return "/".join(steps)
    value = checks[steps[0]][int(steps[1])]
    return f"{steps[0]}/{value['operation']}: {value['summary']}"

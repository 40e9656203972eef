"""The numbered sentences of a provider's document, each with the subject that it is about.

They are in `clauses.yaml` beside the contract. A subject lists the operations, fields, statuses and
so on that a sentence speaks of, so that a test finds where a sentence is cited for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from ..contracts.contract import Contract
from ..errors import ContractError, no_such
from ..files import read_yaml
from ..json_types import Json
from ..topics import Topic


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """What a clause or a citing place is about. An empty dimension does not limit it.

    *field* has wire names, dotted for nested fields, of a request or of an answer. A citing place
    is *never* about some topics, whatever else it shares with a clause.
    """

    operation: frozenset[str] = frozenset()
    field: frozenset[str] = frozenset()
    status: frozenset[int] = frozenset()
    header: frozenset[str] = frozenset()
    lifecycle: frozenset[str] = frozenset()
    resource: frozenset[str] = frozenset()
    topic: frozenset[Topic] = frozenset()
    never: frozenset[Topic] = frozenset()

    def fits(self, other: Subject) -> bool:
        """Whether both share a value in a dimension, and in every dimension that both name."""
        if any(
            one.topic and one.topic <= other.never for one, other in ((self, other), (other, self))
        ):
            return False
        shared = [
            _share(name, mine, its)
            for name in DIMENSIONS
            if (mine := getattr(self, name)) and (its := getattr(other, name))
        ]
        return bool(shared) and all(shared)

    def __or__(self, other: Subject) -> Subject:
        """The subject of both together."""
        names = self.__struct_fields__
        return Subject(**{name: getattr(self, name) | getattr(other, name) for name in names})

    def __str__(self) -> str:
        named = ((name, getattr(self, name)) for name in DIMENSIONS)
        parts = [
            f"{name} {', '.join(sorted(map(str, values)))}" for name, values in named if values
        ]
        return "; ".join(parts) or "no subject"


DIMENSIONS = tuple(name for name in Subject.__struct_fields__ if name != "never")


class Clause(Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence. *because* is given where it does not bind the server, and says why."""

    id: str
    says: str
    about: Subject
    binds: Literal["server", "client", "reader"] = "server"
    because: str = ""


def read_clauses(contract: Contract) -> Mapping[str, Clause]:
    """The clauses of *contract* by id, in the order of the file; none where there is no file.

    Raises:
        ContractError: the file is wrong, or names something that the contract does not have.
    """
    path = contract.folder / "clauses.yaml"
    if not path.exists():
        return {}
    clauses: dict[str, Clause] = {}
    for clause_id, raw in read_yaml(path).items():
        try:
            clause = msgspec.convert(
                {**raw, "id": clause_id, "about": subject(raw["about"])}, Clause
            )
        except (msgspec.ValidationError, TypeError, KeyError) as error:
            raise ContractError(f"{path}: {clause_id}: {error}") from None
        for problem in _problems(clause, contract):
            raise ContractError(f"{path}: {clause_id}: {problem}")
        clauses[clause_id] = clause
    return clauses


def subject(raw: Json) -> Subject:
    """The subject that an `about` mapping describes; each of its values is a scalar or a list.

    Raises:
        msgspec.ValidationError: it has an unknown dimension or topic, or a value of a wrong type.
    """
    lists = {name: it if isinstance(it, list) else [it] for name, it in raw.items()}
    about = msgspec.convert(lists, Subject)
    if about.never:
        raise msgspec.ValidationError("Object contains unknown field `never`")
    return msgspec.structs.replace(about, header=frozenset(it.lower() for it in about.header))


def ids_in(source: Json) -> tuple[str, ...]:
    """The ids of a `source`: one id, a list of ids, or None."""
    return (source,) if isinstance(source, str) else tuple(source or ())


def _share(dimension: str, mine: frozenset[str], its: frozenset[str]) -> bool:
    if dimension != "field":
        return bool(mine & its)
    # `voiceSettings.voiceId` is part of `voiceSettings`, and is `voiceId` inside another schema.
    pairs = [(f".{one}.", f".{other}.") for one in mine for other in its]
    return any(one in other or other in one for one, other in pairs)


def _problems(clause: Clause, contract: Contract) -> Iterator[str]:
    about, behaviour = clause.about, contract.behaviour
    if about == Subject():
        yield "`about` names nothing"
    if (clause.binds == "server") == bool(clause.because):
        yield "`because` goes with `binds: client` and `binds: reader`, and only with them"
    named: tuple[tuple[str, frozenset[str], Mapping[str, object]], ...] = (
        ("operation", about.operation, contract.operations),
        ("lifecycle", about.lifecycle, behaviour.lifecycles),
        ("resource", about.resource, behaviour.resources),
    )
    for kind, names, known in named:
        for name in sorted(names - known.keys()):
            yield no_such(kind, name, known)

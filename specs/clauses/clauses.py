"""The numbered sentences of a provider's document, each with the subject that it is about.

They are in `clauses.yaml` beside the contract. A subject lists the operations, fields, statuses and
so on that a sentence speaks of, so that a test finds where a sentence is cited for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, convert
from msgspec.structs import replace

from ..contracts.contract import Contract
from ..errors import ContractError, no_such
from ..files import CLAUSES, placed, read_as_built
from ..formats import FILLED, Key, check_form, instead, means
from ..json_types import Json
from ..topics import Topic


def _one_or_more(item: Json) -> Meta:
    return instead({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


_Texts = Annotated[frozenset[str], _one_or_more({"type": "string"})]


class Subject(Struct, frozen=True, forbid_unknown_fields=True):
    """What a clause or a citing place is about. An empty dimension does not limit it.

    *field* has wire names, dotted for nested fields, of a request or of an answer. A citing place
    is *never* about some topics, whatever else it shares with a clause.
    """

    operation: Annotated[_Texts, means("Operations.", "createVideo", ["getVideo"])] = frozenset()
    field: Annotated[_Texts, means("Wire names of fields, dotted.", "voice.id")] = frozenset()
    status: Annotated[
        frozenset[int], means("Statuses.", 400, [200, 201]), _one_or_more({"type": "integer"})
    ] = frozenset()
    header: Annotated[_Texts, means("Headers.", "Retry-After")] = frozenset()
    lifecycle: Annotated[_Texts, means("Lifecycles.", "video")] = frozenset()
    resource: Annotated[_Texts, means("Kinds of resource.", "video")] = frozenset()
    topic: Annotated[
        frozenset[Topic],
        means("Topics.", "price", ["price", "credits"]),
        _one_or_more({"enum": list(get_args(Topic))}),
    ] = frozenset()
    never: Annotated[frozenset[Topic], FILLED] = frozenset()

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

    id: Key
    says: Annotated[str, means("The sentence.", "An empty prompt is answered 400.")]
    about: Annotated[
        Subject, means("What it is about.", {"operation": "createVideo", "status": 400})
    ]
    binds: Annotated[
        Literal["server", "client", "reader"], means("Who must keep it.", "client")
    ] = "server"
    because: Annotated[str, means("Why it does not bind the server.", "It advises clients.")] = ""
    inferred: Annotated[
        str,
        means(
            "What it is inferred from; the document does not say it.", "OpenAI's client libraries."
        ),
    ] = ""


def read_clauses(contract: Contract) -> Mapping[str, Clause]:
    """The clauses of *contract* by id, in the order of the file; none where there is no file.

    Raises:
        ContractError: the file is wrong, or names something that the contract does not have.
    """
    path = contract.folder / CLAUSES
    raw = contract.content(CLAUSES)
    if raw and read_as_built(path) is None:
        check_form(raw, path)
    clauses = {
        id_: convert({**it, "id": id_, "about": subject(it["about"])}, Clause)
        for id_, it in raw.items()
    }
    problems = {
        f"/{id_}": it for id_, clause in clauses.items() for it in _problems(clause, contract)
    }
    if problems:
        raise ContractError(*placed(path, problems))
    return clauses


def subject(raw: Json) -> Subject:
    """The subject that a checked `about` mapping describes; its values are scalars or lists."""
    lists = {name: it if isinstance(it, list) else [it] for name, it in raw.items()}
    about = convert(lists, Subject)
    return replace(about, header=frozenset(it.lower() for it in about.header))


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

"""Which operations create, read, list, delete and cancel the same resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random

from msgspec import Struct

from ..behaviour.lifecycles import Kind
from ..json_types import Json
from ..openapi.generating import UngeneratedError, generate
from ..openapi.media_types import is_json
from ..openapi.operations import Operation
from ..openapi.validation import Schema
from .values import Path, at, objects_in
from .words import kind_of_state, singular, snake, status_names, words_of

_CANCEL = frozenset({"cancel", "stop", "abort"})
_NOT_KINDS = frozenset(
    {"get", "fetch", "read", "retrieve", "details", "detail", "status", "result", "results", "id"}
)
_PLACE = re.compile(r"\{([^{}]*)\}/?$")
_VERSION = re.compile(r"v\d+[a-z0-9]*$")
#: A link by shared words needs a word more than the next likely one.
_RECORDED, _NAMED_ID, _COLLECTION = 1_000, 200, 400


class Answer(Struct, frozen=True):
    """The successful JSON answer of an operation: its schema, and two values that it permits.

    *value* is the documented example where there is one; *full* has every field.
    """

    schema: Schema
    value: Json
    full: Json
    status: int


class Link(Struct, frozen=True):
    """An operation of a resource, and *because*, which says how it was recognised."""

    operation: Operation
    because: str


class Found(Struct):
    """A kind of resource: how it is read, and the operations around it.

    *id_at* and *status_at* are places in the answer of *read*; *id_from* is `path.x` or `query.x`.
    *states* are in the order of the file; *states_because* says where they were found.
    """

    name: str
    read: Operation
    answer: Answer
    id_from: str
    id_at: Path
    status_at: Path | None
    states: Sequence[str]
    states_because: str
    creates: list[Link]
    lists: list[Link]
    deletes: list[Link]
    cancels: list[Link]


def answer_of(operation: Operation) -> Answer | None:
    """The successful JSON answer of *operation*; None if it has none that can be made."""
    status = operation.success_status
    shape = operation.reply(status)
    if shape is None or not 200 <= status < 300:
        return None
    for name, schema in shape.content.items():
        if schema is None or not is_json(name):
            continue
        examples = list(shape.examples.get(name, {}).values())
        try:
            value = generate(schema, Random(1), examples=examples)
            full = generate(schema, Random(1), is_full=True)
        except UngeneratedError:
            return None
        return Answer(schema, value, full, status)
    return None


def find_resources(
    operations: Mapping[str, Operation],
    links: Mapping[str, str],
    seen_states: Mapping[str, Sequence[str]],
    unknown: list[str],
) -> list[Found]:
    """The resources of *operations* that can be created and read.

    *links* are (id of a creating operation, id of a reading one) that a recording shows;
    *seen_states* are the states that it shows, by reading operation. What cannot be decided is
    added to *unknown*.
    """
    # Without a credential there is no account that a resource could belong to.
    operations = {name: it for name, it in operations.items() if it.security}
    answers = {name: answer_of(it) for name, it in operations.items()}
    reads = [it for name, it in operations.items() if (it.method == "GET" and answers[name])]
    found = [
        it
        for read in reads
        if (it := _readable(read, answers[read.id], seen_states.get(read.id, ())))
    ]
    for operation in operations.values():
        answer = answers[operation.id]
        if operation.method in {"POST", "PUT"} and answer is not None:
            _link_creation(operation, answer, found, links, unknown)
    unknown += [
        f"what creates the job that {it.read.id} reads"
        for it in found
        if it.status_at is not None and not it.creates
    ]
    found = [it for it in found if it.creates]
    for it in found:
        _link_rest(it, operations, answers)
    _name_apart(found)
    return found


# Reading


def _readable(read: Operation, answer: Answer | None, seen: Sequence[str]) -> Found | None:
    assert answer is not None
    parameter = _id_parameter(read)
    if parameter is None:
        return None
    name = parameter.partition(".")[2]
    kind = _kind_name(read.path)
    id_at = next((it for it in id_places(answer.value, name, kind)), None)
    if id_at is None or not is_id(at(answer.value, id_at)):
        return None
    status_at, states, because = _status(answer, id_at[:-1], seen)
    return Found(kind, read, answer, parameter, id_at, status_at, states, because, [], [], [], [])


def _id_parameter(read: Operation) -> str | None:
    last = _PLACE.search(read.path)
    if last is not None:
        return f"path.{last[1]}"
    if "{" in read.path:
        return None
    named = [it.name for it in read.parameters if it.place == "query" and it.is_required]
    named = [it for it in named if snake(it).endswith("id")]
    return f"query.{named[0]}" if len(named) == 1 else None


def _kind_name(path: str) -> str:
    """The resource that *path* names: `/v1/video-projects/{id}` is `video_project`."""
    steps = [it for it in path.split("/") if it and "{" not in it and not _VERSION.match(it)]
    named = [[it for it in words_of(step) if it not in _NOT_KINDS] for step in steps]
    words = next((it for it in reversed(named) if it), [])
    name = "_".join([*words[:-1], singular(words[-1])]) if words else "resource"
    return name if name[0].isalpha() else f"r_{name}"


def id_places(value: Json, parameter: str, kind: str) -> Iterator[Path]:
    """Where *value* holds the id of what was asked for, the likeliest first."""
    last = words_of(kind)[-1]
    wanted = [snake(parameter), f"{kind}_id", f"{last}_id", "id", "task_id", "job_id", "uuid"]
    for container, inside in objects_in(value, ()):
        names = {snake(it): it for it in inside}
        for name in wanted:
            if name in names:
                yield (*container, names[name])


def _status(
    answer: Answer, container: Path, seen: Sequence[str]
) -> tuple[Path | None, Sequence[str], str]:
    """The place of the state, the states, and how they were found."""
    for place in dict.fromkeys((container, ())):
        fields = answer.schema.fields
        for step in place:
            fields = fields.properties.get(str(step), fields)
        names = status_names(fields.properties)
        for name in names:
            choices = [it for it in fields.properties[name].choices if isinstance(it, str)]
            because, documented = "its schema lists them", choices
            if not choices:
                text = " ".join(fields.properties[name].descriptions)
                documented = _states_in(text)
                because = "its description lists them"
            if not documented and seen:
                documented, because = list(seen), "the recording shows them"
            kinds = {kind_of_state(it) for it in documented}
            if Kind.SUCCEEDED in kinds and len(documented) > 1:
                return (*place, name), documented, because
    return None, (), ""


def _states_in(text: str) -> list[str]:
    """The states that a description lists, such as `queued`, `processing` or `done`."""
    quoted = re.findall(r"[`'\"“]([A-Za-z_-]{3,30})[`'\"”]", text)
    plain = re.findall(r"\b([A-Z]{4,}(?:_[A-Z]+)*|[a-z_]{4,})\b", text)
    for words in (quoted, plain):
        states = list(dict.fromkeys(it for it in words if kind_of_state(it) is not None))
        kinds = {kind_of_state(it) for it in states}
        if Kind.SUCCEEDED in kinds and kinds & {Kind.WAITING, Kind.RUNNING}:
            return states
    return []


# Creating


def _link_creation(
    operation: Operation,
    answer: Answer,
    found: Sequence[Found],
    links: Mapping[str, str],
    unknown: list[str],
) -> None:
    """Add *operation* to the resource that it creates."""
    own = {snake(it) for it in re.findall(r"\{([^{}]*)\}", operation.path)}
    scored = sorted(
        (
            (score, because, it)
            for it in found
            for score, because in [_likeness(operation, answer, it, own, links)]
            if score
        ),
        key=lambda it: -it[0],
    )
    if not scored:
        return
    if len(scored) > 1 and scored[0][0] == scored[1][0]:
        names = " or ".join(it.read.id for score, _, it in scored if score == scored[0][0])
        unknown.append(f"what {operation.id} creates: {names} may read it")
        return
    scored[0][2].creates.append(Link(operation, scored[0][1]))


def _likeness(
    operation: Operation,
    answer: Answer,
    found: Found,
    own: set[str],
    links: Mapping[str, str],
) -> tuple[int, str]:
    """How likely *operation* creates what *found* reads, 0 for not at all; and why."""
    places = list(id_places(answer.value, found.id_from.partition(".")[2], found.name))
    if not places or not is_id(at(answer.value, places[0])):
        return 0, ""
    field = snake(str(places[0][-1]))
    collection = _collection(found.read)
    is_inside = operation.path.rstrip("/") == collection
    if (field in own and not is_inside) or operation.path.startswith(found.read.path):
        return 0, ""  # it acts on what its path names
    if links.get(operation.id) == found.read.id:
        return _RECORDED, f"the recording reads its id by {found.read.id}"
    score = _shared_words(operation, answer, places[0], found)
    score += 10 * _same_version(operation.path, found.read.path)
    if found.id_from.startswith("path.") and is_inside:
        return score + _COLLECTION, f"its answer has an id, and {found.read.path} takes one"
    parameter = snake(found.id_from.partition(".")[2])
    if field == parameter != "id":
        return score + _NAMED_ID, f"its answer has {field!r}, which {found.read.path} takes"
    if found.status_at is not None and score >= 100:
        return score, f"its answer has an id, and its description names {found.name!r}"
    return 0, ""


def _shared_words(operation: Operation, answer: Answer, place: Path, found: Found) -> int:
    """100 for each word that the answer's id and the read have in common, 1 for each other one."""
    fields = answer.schema.fields
    for step in place:
        fields = fields.properties.get(str(step), fields)
    steps = [it for it in found.read.path.split("/") if it and "{" not in it]
    wanted = {singular(it) for step in steps for it in words_of(step) if not _VERSION.match(it)}
    wanted -= _NOT_KINDS
    near = {singular(it) for text in fields.descriptions for it in words_of(text)}
    names = words_of(f"{operation.id} {operation.path} {operation.summary}")
    return 100 * len(wanted & near) + len(wanted & {singular(it) for it in names})


def _same_version(one: str, other: str) -> bool:
    return re.findall(r"/(v\d+[a-z0-9]*)/", one) == re.findall(r"/(v\d+[a-z0-9]*)/", other)


# The rest


def _link_rest(
    found: Found, operations: Mapping[str, Operation], answers: Mapping[str, Answer | None]
) -> None:
    if not found.id_from.startswith("path."):
        return
    collection = _collection(found.read)
    for it in operations.values():
        is_list = it.method == "GET" and it.path.rstrip("/") == collection
        if is_list and answers[it.id] is not None:
            found.lists.append(Link(it, f"it reads {collection}"))
        elif it.method == "DELETE" and it.path == found.read.path:
            found.deletes.append(Link(it, f"it deletes {it.path}"))
        elif _collection(it) == found.read.path.rstrip("/") and it.method in {"POST", "PUT"}:
            last = it.path.rstrip("/").rpartition("/")[2]
            if _CANCEL & set(words_of(last)):
                found.cancels.append(Link(it, f"its path ends in {last!r}"))


def _collection(operation: Operation) -> str:
    """The path of *operation* without its last step."""
    return operation.path.rstrip("/").rpartition("/")[0]


def is_id(value: Json) -> bool:
    """Whether *value* may be an id: a text or a whole number."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def _name_apart(found: Iterable[Found]) -> None:
    """Give each resource a name of its own."""
    taken: set[str] = set()
    for it in found:
        wanted = it.name
        version = re.findall(r"/(v\d+[a-z0-9]*)/", it.read.path)
        number = 2
        while it.name in taken:
            suffix = version[0] if version and number == 2 else str(number)
            it.name, number = f"{wanted}_{suffix}", number + 1
        taken.add(it.name)

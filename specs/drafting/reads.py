"""Which operations read a resource by its id, and which states their answers show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..behaviour.lifecycles import Kind
from ..json_types import Json
from ..openapi.operations import Operation
from .found import Answer, Found
from .values import Path, at, objects_in
from .words import kind_of_state, singular, snake, status_names, words_of

#: Words of paths that name no kind of resource.
NOT_KINDS = frozenset(
    {"get", "fetch", "read", "retrieve", "details", "detail", "status", "result", "results", "id"}
)
_PLACE = re.compile(r"\{([^{}]*)\}/?$")
VERSION = re.compile(r"v\d+[a-z0-9]*$")
#: Words in the names of operations that ask for something by POST.
_ASKS = frozenset(
    {"get", "fetch", "retrieve", "query", "status", "result", "results", "poll", "check", "details"}
)


def readable(read: Operation, answer: Answer, seen: Sequence[str]) -> Found | None:
    """What *read* reads by an id, with the states *seen* in recordings; None without an id."""
    parameter = _id_parameter(read)
    if parameter is None:
        return None
    name = parameter.partition(".")[2]
    kind = _kind_name(read.path)
    id_at = next((it for it in id_places(answer.value, name, kind)), None)
    if id_at is not None and not is_id(at(answer.value, id_at)):
        id_at = None
    status_at, states, because = _status(answer, id_at[:-1] if id_at is not None else (), seen)
    # Other requests than GET, and answers without an id, are about jobs only.
    is_plain = read.method == "GET" and id_at is not None
    if not is_plain and status_at is None:
        return None
    return Found(kind, read, answer, parameter, id_at, status_at, states, because, [], [], [], [])


def _id_parameter(read: Operation) -> str | None:
    """Where a request of *read* has the id of what it reads; None if it reads nothing by an id."""
    if read.method == "POST":
        return _id_in_body(read)
    if read.method != "GET":
        return None
    last = _PLACE.search(read.path)
    if last is not None:
        return f"path.{last[1]}"
    if "{" in read.path:
        return None
    queried = [it for it in read.parameters if it.place == "query"]
    named = [it for it in queried if snake(it.name).endswith("id")]
    named = [it for it in named if it.is_required] or named
    return f"query.{named[0].name}" if len(named) == 1 else None


def _id_in_body(read: Operation) -> str | None:
    """The field of the body of a POST that only asks for a job: an id, with no other needed."""
    schema = read.body_schema("application/json")
    if schema is None or "{" in read.path:
        return None
    needed = schema.fields.required or [*schema.fields.properties]
    words = {*words_of(f"{read.id} {read.path}")}
    is_query = bool(words & _ASKS) and len(needed) == 1 and snake(needed[0]).endswith("id")
    return f"body.{needed[0]}" if is_query else None


def _kind_name(path: str) -> str:
    """The resource that *path* names: `/v1/video-projects/{id}` is `video_project`."""
    steps = [it for it in path.split("/") if it and "{" not in it and not VERSION.match(it)]
    named = [[it for it in words_of(step) if it not in NOT_KINDS] for step in steps]
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


def is_id(value: Json) -> bool:
    """Whether *value* may be an id: a text or a whole number."""
    return isinstance(value, str | int) and not isinstance(value, bool)

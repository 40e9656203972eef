"""Which operations create, read, list, delete and cancel the same resource."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..openapi.operations import Operation
from .found import Answer, Found, Link
from .reads import NOT_KINDS, VERSION, id_places, is_id, readable
from .values import Path, at, objects_in
from .words import singular, snake, words_of

_CANCEL = frozenset({"cancel", "stop", "abort"})
#: A link by shared words needs a word more than the next likely one.
_RECORDED, _NAMED_ID, _COLLECTION = 1_000, 200, 400
#: Weaker signs, for files that say little.
_INSIDE, _ONLY = 60, 50


def find_resources(
    operations: Mapping[str, Operation],
    answers: Mapping[str, Answer | None],
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
    own = [it for it in operations.values() if it.security]
    found: list[Found] = []
    for read in own:
        answer = answers[read.id]
        resource = readable(read, answer, seen_states.get(read.id, ())) if answer else None
        found += [resource] if resource is not None else []
    index = _Index(found, own)
    reads = {it.read.id for it in found}
    for operation in own:
        answer = answers[operation.id]
        is_creation = operation.method in {"POST", "PUT"} and operation.id not in reads
        if is_creation and answer is not None:
            _link_creation(operation, answer, index, links, unknown)
    unknown += [
        f"what creates the job that {it.read.id} reads"
        for it in found
        if it.status_at is not None and not it.creates
    ]
    found = [it for it in found if it.creates]
    around: dict[str, list[Operation]] = {}
    for operation in own:
        around.setdefault(operation.path.rstrip("/"), []).append(operation)
        around.setdefault(_collection(operation), []).append(operation)
    for it in found:
        _link_rest(it, around, answers)
    _name_apart(found)
    return found


class _Index:
    """Resources by what an operation that creates them may have in common with them."""

    def __init__(self, found: Sequence[Found], operations: Iterable[Operation]) -> None:
        self._jobs = [it for it in found if it.status_at is not None]
        self._read_paths = {it.path for it in operations if it.method == "GET"}
        self._by_read = {it.read.id: it for it in found}
        self._by_collection: dict[str, list[Found]] = {}
        self._by_parameter: dict[str, list[Found]] = {}
        self._by_word: dict[str, list[Found]] = {}
        for it in found:
            self._by_collection.setdefault(_collection(it.read), []).append(it)
            self._by_parameter.setdefault(snake(it.id_from.partition(".")[2]), []).append(it)
            for word in _words_of_path(it.read.path) if it.status_at is not None else ():
                self._by_word.setdefault(word, []).append(it)

    def near(
        self, operation: Operation, answer: Answer, links: Mapping[str, str]
    ) -> Sequence[Found]:
        """The resources that *operation* may create, by the strongest sign that there is."""
        recorded = self._by_read.get(links.get(operation.id, ""))
        if recorded is not None:
            return [recorded]
        inside = self._by_collection.get(operation.path.rstrip("/"), [])
        if inside:
            return inside
        names = {snake(name) for _, it in objects_in(answer.value, ()) for name in it} - {"id"}
        named = [it for name in sorted(names) for it in self._by_parameter.get(name, ())]
        words = {singular(word) for text in _descriptions_of_ids(answer) for word in words_of(text)}
        described = [it for word in sorted(words) for it in self._by_word.get(word, ())]
        near = {it.read.id: it for it in (*named, *described, *self._above(operation.path))}
        if not near and len(self._jobs) == 1 and operation.path not in self._read_paths:
            return self._jobs
        return list(near.values())

    def is_only_job(self, found: Found) -> bool:
        """Whether no other job is read."""
        return self._jobs == [found]

    def _above(self, path: str) -> Iterator[Found]:
        """The resources in whose collection *path* is: `/jobs/video` is in `/jobs`."""
        steps = path.split("/")
        for end in range(len(steps) - 1, 1, -1):
            yield from self._by_collection.get("/".join(steps[:end]), ())


def _descriptions_of_ids(answer: Answer) -> Iterator[str]:
    for place, inside in objects_in(answer.value, ()):
        fields = answer.schema.fields
        for step in place:
            fields = fields.properties.get(str(step), fields)
        for name in inside:
            if snake(name).endswith("id") and name in fields.properties:
                yield from fields.properties[name].descriptions


def _words_of_path(path: str) -> set[str]:
    """The words of the fixed steps of *path*, without those of every path."""
    steps = [it for it in path.split("/") if it and "{" not in it and not VERSION.match(it)]
    return {singular(it) for step in steps for it in words_of(step)} - NOT_KINDS


# Creating


def _link_creation(
    operation: Operation,
    answer: Answer,
    index: _Index,
    links: Mapping[str, str],
    unknown: list[str],
) -> None:
    """Add *operation* to the resource that it creates."""
    own = {snake(it) for it in re.findall(r"\{([^{}]*)\}", operation.path)}
    scored = sorted(
        (
            (score, because, it)
            for it in index.near(operation, answer, links)
            for score, because in [
                _likeness(operation, answer, it, own, links, is_only=index.is_only_job(it))
            ]
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
    *,
    is_only: bool,
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
    if found.status_at is None:
        return 0, ""
    if score >= 100:
        return score, f"its answer has an id, and its description names {found.name!r}"
    if operation.path.startswith(f"{collection}/"):
        return _INSIDE, f"its answer has an id, and its path is in {collection}"
    return (_ONLY, "its answer has an id, and no other job is read") if is_only else (0, "")


def _shared_words(operation: Operation, answer: Answer, place: Path, found: Found) -> int:
    """100 for each word that the answer's id and the read have in common, 1 for each other one."""
    fields = answer.schema.fields
    for step in place:
        fields = fields.properties.get(str(step), fields)
    wanted = _words_of_path(found.read.path)
    near = {singular(it) for text in fields.descriptions for it in words_of(text)}
    names = words_of(f"{operation.id} {operation.path} {operation.summary}")
    return 100 * len(wanted & near) + len(wanted & {singular(it) for it in names})


def _same_version(one: str, other: str) -> bool:
    return re.findall(r"/(v\d+[a-z0-9]*)/", one) == re.findall(r"/(v\d+[a-z0-9]*)/", other)


# The rest


def _link_rest(
    found: Found,
    around: Mapping[str, Sequence[Operation]],
    answers: Mapping[str, Answer | None],
) -> None:
    """Add what else works on *found*; *around* are the operations at a path, and below it."""
    if not found.id_from.startswith("path."):
        return
    collection, own = _collection(found.read), found.read.path.rstrip("/")
    for it in around.get(collection, ()):
        is_list = it.method == "GET" and it.path.rstrip("/") == collection
        if is_list and answers[it.id] is not None:
            found.lists.append(Link(it, f"it reads {collection}"))
    for it in around.get(own, ()):
        last = it.path.rstrip("/").rpartition("/")[2]
        is_deletion = it.method == "DELETE" and it.path == found.read.path
        if is_deletion and "cancel" in words_of(it.id):
            found.cancels.append(Link(it, f"it is called {it.id!r}"))
        elif is_deletion:
            found.deletes.append(Link(it, f"it deletes {it.path}"))
        elif it.method in {"POST", "PUT"} and _CANCEL & set(words_of(last)):
            found.cancels.append(Link(it, f"its path ends in {last!r}"))


def _collection(operation: Operation) -> str:
    """The path of *operation* without its last step."""
    return operation.path.rstrip("/").rpartition("/")[0]


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

"""What APIs usually call the states of a job, and the fields of its answers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum

from ..behaviour.lifecycles import Kind
from ..json_types import Json


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STATE_WORDS: Mapping[Kind, frozenset[str]] = {
    Kind.FAILED: _words("fail failed failure error errored rejected invalid timeout nsfw blocked"),
    Kind.CLOSED: _words(
        "cancel canceled cancelled canceling cancelling aborted deleted expired removed archived"
        " stopped terminated"
    ),
    Kind.RESTING: _words("draft paused throttled reviewing suspended new"),
    Kind.SUCCEEDED: _words(
        "complete completed succeed succeeded success successful done finished ready generated"
        " rendered"
    ),
    Kind.WAITING: _words(
        "queued queue pending waiting created submitted accepted scheduled starting received"
        " initialized initializing preparing"
    ),
    Kind.RUNNING: _words(
        "running run processing progress rendering dreaming generating started active working"
        " executing transcoding uploading downloading encoding animating thinking"
    ),
}
#: The order in which a job passes through kinds of states.
KIND_ORDER = (
    Kind.RESTING,
    Kind.WAITING,
    Kind.RUNNING,
    Kind.SUCCEEDED,
    Kind.FAILED,
    Kind.CLOSED,
)


class Role(Enum):
    """What a field of an answer says about a job."""

    CREATED = "created"
    ENDED = "ended"
    EXPIRES = "expires"
    PROGRESS = "progress"
    COST = "cost"
    FAILURE = "failure"
    FILE = "file"
    OTHER = "other"


_STATUS_NAMES = ("status", "state", "task_status", "job_status", "phase", "stage")
_PROGRESS = frozenset({"progress", "percent", "percentage", "progress_percent", "progress_pct"})
_FAILURES = _words(
    "error errors failure failure_reason failure_message failure_code error_message error_code"
    " fail_reason error_details failure_detail"
)
#: Addresses that are not results of a job.
_NOT_RESULTS = re.compile(
    r"(^|_)(callback|webhook|avatar|profile|docs?|page|share|dashboard|self|next|prev|previous"
    r"|upload|input|source|src|poll|status|cancel|get|stream|logs?|web|tracking)(_|$)"
)
#: Results that are not videos; a mock of videos has none of them.
_OTHER_FILES = re.compile(
    r"(^|_)(thumb|thumbnail|image|gif|poster|cover|preview|subtitles?|captions?|srt|audio|json)(_|$)"
)
_FILE_NAMES = re.compile(r"(^|_)(url|uri|urls|download|downloads|href|link)$")


def snake(name: str) -> str:
    """`createdAt` as `created_at`."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name)
    return split.strip("_").lower()


def words_of(text: str) -> list[str]:
    """The words of a name or of a path, in lower case."""
    return [it for it in snake(text).split("_") if it]


def kind_of_state(state: str) -> Kind | None:
    """The meaning that APIs usually give a state of this name; None if the name is unusual."""
    words = words_of(state)
    for kind, known in _STATE_WORDS.items():
        if any(it in known for it in words):
            return kind
    return None


def singular(word: str) -> str:
    """`videos` as `video`."""
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def status_names(names: Collection[str]) -> list[str]:
    """Those of *names* that may hold the state of a job, the likeliest first."""
    exact = [it for wanted in _STATUS_NAMES for it in names if snake(it) == wanted]
    ending = [it for it in names if snake(it).endswith(("_status", "_state"))]
    return [*exact, *(it for it in ending if it not in exact)]


def role_of(name: str, value: Json) -> Role:
    """The role of the field *name*, which has a *value* such as this one."""
    plain = snake(name)
    if plain in _FAILURES:
        return Role.FAILURE
    if plain in _PROGRESS and _is_number(value):
        return Role.PROGRESS
    if _is_number(value) and re.search(r"(^|_)(credits?|cost|price|charged)(_|$)", plain):
        return Role.COST
    if plain.startswith(("expire", "valid_until")) or plain.endswith("_expires"):
        return Role.EXPIRES
    is_time = re.search(r"(_at|_time|_on|_date|_timestamp|timestamp)$", plain) is not None
    if is_time and re.search(r"(complete|finish|end|fail|done)", plain):
        return Role.ENDED
    if plain in {"created", "updated", "timestamp"} or (
        is_time and re.search(r"(creat|updat|submit|start|insert|queued|modif)", plain)
    ):
        return Role.CREATED
    if is_file(name, value):
        return Role.FILE
    return Role.OTHER


def is_file(name: str, value: Json) -> bool:
    """Whether the field *name* with this *value* is the address of a result."""
    if not isinstance(value, str) or _NOT_RESULTS.search(snake(name)):
        return False
    return value.startswith(("http://", "https://")) or bool(_FILE_NAMES.search(snake(name)))


def is_video(name: str) -> bool:
    """Whether the address in the field *name* is that of the video itself."""
    return not _OTHER_FILES.search(snake(name))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

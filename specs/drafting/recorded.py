"""What recorded calls show about a provider: links, states, durations, forms, costs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from msgspec import Struct

from ..behaviour.lifecycles import Kind
from ..contracts.redaction import BY_SHAPE
from ..json_types import Json
from ..openapi.operations import Operation
from ..openapi.routes import Routes
from .forms import form_of_key
from .found import Found
from .values import at, leaves, objects_in
from .words import Role, kind_of_state, role_of, snake, status_names

_ID_LENGTH_MIN = 4
_LIMITS = ("x-ratelimit-limit", "ratelimit-limit", "x-rate-limit-limit")


class Seen(Struct, frozen=True):
    """One recorded call. *sent* and *reply* are decoded JSON; header names are in lower case."""

    at_ms: int
    method: str
    origin: str
    path: str
    query: str
    request_headers: Mapping[str, str]
    sent: Json
    status: int
    headers: Mapping[str, str]
    reply: Json


class _Made(Struct, frozen=True):
    """A recorded call of an operation, with its path parameters."""

    call: Seen
    values: Mapping[str, str]


class Recorded:
    """The *calls* of a recording, by operation."""

    def __init__(
        self, calls: Sequence[Seen] = (), operations: Mapping[str, Operation] | None = None
    ) -> None:
        self._made: dict[str, list[_Made]] = {}
        routes = Routes(list((operations or {}).values()))
        for call in sorted(calls, key=lambda it: it.at_ms):
            match = _match(routes, call)
            if match is not None:
                name, made = match
                self._made.setdefault(name, []).append(made)

    def links(self) -> dict[str, str]:
        """By creating operation the reading one, where an id of an answer was read later."""
        first: dict[str, str] = {}
        for name, made in self._made.items():
            for it in made:
                if it.call.method in {"POST", "PUT"}:
                    first |= dict.fromkeys(_texts(it.call.reply), name)
        found: dict[str, str] = {}
        for name, made in self._made.items():
            for it in made:
                for value in it.values.values():
                    if it.call.method == "GET" and value in first:
                        found.setdefault(first[value], name)
        return found

    def states(self) -> dict[str, list[str]]:
        """By reading operation the states that its answers show, in order of appearance."""
        found: dict[str, list[str]] = {}
        for name, made in self._made.items():
            for it in made:
                for _, inside in objects_in(it.call.reply, ()):
                    for field in status_names(inside)[:1]:
                        if isinstance(inside[field], str) and it.call.method == "GET":
                            known = found.setdefault(name, [])
                            known += [inside[field]] if inside[field] not in known else []
        return found

    def ids(self, found: Found) -> list[str]:
        """The ids that answers of the read of *found* show."""
        values = [found.id_in(it.call.reply) for it in self._made.get(found.read.id, ())]
        return [it for it in dict.fromkeys(values) if isinstance(it, str) and it]

    def lasts_ms(self, found: Found, state: str) -> list[int] | None:
        """The shortest and the longest time in *state*; None where no job was seen to leave it."""
        lasted = [
            entered[following] - entered[state]
            for entered in self._entered(found)
            for following in [_after(state, list(entered))]
            if following is not None
        ]
        return [min(lasted), max(lasted)] if lasted else None

    def pause_ms(self, polled: Sequence[str]) -> int | None:
        """The usual pause between two reads of one job."""
        pauses = [
            later.call.at_ms - earlier.call.at_ms
            for name in polled
            for polls in self._by_path(name).values()
            for earlier, later in pairwise(polls)
        ]
        # To tenths of a second: the rest is the network's.
        return round(median(pauses) / 100) * 100 if pauses else None

    def failure(self, found: Found) -> str | None:
        """The reason of a job that failed, without secrets."""
        for it in self._made.get(found.read.id, ()):
            state = at(it.call.reply, found.status_at or ())
            if isinstance(state, str) and kind_of_state(state) is Kind.FAILED:
                for name, value in leaves("", it.call.reply):
                    is_words = isinstance(value, str) and " " in value
                    if is_words and re.search(r"error|fail|reason|message|detail", snake(name)):
                        return BY_SHAPE.cut_text(value)
        return None

    def cost(self, operation: str) -> int | None:
        """The usual cost that answers of *operation* show."""
        costs = Counter(
            int(value)
            for it in self._made.get(operation, ())
            for name, value in leaves("", it.call.reply)
            if it.call.status < 300 and role_of(name, value) is Role.COST and value >= 0
        )
        return costs.most_common(1)[0][0] if costs else None

    def limit(self, operation: str) -> int | None:
        """The number of calls that the rate headers of *operation* allow."""
        for it in self._made.get(operation, ()):
            for name in _LIMITS:
                found = re.match(r"\d+", it.call.headers.get(name, ""))
                if found is not None and int(found[0]) > 0:
                    return int(found[0])
        return None

    def key_form(self, header: str) -> str | None:
        """The form of the keys in *header*; None where they were cut out of the recording."""
        for made in self._made.values():
            for it in made:
                key = it.call.request_headers.get(header.lower(), "").rpartition(" ")[2]
                if re.fullmatch(r"[A-Za-z0-9_.-]{12,}", key):
                    return form_of_key(key)
        return None

    def _by_path(self, operation: str) -> dict[str, list[_Made]]:
        found: dict[str, list[_Made]] = {}
        for it in self._made.get(operation, ()):
            found.setdefault(f"{it.call.path}?{it.call.query}", []).append(it)
        return found

    def _entered(self, found: Found) -> Iterator[dict[str, int]]:
        """By job, the instant at which each state was first seen; the first is the creation's."""
        for polls in self._by_path(found.read.id).values():
            entered: dict[str, int] = {}
            id_ = found.id_in(polls[0].call.reply)
            for it in polls:
                state = at(it.call.reply, found.status_at or ())
                if isinstance(state, str):
                    entered.setdefault(state, it.call.at_ms)
            if entered:
                created_ms = self._created_ms(found, id_)
                first = next(iter(entered))
                entered[first] = created_ms if created_ms is not None else entered[first]
                yield entered

    def _created_ms(self, found: Found, id_: Json) -> int | None:
        for link in found.creates:
            for it in self._made.get(link.operation.id, ()):
                if id_ in _texts(it.call.reply):
                    return it.call.at_ms
        return None


def _match(routes: Routes, call: Seen) -> tuple[str, _Made] | None:
    """The operation of *call*; other servers may have any prefix before its path."""
    steps = call.path.split("/")
    for start in range(1, len(steps)):
        match = routes.find(call.method, "/" + "/".join(steps[start:]))
        if match is not None:
            return match.operation.id, _Made(call, match.path)
    return None


def _after(state: str, order: Sequence[str]) -> str | None:
    if state not in order or state == order[-1]:
        return None
    return order[order.index(state) + 1]


def _texts(value: Json) -> list[str]:
    return [it for _, it in leaves("", value) if isinstance(it, str) and len(it) >= _ID_LENGTH_MIN]

"""Templates of answers: a value that the schema permits, with facts of the resource in its fields.

Each fact is put in only where the answer stays valid, so a drafted view never breaks its schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy

from msgspec import Struct

from ..behaviour.lifecycles import Kind
from ..json_types import Json
from ..openapi.fields import Fields
from .found import Answer
from .requests import Echo
from .values import Path, at, leaves, put
from .words import Role, is_file, is_video, role_of, snake

_FILE = "https://files.example/video.mp4?signature=0"
_TEXT = "a text"
_ENDS = (Kind.SUCCEEDED, Kind.FAILED)
#: Fields that show the request.
_REQUESTS = frozenset({"request", "input", "inputs", "parameters", "params", "payload"})
#: What a template would fill in.
_OPEN = re.compile(r"^\$|\{[a-z_][a-z0-9_.]*\}")
_ISO = "2026-11-21T22:00:00.000Z"
_SECONDS = 1_795_298_400
#: A later instant in seconds would be one in milliseconds.
_SECONDS_MAX = 100_000_000_000


class Known(Struct, frozen=True):
    """What the fields of a resource's answers may show.

    *echoes* are the fields of the request that made it, *requests* samples of it. *facts* is the
    prefix of a fact's name: empty, or `job.` in webhooks.
    """

    id_at: Path | None
    status_at: Path | None
    id: str
    echoes: Mapping[str, Echo]
    requests: Sequence[Json]
    is_priced: bool
    facts: str = ""


class Shown(Struct):
    """A template, and the answer that it gives for sample facts."""

    template: Json
    sample: Json


def show(answer: Answer, known: Known, state: str, kind: Kind | None) -> Shown | None:
    """The template for an *answer* about a resource in *state* of *kind*.

    None where the answer cannot show the resource's id or its state.
    """
    filler = _Filler(answer, known, state, kind)
    return filler.made if filler.fill() else None


class _Filler:
    """Puts facts into one answer."""

    def __init__(self, answer: Answer, known: Known, state: str, kind: Kind | None) -> None:
        self.made = Shown(deepcopy(answer.value), deepcopy(answer.value))
        self._schema = answer.schema
        self._full = answer.full
        self._is_example = answer.is_example
        self._known = known
        self._state = state
        self._kind = kind
        self._fixed = [it for it in (known.id_at, known.status_at) if it is not None]

    def fill(self) -> bool:
        """Fill in everything that is known; whether id and state could be shown."""
        known = self._known
        number = known.id if known.id.isdigit() else "1"
        ids = [(self._fact("id"), known.id), (f"$int({known.facts}id)", int(number))]
        if known.id_at is not None and not self._put(known.id_at, ids):
            return False
        place = known.status_at
        has_state = place is not None and at(self.made.sample, place[:-1]) is not None
        if place and has_state and not self._put(place, [(self._fact("state"), self._state)]):
            return False
        self._fill_below(())
        return self._close_texts(())

    def _fact(self, name: str) -> str:
        return f"${self._known.facts}{name}"

    def _fill_below(self, place: Path) -> None:
        value, full = at(self.made.sample, place), at(self._full, place)
        if isinstance(value, dict):
            for name in dict.fromkeys([*value, *(full if isinstance(full, dict) else ())]):
                if value.get(name) in (None, []):
                    self._bring((*place, name), name)
                if name in value:
                    self._fill_field((*place, name), name, value[name])
        elif isinstance(value, list):
            for index in range(len(value)):
                self._fill_below((*place, index))

    def _bring(self, place: Path, name: str) -> None:
        """Put in what the example leaves out, where it says how the job ended."""
        full = at(self._full, place)
        role = role_of(name, full)
        is_shown = (
            role is Role.CREATED
            or (role is Role.ENDED and self._kind in _ENDS)
            or (role is Role.FAILURE and self._kind is Kind.FAILED)
            or (self._kind is Kind.SUCCEEDED and _has_video(name, full))
        )
        if is_shown and full is not None:
            self._put(place, [(deepcopy(full), deepcopy(full))])

    def _fill_field(self, place: Path, name: str, value: Json) -> None:
        if place in self._fixed:
            return
        if any(it[: len(place)] == place for it in self._fixed):
            self._fill_below(place)
        elif _has_file(name, value):
            self._fill_result(place, name, value)
        elif role_of(name, "") is Role.FAILURE:
            self._fill_failure(place, value)
        elif snake(name) in _REQUESTS and self._is_request(place, value):
            self._put(place, [(self._fact("input"), self._known.requests[0])])
        elif self._is_echo(place, name, value):
            self._fill_echo(place, name, value)
        elif isinstance(value, dict | list):
            self._fill_below(place)
        else:
            self._fill_plain(place, role_of(name, value), value)

    def _is_request(self, place: Path, value: Json) -> bool:
        """Whether an answer can show every request that made it at *place*."""
        requests = self._known.requests
        return (
            isinstance(value, dict)
            and bool(requests)
            and all(self._accepts(place, it) for it in requests)
        )

    def _is_echo(self, place: Path, name: str, value: Json) -> bool:
        echo = self._known.echoes.get(name)
        if echo is None or isinstance(value, dict | list):
            return False
        fields = self._schema_at(place)
        return fields is not None and echo.fits(fields)

    def _schema_at(self, place: Path) -> Fields | None:
        fields = self._schema.fields
        for step in place:
            found = fields.elements if isinstance(step, int) else fields.properties.get(step)
            if found is None:
                return None
            fields = found
        return fields

    def _fill_echo(self, place: Path, name: str, value: Json) -> None:
        """Show a field of the request; *value* where a request may leave it out."""
        echo, fact = self._known.echoes[name], f"{self._known.facts}input.{name}"
        if echo.is_required or not self._accepts(place, echo.value):
            self._put(place, [(f"${fact}", echo.value)])
        elif self._is_made_up(place, value) and self._empty(place):
            # What a request leaves out is left out, or null, where the schema permits it.
            absent = "null" if name in at(self.made.sample, place[:-1]) else "optional.none()"
            put(self.made.sample, place, echo.value)
            put(self.made.template, place, f"$has({fact}) ? {fact} : {absent}")
        elif self._accepts(place, value):
            other = json.dumps(value, ensure_ascii=False)
            self._put(place, [(f"$has({fact}) ? {fact} : {other}", echo.value)])

    def _is_made_up(self, place: Path, value: Json) -> bool:
        """Whether *value* is not from the file."""
        fields = self._schema_at(place)
        is_shown = self._is_example or (fields is not None and fields.has_example)
        return value is None or not is_shown

    def _fill_plain(self, place: Path, role: Role, value: Json) -> None:
        if role is Role.CREATED:
            self._put(place, self._instants("created", value))
        elif role is Role.ENDED:
            if self._kind in _ENDS and value is not None:
                self._put(place, self._instants("ended", value))
            else:
                self._empty(place)
        elif role is Role.EXPIRES:
            self._empty(place)
        elif role is Role.PROGRESS:
            if self._accepts(place, 0) and self._accepts(place, 100):
                self._put(place, [(self._fact("progress"), 50)])
        elif role is Role.COST and self._known.is_priced:
            if self._kind is Kind.FAILED:
                self._put(place, [(0, 0)])
            else:
                self._put(place, [(self._fact("doc.cost"), 1)])

    def _fill_result(self, place: Path, name: str, value: Json) -> None:
        """Show a result of the job: its address in the end, and nothing before."""
        is_shown = self._kind is Kind.SUCCEEDED and _has_video(name, value)
        if is_shown or not self._empty(place):
            self._fill_files(place, name, value)

    def _fill_files(self, place: Path, name: str, value: Json) -> None:
        if isinstance(value, str):
            if is_file(name, value):
                self._put(place, [(self._fact("url.video"), _FILE)])
        elif isinstance(value, dict):
            for inner, it in value.items():
                if role_of(inner, it) is Role.EXPIRES:
                    self._put((*place, inner), self._instants("ended", it))
                elif not is_video(inner) and is_file(inner, it) and self._empty((*place, inner)):
                    continue
                else:
                    self._fill_files((*place, inner), inner, it)
        elif isinstance(value, list):
            for index, it in enumerate(value):
                self._fill_files((*place, index), name, it)

    def _fill_failure(self, place: Path, value: Json) -> None:
        if self._kind is not Kind.FAILED:
            self._empty(place)
            return
        if isinstance(value, dict):
            for name, it in value.items():
                if isinstance(it, str) and re.search("message|detail|reason|descr", snake(name)):
                    self._put((*place, name), [(self._fact("reason"), _TEXT)])
        elif not snake(str(place[-1])).endswith("code"):
            self._put(place, [(self._fact("reason"), _TEXT)])

    def _instants(self, name: str, value: Json) -> Sequence[tuple[str, Json]]:
        if isinstance(value, int | float) and not isinstance(value, bool):
            is_ms = value > _SECONDS_MAX
            notation, sample = ("ms", _SECONDS * 1_000) if is_ms else ("s", _SECONDS)
            return [(self._fact(f"{name}.{notation}"), sample)]
        return [(self._fact(f"{name}.iso"), _ISO)] if isinstance(value, str) else []

    def _accepts(self, place: Path, value: Json) -> bool:
        sample = deepcopy(self.made.sample)
        put(sample, place, value)
        return self._schema.is_valid(sample)

    def _put(self, place: Path, candidates: Sequence[tuple[Json, Json]]) -> bool:
        """Put in the first of *candidates*, (template, sample), that the schema permits."""
        for template, sample in candidates:
            if self._accepts(place, sample):
                put(self.made.sample, place, sample)
                put(self.made.template, place, template)
                return True
        return False

    def _empty(self, place: Path) -> bool:
        """Show nothing at *place*, in the first way that the schema permits."""
        if self._put(place, [(None, None), ([], [])]):
            return True
        sample = deepcopy(self.made.sample)
        inner = at(sample, place[:-1])
        if not isinstance(inner, dict):
            return False
        del inner[place[-1]]
        if not self._schema.is_valid(sample):
            return False
        self.made.sample = sample
        del at(self.made.template, place[:-1])[place[-1]]
        return True

    def _close_texts(self, place: Path) -> bool:
        """Replace texts of the file that a template would take for a fact."""
        value, template = at(self.made.sample, place), at(self.made.template, place)
        if isinstance(value, dict):
            # A field may be left out, and the elements after it stay where they are.
            return all(self._close_texts((*place, it)) for it in list(value))
        if isinstance(value, list):
            return all(self._close_texts((*place, it)) for it in range(len(value)))
        if isinstance(template, str) and template == value and _OPEN.search(template):
            return self._put(place, [(_TEXT, _TEXT)]) or self._empty(place)
        return True


def _has_file(name: str, value: Json) -> bool:
    return any(is_file(inner, it) for inner, it in leaves(name, value))


def _has_video(name: str, value: Json) -> bool:
    return any(is_file(inner, it) and is_video(inner) for inner, it in leaves(name, value))

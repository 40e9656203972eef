"""The answer of a list: its items, and which page of them a request asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy

from msgspec import Struct

from ..json_types import Json
from ..openapi.operations import Operation
from .filling import Known
from .found import Answer
from .values import Path, objects_in, put
from .views import View
from .words import snake

_LIMITS = ("limit", "page_size", "per_page", "pagesize", "max_results", "first", "count", "size")
_OFFSETS = ("offset", "skip")
_CURSORS = ("cursor", "after", "starting_after", "page_token", "next_token", "start_after", "token")
_NUMBERS = ("page", "page_number")
#: Where neither the file nor the request says how long a page is.
_LENGTH = 20


class Listed(Struct, frozen=True):
    """A list: the template of its answer, and the rule of its pages; None without pages."""

    answer: Json
    page: Mapping[str, Json] | None


class _Paging(Struct, frozen=True):
    """The expressions of a page. Each is empty where no parameter asks for it."""

    limit: str = ""
    offset: str = ""
    cursor: str = ""
    number: str = ""

    @property
    def rule(self) -> Mapping[str, Json] | None:
        if not (self.limit or self.offset or self.cursor or self.number):
            return None
        limit = self.limit or str(_LENGTH)
        rule: dict[str, Json] = {"limit": f"${limit}" if self.limit else _LENGTH}
        if self.cursor:
            rule["after"] = f"${self.cursor}"
        elif self.number:
            rule["offset"] = f"$({self.number} - 1) * {limit}"
        elif self.offset:
            rule["offset"] = f"${self.offset}"
        return rule


def list_of(operation: Operation, answer: Answer | None, view: View, known: Known) -> Listed | None:
    """How *operation* lists resources; None if its elements are of another form."""
    if answer is None:
        return None
    id_name = str(known.id_at[-1]) if known.id_at is not None else "id"
    place = _list_place(answer.full, id_name)
    if place is None:
        return None
    paging = _paging(operation)
    if place == ():
        is_whole = answer.schema.is_valid(list(view.samples))
        return Listed("$items", paging.rule) if is_whole else None
    sample, template = deepcopy(answer.full), deepcopy(answer.full)
    put(sample, place, list(view.samples))
    put(template, place, "$items")
    for container, inside in objects_in(answer.full, ()):
        for name, value in inside.items():
            at_ = (*container, name)
            if at_ != place:
                _fill(answer, sample, template, at_, value, paging, id_name)
    return Listed(template, paging.rule) if answer.schema.is_valid(sample) else None


def _fill(
    answer: Answer,
    sample: Json,
    template: Json,
    place: Path,
    value: Json,
    paging: _Paging,
    id_name: str,
) -> None:
    """Show at *place* what it says of the page, in the first way that the schema permits."""
    for shown, samples in _shown(snake(str(place[-1])), value, paging, id_name):
        for it in samples:
            put(sample, place, it)
            if not answer.schema.is_valid(sample):
                break
        else:
            put(template, place, shown)
            return
    put(sample, place, value)


def _shown(
    name: str, value: Json, paging: _Paging, id_name: str
) -> list[tuple[Json, Sequence[Json]]]:
    """What a field called *name* may show: templates, each with samples of what they make."""
    if isinstance(value, bool):
        is_more = re.search(r"(^|_)(more|next)(_|$)", name) is not None
        return [("$has_more", [True, False])] if is_more else []
    if isinstance(value, int | float):
        made = {
            **dict.fromkeys(("total", "total_count", "total_items", "total_results"), "total"),
            **dict.fromkeys(_LIMITS, paging.limit),
            **dict.fromkeys(_OFFSETS, paging.offset),
            **dict.fromkeys(_NUMBERS, paging.number),
            "count": "size(items)",
        }.get(name)
        least = 1 if name in _NUMBERS or made == paging.limit else 0
        return [(f"${made}", [least, 7])] if made else []
    if not isinstance(value, str) or not re.search(r"(next|cursor|page_token)", name):
        return []
    next_ = f"$has_more ? items.last().{id_name} : null"
    with_next = [(next_, ["an id", None])] if paging.cursor else []
    return [*with_next, (None, [None])]


def _paging(operation: Operation) -> _Paging:
    known = {snake(it.name): it for it in operation.parameters if it.place == "query"}

    def of(names: Sequence[str], otherwise: int | None) -> str:
        found = next((known[it] for it in names if it in known), None)
        if found is None or not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", found.name):
            return ""
        types = found.schema.fields.types - {"null"}
        if otherwise is None:
            return f"query.{found.name}" if types == frozenset({"string"}) else ""
        if not types or types - {"integer", "number"}:
            return ""
        has_default = isinstance(found.default, int)
        name = f"query.{found.name}" if has_default else f"query.?{found.name}.orValue({otherwise})"
        return name if "number" not in types else f"int({name})"

    return _Paging(of(_LIMITS, _LENGTH), of(_OFFSETS, 0), of(_CURSORS, None), of(_NUMBERS, 1))


def _list_place(value: Json, id_name: str) -> Path | None:
    if isinstance(value, list):
        return () if _is_item(value, id_name) else None
    for container, inside in objects_in(value, ()):
        for name, inner in inside.items():
            if isinstance(inner, list) and _is_item(inner, id_name):
                return (*container, name)
    return None


def _is_item(value: Sequence[Json], id_name: str) -> bool:
    return bool(value) and isinstance(value[0], dict) and id_name in value[0]

"""The view of a resource, and the answers of the operations around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy

from msgspec import Struct
from msgspec.structs import replace

from ..behaviour.lifecycles import Kind
from ..json_types import Json
from .filling import Known, show
from .found import Answer, Found
from .reads import id_places
from .values import Path, at

#: States with their meaning, in the order in which a job passes through them.
States = Sequence[tuple[str, Kind]]
_NO_STATE: tuple[str, Kind | None] = ("", None)


class View(Struct, frozen=True):
    """The view of a resource. *answer* is what surrounds it in the answer of a read.

    *samples* are what it shows in each state, with sample facts; *first* is the template of a new
    resource.
    """

    template: dict[str, Json]
    answer: Json
    samples: Sequence[Json]
    first: Json


def view_of(answer: Answer, known: Known, states: States) -> View | None:
    """The view that *answer*, of a read, gives; None where it cannot show what is *known*."""
    shown = [show(answer, known, *it) for it in (*states,) or (_NO_STATE,)]
    whole = [it for it in shown if it is not None]
    if len(whole) < len(shown):
        return None
    container = (known.id_at or known.status_at or ("",))[:-1]
    views = [at(it.template, container) for it in whole]
    first: dict[str, Json] = views[0]
    by_state: dict[str, Json] = {}
    for (state, _), view in zip(states, views, strict=False):
        # A field that a state leaves out would stay: it has to be one of every state, or added.
        changed = {name: it for name, it in view.items() if first.get(name, _ABSENT) != it}
        if changed:
            by_state[state] = changed
    shared = {name: it for name, it in first.items() if all(name in view for view in views)}
    for (state, _), view in zip(states, views, strict=False):
        for name in first.keys() - shared.keys():
            if name in view:
                by_state.setdefault(state, {})[name] = view[name]
    template = {**shared, **({"when": by_state} if by_state else {})}
    around = None
    if container:
        around = deepcopy(whole[0].template)
        at(around, container[:-1])[container[-1]] = "$view"
    samples = [at(it.sample, container) for it in whole]
    return View(template, around, samples, first)


class _Absent:
    """Differs from every value."""


_ABSENT = _Absent()


def creation_answer(answer: Answer | None, found: Found, known: Known, states: States) -> Json:
    """What *answer* shows of a resource in the first of *states*; None if that cannot be said."""
    if answer is None:
        return None
    parameter = found.id_from.partition(".")[2]
    id_at = next(iter(id_places(answer.value, parameter, found.name)), None)
    if id_at is None:
        return None
    status_at: Path | None = None
    if found.status_at is not None:
        status_at = (*id_at[:-1], found.status_at[-1])
        if not isinstance(at(answer.value, status_at), str):
            status_at = None
    first = states[0] if states else _NO_STATE
    shown = None
    for place in dict.fromkeys((status_at, None)):
        shown = shown or show(answer, replace(known, id_at=id_at, status_at=place), *first)
    return shown.template if shown is not None else None


def edges_of(states: States) -> Mapping[str, list[str]]:
    """Where a job goes from each state: through the path, then to an end."""
    path = [name for name, kind in states if kind in {Kind.WAITING, Kind.RUNNING}]
    ends = [name for name, kind in states if kind in {Kind.SUCCEEDED, Kind.FAILED}]
    closed = [name for name, kind in states if kind is Kind.CLOSED]
    edges: dict[str, list[str]] = {}
    for name, kind in states:
        if kind is Kind.RESTING:
            edges[name] = path[:1] or ends
        elif name in path:
            following = path[path.index(name) + 1 : path.index(name) + 2]
            edges[name] = [*(following or ends), *closed]
        else:
            edges[name] = []
    return edges

"""A lifecycle as a state diagram: states in columns by their distance from the first, and edges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from screentest.specs.behaviour.lifecycles import Lifecycle, State

from .axis import span

_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _EDGE = 150, 48, 70, 28, 12


class Box(Struct, frozen=True):
    """A state at *x*, *y*, with how long a job stays in it."""

    x: int
    y: int
    name: str
    kind: str
    lasts: str


class Drawing(Struct, frozen=True):
    """The diagram; *edges* are SVG paths with the two states that they join."""

    name: str
    source: str
    width: int
    height: int
    box: tuple[int, int]
    boxes: Sequence[Box]
    edges: Sequence[tuple[str, str, str]]


def lifecycle_drawing(lifecycle: Lifecycle) -> Drawing:
    """The drawing of *lifecycle*."""
    columns = _columns(lifecycle)
    boxes: dict[str, Box] = {}
    for number, column in enumerate(columns):
        for row, state in enumerate(column):
            boxes[state.name] = Box(
                _EDGE + number * (_WIDTH + _GAP_X),
                _EDGE + row * (_HEIGHT + _GAP_Y),
                state.name,
                state.kind.value,
                _lasts(state),
            )
    edges = [
        (_path(boxes[start], boxes[end]), start, end)
        for start, ends in lifecycle.edges.items()
        for end in ends
    ]
    rows = max(map(len, columns))
    return Drawing(
        lifecycle.name,
        lifecycle.source,
        2 * _EDGE + len(columns) * (_WIDTH + _GAP_X) - _GAP_X,
        2 * _EDGE + rows * (_HEIGHT + _GAP_Y),
        (_WIDTH, _HEIGHT),
        list(boxes.values()),
        edges,
    )


def _columns(lifecycle: Lifecycle) -> list[list[State]]:
    """The states by the longest way to each, without going round."""
    depths: Mapping[str, int] = _depths(lifecycle)
    columns: list[list[State]] = [[] for _ in range(max(depths.values()) + 1)]
    for name, depth in depths.items():
        columns[depth].append(lifecycle.states[name])
    return [it for it in columns if it]


def _depths(lifecycle: Lifecycle) -> Mapping[str, int]:
    first = next(iter(lifecycle.states))
    depths = {first: 0}
    waiting = [first]
    while waiting:
        name = waiting.pop(0)
        for end in lifecycle.edges.get(name, ()):
            if end not in depths:
                depths[end] = depths[name] + 1
                waiting.append(end)
    # Ends are drawn beside each other, whichever state they are reached from.
    last = max(depths.values())
    for name, state in lifecycle.states.items():
        if name not in depths or (state.kind.is_final and depths[name] > 0):
            depths[name] = last
    return {name: depths[name] for name in lifecycle.states}


def _path(start: Box, end: Box) -> str:
    """A curve from the right of *start* to the left of *end*; one back goes below both."""
    y1, y2 = start.y + _HEIGHT // 2, end.y + _HEIGHT // 2
    if end.x > start.x:
        x1, x2 = start.x + _WIDTH, end.x - 6
        middle = (x1 + x2) // 2
        return f"M{x1} {y1}C{middle} {y1} {middle} {y2} {x2} {y2}"
    if end.x == start.x and end.y != start.y:
        x, (top, bottom) = start.x + _WIDTH // 2, sorted((start, end), key=lambda it: it.y)
        down = end.y > start.y
        return (
            f"M{x} {top.y + _HEIGHT}V{bottom.y - 6}"
            if down
            else f"M{x} {bottom.y}V{top.y + _HEIGHT + 6}"
        )
    x1, x2 = start.x + _WIDTH // 2, end.x + _WIDTH // 2
    below = max(start.y, end.y) + _HEIGHT + 20
    return f"M{x1} {start.y + _HEIGHT}C{x1} {below} {x2} {below} {x2} {end.y + _HEIGHT + 6}"


def _lasts(state: State) -> str:
    if state.lasts_ms is None:
        return ""
    shortest, longest = state.lasts_ms
    return span(shortest) if shortest == longest else f"{span(shortest)} to {span(longest)}"

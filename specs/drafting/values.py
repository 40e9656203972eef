"""Places in a JSON value, and what is at them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..json_types import Json

Path = tuple[str | int, ...]

#: Containers of the object that an answer is about.
_DEPTH_MAX = 3


def at(value: Json, place: Sequence[str | int]) -> Json:
    """The value at *place* in *value*; None if there is none."""
    for step in place:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def leaves(name: str, value: Json) -> Iterator[tuple[str, Json]]:
    """The plain values in *value*, each with the name of the field that has it."""
    if isinstance(value, dict):
        for inner, it in value.items():
            yield from leaves(inner, it)
    elif isinstance(value, list):
        for it in value:
            yield from leaves(name, it)
    else:
        yield name, value


def objects_in(value: Json, place: Path) -> Iterator[tuple[Path, Mapping[str, Json]]]:
    """The objects in *value* outside of lists, the outermost first."""
    if isinstance(value, dict) and len(place) < _DEPTH_MAX:
        yield place, value
        for name, inner in value.items():
            yield from objects_in(inner, (*place, name))


def put(value: Json, place: Path, new: Json) -> None:
    """Set *new* at *place* in *value*."""
    at(value, place[:-1])[place[-1]] = new

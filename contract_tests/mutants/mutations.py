"""Changes of bodies, event streams and videos, by the data of the mutants."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from screentest.specs.json_types import Json

from ..traces.expressions import at_pointer
from ..traces.trace import MISSING


def fits(body: bytes, wanted: Mapping[str, Json]) -> bool:
    """Whether the JSON *body* has these values at these pointers."""
    try:
        value = json.loads(body)
    except ValueError:
        return False
    return all(at_pointer(value, at) == it for at, it in wanted.items())


def bend_body(body: bytes, change: Mapping[str, Json]) -> bytes:
    """The JSON *body* with fields set, dropped, scaled, cut, reversed or repeated."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for at, it in change.get("set", {}).items():
        value = _edited(value, at, lambda _, it=it: it, must_exist=False)
    for at in change.get("drop", ()):
        value = _edited(value, at, lambda _: MISSING)
    for at, factor in change.get("times", {}).items():
        value = _edited(value, at, lambda old, by=factor: _scaled(old, by))
    for at, amount in change.get("add", {}).items():
        value = _edited(value, at, lambda old, by=amount: _shifted(old, by))
    for at in change.get("upper", ()):
        value = _edited(value, at, lambda old: old.swapcase() if isinstance(old, str) else old)
    for at, length in change.get("cut", {}).items():
        value = _edited(value, at, lambda old, n=length: old[:n] if old else old)
    for at in change.get("reverse", ()):
        value = _edited(value, at, lambda old: old[::-1] if isinstance(old, list) else old)
    for at in change.get("repeat", ()):
        value = _edited(value, at, lambda old: old + old[-1:] if isinstance(old, list) else old)
    for at in change.get("text", ()):
        value = _edited(value, at, lambda old: str(old) if isinstance(old, int) else old)
    if "unwrap" in change:
        found = at_pointer(value, change["unwrap"])
        value = value if found is MISSING else found
    return json.dumps(value).encode()


def _scaled(old: Json, by: float) -> Json:
    if isinstance(old, bool) or not isinstance(old, int | float):
        return old
    return int(old * by) if float(old * by).is_integer() else old * by


def _shifted(old: Json, by: Json) -> Json:
    if isinstance(old, str):
        return old + str(by)
    return old + by if isinstance(old, int | float) and not isinstance(old, bool) else old


def _edited(value: Json, at: str, edit: Any, *, must_exist: bool = True) -> Json:
    """*value* with the value at the pointer *at* edited; `*` means every item."""
    steps = [step for step in at.split("/") if step]
    if not steps:
        return edit(value)
    return _walk(value, steps, edit, must_exist=must_exist)


def _walk(value: Json, steps: list[str], edit: Any, *, must_exist: bool) -> Json:
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        places = range(len(value)) if step == "*" else [int(step)] if step.isdigit() else []
        for place in places:
            if place < len(value):
                value[place] = (
                    _walk(value[place], rest, edit, must_exist=must_exist)
                    if rest
                    else edit(value[place])
                )
        return value
    if not isinstance(value, dict) or (step not in value and (must_exist or rest)):
        return value
    if rest:
        value[step] = _walk(value[step], rest, edit, must_exist=must_exist)
        return value
    edited = edit(value.get(step))
    if edited is MISSING:
        value.pop(step)
    else:
        value[step] = edited
    return value


def bend_events(pieces: Iterable[bytes], change: Mapping[str, Json]) -> Iterator[bytes]:
    """The events of a stream, changed as *change* says, as they arrive.

    Each is held back until the next one arrives, so that the last one is recognised.
    """
    if change.get("one_piece"):
        yield b"".join(pieces)
        return
    held: bytes | None = None
    late: bytes | None = None
    number = -1
    for piece in pieces:
        if not piece.startswith(b"data:"):
            continue
        if held is not None:
            yield _bent(held, number, change, is_last=False)
        held, number = piece, number + 1
        one, other = change.get("swap", (-1, -1))
        if number == one:
            held, late = None, piece
        elif number == other and late is not None:
            yield _bent(piece, number, change, is_last=False)
            held, late = late, None
    if held is None:
        return
    if not change.get("drop_last"):
        yield _bent(held, number, change, is_last=True)
    if change.get("repeat_last"):
        yield held


def _bent(piece: bytes, number: int, change: Mapping[str, Json], *, is_last: bool) -> bytes:
    place = change.get("at")
    if place is None or place == number or (place == -1 and is_last):
        orders: dict[str, Json] = {
            "set": {f"/{name}": it for name, it in change.get("set", {}).items()}
        }
        if "drop_field" in change:
            orders["drop"] = [f"/{change['drop_field']}"]
        if orders["set"] or "drop" in orders:
            piece = _event(piece, orders)
    return piece.rstrip(b"\n") + b"\n" if change.get("one_newline") else piece


def _event(piece: bytes, orders: Mapping[str, Json]) -> bytes:
    body = bend_body(piece[len(b"data:") :].strip(), orders)
    return b"data: " + body + b"\n\n"


def swapped_size(content: bytes) -> bytes:
    """The video *content* with its width and height the other way round."""
    changed = bytearray(content)
    at = changed.find(b"tkhd")
    while at > 0:
        (size,) = struct.unpack(">I", changed[at - 4 : at])
        end = at - 4 + size
        width, height = changed[end - 8 : end - 4], changed[end - 4 : end]
        changed[end - 8 : end - 4], changed[end - 4 : end] = height, width
        at = changed.find(b"tkhd", at + 4)
    return bytes(changed)

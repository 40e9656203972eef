"""Read JSON files strictly, and find the line of a value in one."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from .json_types import Json

#: Deeper than anything that a contract describes, and far from what Python can follow.
DEPTH_MAX = 64
_NUMBER_LENGTH_MAX = 40
#: How JSON writes half of a character; two of them together are one character.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def load_json(text: str) -> Json:
    """The value that *text* says.

    Raises:
        ValueError: it is not JSON, repeats a key, is nested too deep, has a number that is not one
            of JSON's, or half of a character.
    """
    try:
        value = json.loads(
            text,
            object_pairs_hook=_once,
            parse_constant=_refuse_constant,
            parse_int=_whole_number,
        )
    except RecursionError:
        raise ValueError(f"nested more than {DEPTH_MAX} levels deep") from None
    level, depth = [value], 0
    while level:
        if depth > DEPTH_MAX:
            raise ValueError(f"nested more than {DEPTH_MAX} levels deep")
        level = [
            inner
            for it in level
            if isinstance(it, dict | list)
            for inner in (it.values() if isinstance(it, dict) else it)
            if isinstance(inner, dict | list)
        ]
        depth += 1
    if _HALF.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("a text holds half of a character") from None
    return value


def lines_of_json(text: str, pointers: Collection[str]) -> dict[str, int]:
    """The line of each of *pointers* that *text* has, counted from 1."""
    wanted, found = set(pointers), dict[str, int]()
    line, end = 1, 0
    for pointer, offset in _places(text):
        if pointer in wanted and pointer not in found:
            line, end = line + text.count("\n", end, offset), offset
            found[pointer] = line
    return found


def _places(text: str) -> Iterator[tuple[str, int]]:
    """(pointer, offset) of every value of *text*; of a member it is the offset of its name."""
    # One entry for each open collection: its pointer, and the next index, or the member's name.
    opened: list[tuple[str, int | str | None]] = []
    for match in _TOKEN.finditer(text):
        token = match[0]
        if token in {"}", "]"}:
            if opened:
                opened.pop()
        elif token == ",":
            around, at = opened[-1]
            opened[-1] = around, at + 1 if isinstance(at, int) else None
        elif token != ":":
            around, at = opened[-1] if opened else ("", "")
            if at is None:
                name = json.loads(token).replace("~", "~0").replace("/", "~1")
                opened[-1] = around, name
                yield f"{around}/{name}", match.start()
                continue
            pointer = f"{around}/{at}" if opened else ""
            yield pointer, match.start()
            if token in {"{", "["}:
                opened.append((pointer, None if token == "{" else 0))


def _once(members: list[tuple[str, Json]]) -> dict[str, Json]:
    twice = repeated_key(members)
    if twice is not None:
        raise ValueError(f"the key {twice!r} is repeated")
    return dict(members)


def repeated_key(members: list[tuple[str, Json]]) -> str | None:
    """The first key that two of the *members* of an object have; None if all differ."""
    if len(dict(members)) == len(members):
        return None
    names = [name for name, _ in members]
    return next(name for name in names if names.count(name) > 1)


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is a number that JSON does not have")


def _whole_number(text: str) -> int:
    if len(text) > _NUMBER_LENGTH_MAX:
        raise ValueError(f"a number of {len(text)} characters")
    return int(text)

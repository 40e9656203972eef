"""The forms of ids and keys, such as `job_{base62:12}`, from one example."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..behaviour.forms import ALPHABETS, PLACE

UUID = "{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY_MARKS = frozenset({"sk", "pk", "rk", "ak", "lk", "key", "api", "live", "test", "prod", "dev"})
#: A longer word is not a prefix such as `sk` or `job`.
_PREFIX_MAX = 12


def form_of(example: str) -> str:
    """The form of ids such as *example*: its prefix, and places for what differs."""
    return UUID if _UUID.fullmatch(example) else _form(example, _is_prefix)


def form_of_key(example: str) -> str:
    """As `form_of`, for a credential: of its words only the marks of vendors stay."""
    return _form(example, _KEY_MARKS.__contains__)


def _form(example: str, is_kept: Callable[[str], bool]) -> str:
    parts = re.split(r"([^A-Za-z0-9]+)", example)
    last = max(index for index, it in enumerate(parts) if it and it.isalnum())
    return "".join(
        it if not it.isalnum() or (index < last and is_kept(it)) else _place(it)
        for index, it in enumerate(parts)
    )


def sample_of(form: str) -> str:
    """An id of *form*."""
    return PLACE.sub(
        lambda it: "1" if it[1] == "number" else (ALPHABETS[it[1]][1] * int(it[2] or 1)), form
    )


def _is_prefix(word: str) -> bool:
    return word.isalpha() and len(word) <= _PREFIX_MAX


def _place(word: str) -> str:
    name = next(
        (
            name
            for name in ("digits", "hex", "base36", "base62")
            if set(word) <= set(ALPHABETS[name])
        ),
        "base62",
    )
    return f"{{{name}:{len(word)}}}"

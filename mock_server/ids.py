"""Everything random in a world, drawn from its seed: ids, keys, durations, content.

Each draw has a purpose and a number, and depends on nothing else. A new kind of draw therefore
never shifts the ids of the others, and the same calls give the same bytes.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from random import Random

_ALPHABETS = {
    "hex": "0123456789abcdef",
    "base36": "0123456789abcdefghijklmnopqrstuvwxyz",
    "base62": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "digits": "0123456789",
}
_PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")


def digest(*parts: object) -> bytes:
    """64 bytes that depend on *parts* alone."""
    return blake2b("\x1f".join(str(part) for part in parts).encode()).digest()


def stream(*parts: object) -> Random:
    """A generator of its own for the purpose that *parts* name."""
    return Random(int.from_bytes(digest(*parts)[:16]))


def mint(form: str, number: int, *parts: object) -> str:
    """Fill in *form*, such as `job_{base62:12}` or `{number}`, for the *number*-th of its kind."""
    seen = 0

    def fill(match: re.Match[str]) -> str:
        nonlocal seen
        kind, length = match[1], int(match[2] or 0)
        if kind == "number":
            return str(number)
        seen += 1
        alphabet = _ALPHABETS[kind]
        # The letters are the last digits of a long number; what stands before them is not needed.
        value = int.from_bytes(digest(form, seen, number, *parts)) % len(alphabet) ** length
        letters: list[str] = []
        for _ in range(length):
            value, rest = divmod(value, len(alphabet))
            letters.append(alphabet[rest])
        return "".join(letters)

    return _PLACE.sub(fill, form)

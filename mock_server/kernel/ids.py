"""All random values of a world, drawn from its seed: ids, keys, durations, content.

Each draw has a purpose and a number, and depends on nothing else. A new kind of draw therefore
never shifts the ids of the others, and the same calls give the same bytes.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from random import Random

from screentest.specs.behaviour.forms import ALPHABETS, PLACE, WORDS
from screentest.specs.errors import ContractError


def digest(*parts: object) -> bytes:
    """64 bytes that depend on *parts* alone."""
    # With a separator, the parts ("a", "bc") and ("ab", "c") differ.
    return blake2b("\x1f".join(map(str, parts)).encode()).digest()


def stream(*parts: object) -> Random:
    """A generator for the purpose that *parts* name, independent of all others."""
    # 128 bits tell all purposes apart, and a longer seed takes longer to spread.
    return Random(int.from_bytes(digest(*parts)[:16]))


def mint(form: str, number: int, *parts: object) -> str:
    """Fill in *form*, such as `job_{base62:12}` or `{number}`, for the *number*-th of its kind.

    Raises:
        ContractError: the form uses an unknown word.
    """
    seen = 0
    texts: list[str] = []
    for text, alphabet, length, count in _places(form):
        # The number itself is not drawn: ids such as `task-7` count up.
        if not alphabet:
            texts.append(text or str(number))
            continue
        seen += 1
        pairs = _pairs(alphabet)
        base = len(pairs)
        # The letters are the last digits of a long number; the leading digits are not needed.
        value = int.from_bytes(digest(form, seen, number, *parts)) % count
        # Two letters at a time, because the division of long numbers is the cost of an id.
        for _ in range(length // 2):
            value, rest = divmod(value, base)
            texts.append(pairs[rest])
        if length % 2:
            texts.append(alphabet[value])
    return "".join(texts)


@lru_cache(maxsize=16)
def _pairs(alphabet: str) -> tuple[str, ...]:
    """All pairs of two letters: two digits of a number at once, the lower one first."""
    return tuple(first + second for second in alphabet for first in alphabet)


@lru_cache(maxsize=256)
def _places(form: str) -> tuple[tuple[str, str, int, int], ...]:
    """The parts of *form* as (text, alphabet, length, number of words of that length).

    A part without an alphabet is a text; an empty text is the place of the number.
    """
    places: list[tuple[str, str, int, int]] = []
    end = 0
    for match in PLACE.finditer(form):
        if match.start() > end:
            places.append((form[end : match.start()], "", 0, 0))
        alphabet = "" if match[1] == "number" else _letters(match[1], form)
        length = int(match[2] or 0)
        places.append(("", alphabet, length, len(alphabet) ** length))
        end = match.end()
    if end < len(form):
        places.append((form[end:], "", 0, 0))
    return tuple(places)


def _letters(word: str, form: str) -> str:
    if word not in ALPHABETS:
        listed = ", ".join(sorted(WORDS))
        raise ContractError(f"the form {form!r} has no word {word!r} (there are: {listed})")
    return ALPHABETS[word]

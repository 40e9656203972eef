"""How values are written in the Python that expressions and templates become."""

from __future__ import annotations

import re

#: The value of `optional.none()`; a text with this word in it is only tested for nothing.
ABSENT = "ABSENT"
_FRACTIONAL = re.compile(
    r"\b(?:add|subtract|multiply|divide|remainder|negative|exact|fn_(?:abs|min|max))\("
    r"|call_method\('sum'"
)


def plain_python(python: str) -> str:
    """*python* so that its value is JSON; only arithmetic and functions give exact fractions."""
    return f"plain({python})" if _FRACTIONAL.search(python) else python


def map_python(entries: list[tuple[str, str]]) -> str:
    """A map of *entries*, each a name and a value, without those that are absent."""
    absent = [name for name, value in entries if ABSENT in value]
    made = f"{{{', '.join(f'{name}: {value}' for name, value in entries)}}}"
    return f"present({', '.join((made, *absent))})" if absent else made


def number_python(text: str) -> str:
    """A literal in Python: exact, and bound at compile time where it is whole."""
    if text[:2] in {"0x", "0X"}:
        return str(int(text, 16))
    return str(int(text)) if text.isdecimal() else f"exact({text!r})"

"""How values are written in the Python that expressions and templates become."""

from __future__ import annotations

import re

from .functions import python_name

_ABSENT = python_name("optional.none")
_FRACTIONAL = re.compile(
    r"\b(?:add|subtract|multiply|divide|remainder|negative|exact|fn_(?:abs|min|max))\("
    r"|call_method\('sum'"
)


def plain_python(python: str) -> str:
    """*python* so that its value is JSON; only arithmetic and functions give exact fractions."""
    return f"plain({python})" if _FRACTIONAL.search(python) else python


def map_python(entries: list[str]) -> str:
    """A map of *entries*, without those that are absent."""
    made = f"{{{', '.join(entries)}}}"
    return f"present({made})" if any(_ABSENT in it for it in entries) else made


def number_python(text: str) -> str:
    """A literal in Python: exact, and bound at compile time where it is whole."""
    if text[:2] in {"0x", "0X"}:
        return str(int(text, 16))
    return str(int(text)) if text.isdecimal() else f"exact({text!r})"

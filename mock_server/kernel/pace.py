"""How long things take: as documented, faster, or at once."""

from __future__ import annotations

from .errors import MockError

PACES = {"documented": 1.0, "fast": 0.1, "instant": 0.0}
_FACTOR_MAX = 1_000.0


def read_pace(text: str | float) -> float:
    """The factor for every documented duration.

    Raises:
        MockError: neither a known word nor a factor from 0 to 1000.
    """
    if isinstance(text, str) and text in PACES:
        return PACES[text]
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    if not 0 <= factor <= _FACTOR_MAX or isinstance(text, bool):
        words = ", ".join(PACES)
        raise MockError(f"pace {text!r} must be one of {words}, or a factor from 0 to 1000")
    return factor

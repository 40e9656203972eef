"""How templates write values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from screentest.specs.json_types import Json

from .axis import span

#: A text of a row; the whole of it is one click away.
_SHORT_MAX = 120
_PLURALS = {1: ""}


def instant(text: str | None) -> str:
    """An RFC 3339 instant as people read it: without the letters, in whole seconds."""
    return text.replace("T", " ").rstrip("Z")[:19] if text else ""


def pretty(text: Json) -> str:
    """JSON with line breaks; any other text as it is."""
    if not isinstance(text, str):
        return json.dumps(text, indent=2, ensure_ascii=False)
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def short(text: object) -> str:
    """The beginning of a text that may be long."""
    shown = str(text)
    return shown if len(shown) <= _SHORT_MAX else shown[: _SHORT_MAX - 1] + "…"


def masked(key: str | None) -> str:
    """A key without what opens an account."""
    return f"{key[:6]}…" if key else "none"


def counted(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {noun}{_PLURALS.get(number, 's')}"


def tone(status: int) -> str:
    """The colour of an HTTP status."""
    return "good" if status < 400 else "bad"


FILTERS: Mapping[str, Callable[..., str]] = {
    "instant": instant,
    "pretty": pretty,
    "short": short,
    "masked": masked,
    "counted": counted,
    "tone": tone,
    "span": span,
}

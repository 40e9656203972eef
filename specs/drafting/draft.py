"""A contract in the making: its rules, why each is guessed, and what is not known."""

from __future__ import annotations

from msgspec import Struct, field

from ..json_types import Json
from .values import Path


class Draft(Struct):
    """The content of a behaviour file. *notes* are comments, by the place of what they are about.

    *unknown* are the questions that neither file nor recording answers.
    """

    rules: dict[str, Json] = field(default_factory=dict[str, Json])
    notes: dict[Path, str] = field(default_factory=dict[Path, str])
    unknown: list[str] = field(default_factory=list[str])

    def put(self, place: Path, value: Json, guess: str = "", because: str = "") -> None:
        """Set *value* at *place*; a *guess* in words, and *because*, become its comment."""
        inner = self.rules
        for step in place[:-1]:
            inner = inner.setdefault(str(step), {})
        inner[str(place[-1])] = value
        if because:
            self.notes[place] = f"guessed: {guess}, because {because}"

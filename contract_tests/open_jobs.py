"""Paid jobs that a run did not see the end of, kept in a file so that nobody pays twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .reading import read_json

Json = Any


class JournalError(Exception):
    """The file holds something else, which must not be lost."""


@dataclass(slots=True)
class OpenJobs:
    """The ids of open jobs by kind. It holds ids alone, no key and no answer.

    Raises:
        JournalError: *path* is there, and was not written by this class.
    """

    path: Path
    found: dict[str, Json] = field(default_factory=dict[str, Json])

    def __post_init__(self) -> None:
        if not self.path.exists():
            return
        try:
            found = read_json(self.path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise JournalError(f"{self.path} is no journal of open jobs; name another file")
        self.found = found

    def note(self, kind: str, ids: Mapping[str, Json]) -> None:
        """Remember a job that was just paid for."""
        self.found[kind] = dict(ids)
        self._save()

    def forget(self, kind: str) -> None:
        """The job has ended, or is gone."""
        if self.found.pop(kind, None) is not None:
            self._save()

    def ids_of(self, kind: str) -> Mapping[str, Json] | None:
        """The ids of the open job of *kind*; None when there is none."""
        found: Mapping[str, Json] | None = self.found.get(kind)
        return found

    def _save(self) -> None:
        self.path.write_text(json.dumps(self.found, indent=1) + "\n", encoding="utf-8")

"""A scenario: a few requests with a purpose, and their highest cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..sessions.session import Session

_About = TypeVar("_About")


@dataclass(frozen=True, slots=True)
class Scenario:
    """*run* makes requests; *cost* is the most it can cost by the price list.

    *requests* is an estimate of their number, *wall_ms* the wait at a live provider.
    *needs_controls*: only a mock has the controls that it needs. *is_smoke*: the tier smoke
    includes it. *is_read_only*: it changes nothing. *is_made_up*: its cost and requests are
    unknown.
    """

    name: str
    summary: str
    run: Callable[[Session], None]
    cost: int = 0
    requests: int = 1
    wall_ms: int = 0
    needs_controls: bool = False
    needs_stranger: bool = False
    is_smoke: bool = False
    is_read_only: bool = False
    is_probe: bool = False
    is_made_up: bool = False


def bound(run: Callable[[Session, _About], None], about: _About) -> Callable[[Session], None]:
    """*run*, about the same operation, kind or rule for every session."""
    return lambda session: run(session, about)

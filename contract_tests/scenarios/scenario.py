"""What a scenario is: a few requests with a purpose, and the worst they can cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..sessions.session import Session

_About = TypeVar("_About")


@dataclass(frozen=True, slots=True)
class Scenario:
    """*run* makes requests; *cost* is the most it can cost by the price list.

    *requests* is a guess of how many it takes, *wall_ms* how long it waits on a live provider.
    *needs_levers* says that only a mock can be asked; *is_smoke* that a quick look includes it;
    *is_read_only* that it changes nothing; *is_made_up* that its cost and requests are unknown.
    """

    name: str
    summary: str
    run: Callable[[Session], None]
    cost: int = 0
    requests: int = 1
    wall_ms: int = 0
    needs_levers: bool = False
    needs_stranger: bool = False
    is_smoke: bool = False
    is_read_only: bool = False
    is_probe: bool = False
    is_made_up: bool = False


def bound(run: Callable[[Session, _About], None], about: _About) -> Callable[[Session], None]:
    """*run*, about the same operation, kind or rule for every session."""
    return lambda session: run(session, about)

"""What a scenario is: a few requests with a purpose, what they need and may cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ..sessions.session import Session
from ..targets.needs import Need

_About = TypeVar("_About")


@dataclass(frozen=True, slots=True)
class Scenario:
    """*run* makes requests; *cost* is the most that they can cost by the price list.

    *requests* is an estimate of how many it sends, *wall_ms* of how long it waits on a live
    provider. A target that lacks one of *needs* does not run it; a target that can be steered
    lacks none. *longest_wait_ms* is the longest single wait.

    *is_smoke* includes it in tier `smoke`, *is_read_only* says that it changes nothing, *is_hasty*
    that a refusal for too many calls is what it looks for, *is_made_up* that its cost and requests
    are unknown, *prepares* that others of the same world follow on it.
    """

    name: str
    summary: str
    run: Callable[[Session], None]
    cost: int = 0
    requests: int = 1
    wall_ms: int = 0
    needs: frozenset[Need] = frozenset()
    longest_wait_ms: int = 0
    is_smoke: bool = False
    is_read_only: bool = False
    is_probe: bool = False
    is_hasty: bool = False
    is_made_up: bool = False
    prepares: bool = False

    @property
    def needs_steering(self) -> bool:
        """Whether only a target that can be steered runs it."""
        return Need.STEERING in self.needs


#: What most scenarios about failures and exact balances need.
STEERED = frozenset({Need.STEERING})


def bound(run: Callable[[Session, _About], None], about: _About) -> Callable[[Session], None]:
    """*run*, about the same operation, kind or rule for every session."""
    return lambda session: run(session, about)

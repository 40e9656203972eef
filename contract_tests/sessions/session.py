"""The session of a scenario: calls, resources, views of answers, and credits."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..targets.open_jobs import OpenJobs
from .calls import Calls
from .resources import Resources
from .shown import Shown
from .wallet import Wallet


@dataclass(slots=True)
class Session(Calls):
    """All requests of one scenario to one target."""

    open_jobs: OpenJobs | None = None
    resources: Resources = field(init=False)
    shown: Shown = field(init=False)
    wallet: Wallet = field(init=False)

    def __post_init__(self) -> None:
        Calls.__post_init__(self)
        self.shown = Shown(self.contract, self.checks)
        self.resources = Resources(self, self.shown, self.open_jobs)
        self.wallet = Wallet(self)

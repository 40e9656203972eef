"""A resource that a scenario made, and the refusal to make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from screentest.specs.checks.checks import Make
from screentest.specs.json_types import Json

from ..targets.needs import UnableError
from ..targets.open_jobs import OpenJob
from ..targets.target import Identity
from ..traces.trace import Exchange


class NotAcceptedError(UnableError):
    """The server refused a request that the scenario needs; *exchange* has its answer.

    A request that the guard stopped is not a refusal of the server.
    """

    def __init__(self, exchange: Exchange) -> None:
        name = exchange.operation
        super().__init__(f"{name} was refused: {exchange.status} {exchange.body[:200]!r}")
        self.exchange = exchange


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that a scenario made: its ids, and the exchange that made it."""

    make: Make
    ids: Mapping[str, Json]
    exchange: Exchange
    owner: Identity
    open_job: OpenJob | None = None

    @property
    def own_id(self) -> str:
        return str(self.ids[self.make.own_id])

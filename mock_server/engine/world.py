"""A world: an isolated set of accounts and jobs with its own clock, seed and settings."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from screentest.specs.json_types import Json

from ..kernel.clock import Clock, Mode, check_speed
from ..kernel.errors import MockError
from ..kernel.rows import Settings, WorldRow
from ..store.working_set import WorkingSet


class World:
    """One world: its rows, and the state that ends with the process.

    *unanswered* are the numbers of requests whose answers a fault delays, each with the id of the
    key that paid for the answer, or "". *latest_ms* is the latest time that was read from its
    clock, and *goal_ms* is where the advances under way end. *remembered* are answers to polls,
    which the pipeline reuses while nothing can have changed them.
    """

    __slots__ = ("goal_ms", "latest_ms", "remembered", "rows", "unanswered")

    def __init__(self, rows: WorkingSet) -> None:
        self.rows = rows
        # None of this is in rows: it ends with the process, and no provider's answer is lost with
        # it.
        self.unanswered: dict[int, str] = {}
        self.latest_ms = 0
        self.goal_ms = 0
        self.remembered: dict[Hashable, Any] = {}

    @property
    def id(self) -> str:
        return self.rows.id

    @property
    def requests(self) -> int:
        """The number of the last request."""
        return self.rows.journal.last_seq

    @property
    def seed(self) -> int:
        return self.rows.world.seed

    @property
    def home(self) -> str:
        """The id under which its first keys were minted.

        It is another world's id after a restore from that world's snapshot.
        """
        return self.rows.world.home

    @property
    def first(self) -> Plan:
        """The plan with which it began, and begins again after a reset."""
        return Plan.from_json(self.rows.world.first)

    @property
    def clock(self) -> Clock:
        return self.rows.world.clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self.rows.save_world(replace(self.rows.world, clock=clock))

    @property
    def settings(self) -> Settings:
        return self.rows.world.settings

    @settings.setter
    def settings(self, settings: Settings) -> None:
        self.rows.save_world(replace(self.rows.world, settings=settings))


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """How a world begins. *credits* are those of the first accounts, by provider.

    *label* is a free text for people, such as the name of a test.
    """

    seed: int = 1
    mode: Mode = Mode.REAL
    now_ms: int | None = None
    speed: float = 1.0
    pace: float = 1.0
    credits: Mapping[str, int] = {}
    has_magic: bool = True
    has_fault_header: bool = False
    label: str = ""

    def to_json(self) -> Json:
        return to_builtins(self)

    @staticmethod
    def from_json(raw: Json) -> Plan:
        return convert(raw, Plan)


def check_world(row: WorldRow) -> None:
    """Raises unless *row*, which came with a snapshot, describes a world.

    Raises:
        MockError: its clock or its plan has impossible values.
    """
    try:
        # What the types of the row cannot check is tried once here, so that no later call fails on
        # it.
        check_speed(row.clock.speed)
        Plan.from_json(row.first)
    except (ValidationError, MockError):
        raise MockError(
            "the first line of the snapshot does not describe a world", code="damaged_snapshot"
        ) from None

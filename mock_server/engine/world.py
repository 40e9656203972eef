"""A world: an isolated universe with its clock, seed and settings, and its first plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from screentest.specs.json_types import Json

from ..kernel.clock import Clock, Mode, check_speed
from ..kernel.errors import MockError
from ..kernel.recent_calls import Marks
from .instant import Settings


class World(Struct):
    """One universe. What is not here is in its rows.

    *home* is the id under which its first keys were made; restored from a snapshot of another
    world, it is that world's. *unanswered* are the numbers of requests whose answers an injected
    fault holds back, each with the id of the key that paid for its answer, or "". *marks* are what
    advice about repeated calls needs.
    """

    id: str
    seed: int
    clock: Clock
    home: str
    settings: Settings = field(default_factory=Settings)
    first: Json = None
    requests: int = 0
    unanswered: dict[int, str] = field(default_factory=dict[int, str])
    marks: Marks = field(default_factory=Marks)

    def to_json(self) -> Json:
        return {
            "clock": {
                "mode": self.clock.mode.value,
                "base_ms": self.clock.base_ms,
                "wall_ms": self.clock.wall_ms,
                "speed": self.clock.speed,
            },
            "pace": self.settings.pace,
            "choices": dict(self.settings.choices),
            "magic": self.settings.has_magic,
            "first": self.first,
            "home": self.home,
        }

    @staticmethod
    def from_json(world: str, seed: int, raw: Json) -> World:
        kept = raw["clock"]
        clock = Clock(Mode(kept["mode"]), kept["base_ms"], kept["wall_ms"], kept["speed"])
        settings = Settings(raw["pace"], raw["choices"], raw["magic"])
        return World(world, seed, clock, raw["home"], settings, raw["first"])


class Plan(Struct, frozen=True):
    """How a world is to begin. *credits* are the first account's, by provider."""

    seed: int = 1
    mode: Mode = Mode.REAL
    now_ms: int | None = None
    speed: float = 1.0
    pace: float = 1.0
    credits: Mapping[str, int] = {}
    has_magic: bool = True

    def to_json(self) -> Json:
        return {**asdict(self), "mode": self.mode.value}

    @staticmethod
    def from_json(raw: Json) -> Plan:
        values: dict[str, Any] = {**raw, "mode": Mode(raw["mode"])}
        return Plan(**values)


def read_world(world_id: str, head: Json) -> World:
    """The world that the *head* of a snapshot describes, as *world_id*.

    Raises:
        MockError: it describes none.
    """
    try:
        world = World.from_json(world_id, head["seed"], head["world"])
        check_speed(world.clock.speed)
        Plan.from_json(world.first)
        detail = (*head["world"]["choices"].values(), head["world"]["home"])
        if not all(isinstance(it, str) for it in detail) or not world.settings.pace >= 0:
            raise ValueError
    except (KeyError, TypeError, ValueError, AttributeError):
        raise MockError(
            "the snapshot has a first line that describes no world", code="damaged_snapshot"
        ) from None
    return world

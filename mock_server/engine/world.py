"""A world: an isolated set of accounts and jobs with its own clock, seed and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import asdict

from screentest.specs.json_types import Json

from ..kernel.clock import Clock, Mode, check_speed
from ..kernel.errors import MockError
from ..kernel.recent_calls import Marks


class Settings(Struct, frozen=True):
    """What the user chose for a world.

    *pace* stretches documented durations; 0 ends every job at once. *choices* are readings by
    `provider.interpretation`. *has_magic* says that directives in texts and keys are obeyed.
    """

    pace: float = 1.0
    choices: Mapping[str, str] = {}
    has_magic: bool = True


class World(Struct):
    """One world. Everything else that belongs to it is in its rows.

    *home* is the id under which its first keys were minted: another world's id after a restore from
    that world's snapshot. *unanswered* are the numbers of requests whose answers a fault
    delays, each with the id of the key that paid for the answer, or "". *marks* is the memory
    behind findings about repeated calls.
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
    def from_json(world_id: str, seed: int, raw: Json) -> World:
        kept = raw["clock"]
        clock = Clock(Mode(kept["mode"]), kept["base_ms"], kept["wall_ms"], kept["speed"])
        settings = Settings(raw["pace"], raw["choices"], raw["magic"])
        return World(world_id, seed, clock, raw["home"], settings, raw["first"])


class Plan(Struct, frozen=True):
    """How a world begins. *credits* are those of the first accounts, by provider."""

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
        MockError: the head is incomplete or has values of the wrong type.
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
            "the first line of the snapshot does not describe a world", code="damaged_snapshot"
        ) from None
    return world

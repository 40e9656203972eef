"""The states that resources pass through, and how long they stay in them."""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from typing import Annotated

from msgspec import Meta, Struct

from ..formats import Key, Source, means


class Kind(Enum):
    """The meaning of a state for the engine; the provider chooses its name."""

    RESTING = "resting"  # stays until a request acts on it
    WAITING = "waiting"  # accepted, not picked up
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLOSED = "closed"  # ended by a request, such as a revoked key

    @property
    def is_final(self) -> bool:
        return self is Kind.SUCCEEDED or self is Kind.FAILED or self is Kind.CLOSED


class State(Struct, frozen=True, forbid_unknown_fields=True):
    """One state of a lifecycle."""

    name: Key
    kind: Annotated[Kind, means("What the state means.", "running")]
    lasts_ms: Annotated[
        tuple[Annotated[int, Meta(ge=0)], Annotated[int, Meta(ge=0)]] | None,
        means("The shortest and the longest stay of a job that passes.", [20_000, 60_000]),
    ] = None


class Scale(Struct, frozen=True, forbid_unknown_fields=True):
    """What stretches every duration of a lifecycle."""

    by: Annotated[str, means("The fact that decides.", "quality")]
    factors: Annotated[
        Mapping[str, Annotated[float, Meta(gt=0)]], means("By its value.", {"4k": 2})
    ]


class Lifecycle(Struct, frozen=True, dict=True, forbid_unknown_fields=True):
    """The states of one kind of resource and the edges between them."""

    name: Key
    states: Annotated[
        Mapping[str, State],
        means(
            "By name, in order.",
            {"queued": {"kind": "waiting", "lasts_ms": [1_000, 5_000]}, "done": {"kind": "failed"}},
        ),
    ]
    edges: Annotated[
        Mapping[str, tuple[str, ...]],
        means("The states after each state.", {"queued": ["done"], "done": []}),
    ]
    source: Source = ""
    failure: Annotated[
        str, means("The reason of a failure that has no other.", "The lamp broke.")
    ] = ""
    scale: Annotated[
        Scale | None,
        means("What stretches the durations.", {"by": "quality", "factors": {"4k": 2}}),
    ] = None

    @property
    def simulated(self) -> bool:
        """Whether jobs pass through its states by themselves."""
        return any(state.lasts_ms for state in self.states.values())

    @cached_property
    def path(self) -> tuple[State, ...]:
        """The states through which a job passes before its end."""
        return tuple(
            state
            for state in self.states.values()
            if state.kind is Kind.WAITING or state.kind is Kind.RUNNING
        )

    def end(self, kind: Kind) -> State:
        """The final state of *kind*; a lifecycle has at most one."""
        return next(state for state in self.states.values() if state.kind is kind)

"""A target that answers from memory: what a server answered to the same requests before."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..traces.trace import Raw
from .needs import UnableError
from .target import Identity, OutgoingRequest, Prompts, Target

#: A request, the address of a file or the name of a balance, with what was answered.
Answer = tuple[OutgoingRequest | str, Raw]


@dataclass(slots=True)
class Replayed:
    """Each of *answers* once, in order, to the accounts of *original*. It sends nothing."""

    original: Target
    answers: Sequence[Answer]
    controls: None = None
    callback: None = None
    _now_ms: int = 0
    _left: dict[object, deque[Raw]] = field(
        default_factory=lambda: defaultdict[object, deque[Raw]](deque)
    )

    def __post_init__(self) -> None:
        for wire, raw in self.answers:
            self._left[_key(wire)].append(raw)
        self._now_ms = self.answers[0][1].at_ms if self.answers else self.original.now_ms()

    @property
    def name(self) -> str:
        return self.original.name

    @property
    def owner(self) -> Identity:
        return self.original.owner

    @property
    def stranger(self) -> Identity | None:
        return self.original.stranger

    @property
    def empty(self) -> Identity | None:
        return self.original.empty

    @property
    def revoked(self) -> Identity | None:
        return self.original.revoked

    @property
    def prompts(self) -> Prompts:
        return self.original.prompts

    @property
    def sees_credits(self) -> bool:
        return self.original.sees_credits

    def credits(self, who: Identity) -> int:
        return int(self._answer(_balance_of(who)).body)

    @property
    def is_mock(self) -> bool:
        return self.original.is_mock

    @property
    def patience_ms(self) -> int:
        return self.original.patience_ms

    def now_ms(self) -> int:
        return self._now_ms

    def wait(self, ms: int) -> None:
        self._now_ms += max(0, ms)

    def close(self) -> None:
        """Nothing is kept."""

    def send(self, wire: OutgoingRequest) -> Raw:
        return self._answer(wire)

    def fetch(self, url: str) -> Raw:
        return self._answer(url)

    def _answer(self, wire: OutgoingRequest | str) -> Raw:
        left = self._left[_key(wire)]
        if not left:
            raise UnableError("the server was not asked this")
        raw = left.popleft()
        self._now_ms = max(raw.at_ms, raw.ended_ms)
        return raw


def credits_answer(who: Identity, credits: int, at_ms: int) -> Answer:
    """What `Replayed` answers when the credits of *who* are read."""
    name = _balance_of(who)
    return name, OutgoingRequest("GET", name).answered(200, {}, str(credits).encode(), at_ms)


def _balance_of(who: Identity) -> str:
    return f"credits of {who.label}"


def _key(wire: OutgoingRequest | str) -> object:
    if isinstance(wire, str):
        return wire
    headers = frozenset((name.lower(), value) for name, value in wire.headers.items())
    return wire.method, wire.path, wire.query, wire.body, headers

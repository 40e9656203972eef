"""Our own mock as a stranger's server: the same answers, and nothing that steers it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..traces.trace import Raw
from .in_process import InProcessTarget
from .target import Identity, OutgoingRequest

_CREDITS = 1_000_000


@dataclass(slots=True)
class PlainTarget:
    """*mock* without its controls, with the accounts that a user would supply.

    *has_others* adds a second account and an empty one.
    """

    mock: InProcessTarget
    has_others: bool = True
    patience_ms: int = 30 * 24 * 3_600_000
    is_mock: bool = False
    controls: None = None
    owner: Identity = field(init=False)
    stranger: Identity | None = field(init=False, default=None)
    empty: Identity | None = field(init=False, default=None)
    revoked: Identity | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.owner = self._account("owner", _CREDITS)
        if self.has_others:
            self.stranger = self._account("stranger", _CREDITS)
            self.empty = self._account("empty", 0)
            former = self.mock.controls.new_identity("former")
            self.mock.controls.revoke(former)
            self.revoked = Identity("former", former.keys)

    def _account(self, name: str, credits: int) -> Identity:
        has_money = self.mock.contract.behaviour.initial_credits is not None
        made = self.mock.controls.new_identity(name, credits=credits if has_money else None)
        return Identity(name, made.keys)

    @property
    def name(self) -> str:
        return "mock, without controls"

    def now_ms(self) -> int:
        return self.mock.now_ms()

    def wait(self, ms: int) -> None:
        self.mock.wait(ms)

    def close(self) -> None:
        """Nothing is kept; scenarios share the one world."""

    def send(self, wire: OutgoingRequest) -> Raw:
        return self.mock.send(wire)

    def fetch(self, url: str) -> Raw:
        return self.mock.fetch(url)

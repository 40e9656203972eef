"""Our own mock as a stranger's server: the same answers, and nothing that steers it."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..traces.trace import Raw
from .callback import Callback
from .in_process import InProcessTarget
from .target import NO_PROMPTS, Identity, OutgoingRequest, Prompts

_CREDITS = 1_000_000
#: Suffices for the cheapest resource of each kind, and little more.
_FEW = 25
_PROMPTS = Prompts("A lamp [[screentest:fail]]", "A lamp [[screentest:reject]]")


@dataclass(slots=True)
class PlainTarget:
    """*mock* without its controls, with the accounts that a user would supply.

    *has_others* adds a second account, an empty one, a revoked key, a receiver of webhooks,
    balances and texts that make jobs fail or be refused.
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
    callback: Callback | None = field(init=False, default=None)
    _accounts: dict[str, Identity] = field(init=False, default_factory=dict[str, Identity])

    def __post_init__(self) -> None:
        behaviour = self.mock.contract.behaviour
        limits = behaviour.concurrency.limits if behaviour.concurrency is not None else {}
        # Of two accounts, one is of the tier that the contract lets do the most.
        tiers = [it for it in behaviour.tiers if it in limits and self.has_others]
        widest = max(tiers, key=lambda it: limits[it], default=None)
        registered = self._account("owner", _CREDITS, widest)
        self.owner = Identity("owner", registered.keys)
        if self.has_others:
            self.stranger = Identity("stranger", self._account("stranger", _CREDITS).keys)
            self.empty = Identity("empty", self._account("empty", _FEW).keys)
            former = self.mock.controls.new_identity("former")
            self.mock.controls.revoke(former)
            self.revoked = Identity("former", former.keys)
            self.callback = self._callback(registered)

    def _account(self, name: str, credits: int, tier: str | None = None) -> Identity:
        has_money = self.mock.contract.behaviour.initial_credits is not None
        made = self.mock.controls.new_identity(
            name, credits=credits if has_money else None, tier=tier
        )
        self._accounts[name] = made
        return made

    def _callback(self, owner: Identity) -> Callback | None:
        """A receiver that *owner* registered for all events; None where there are no webhooks."""
        rules, controls = self.mock.contract.behaviour.webhooks, self.mock.controls
        endpoint = controls.new_endpoint(owner, sorted(rules.events)) if rules else None
        return Callback(controls.url, endpoint.secret, controls) if endpoint else None

    @property
    def prompts(self) -> Prompts:
        return _PROMPTS if self.has_others else NO_PROMPTS

    @property
    def sees_credits(self) -> bool:
        return self.has_others

    def credits(self, who: Identity) -> int:
        return self.mock.credits(self._accounts[who.name])

    @property
    def name(self) -> str:
        return "mock, without controls"

    def now_ms(self) -> int:
        return self.mock.now_ms()

    def wait(self, ms: int) -> None:
        """Wait from one delivery to the next, so that each arrives at its time."""
        until_ms, controls = self.now_ms() + ms, self.mock.controls
        while self.callback is not None:
            due_ms = controls.next_due_ms()
            if due_ms is None or not self.now_ms() < due_ms < until_ms:
                break
            self.mock.wait(due_ms - self.now_ms())
        self.mock.wait(until_ms - self.now_ms())

    def close(self) -> None:
        """Nothing is kept; scenarios share the one world."""

    def send(self, wire: OutgoingRequest) -> Raw:
        return self.mock.send(wire)

    def fetch(self, url: str) -> Raw:
        return self.mock.fetch(url)

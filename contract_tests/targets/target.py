"""The server under test: it takes requests, has a clock to wait by, and perhaps controls.

A live provider has no controls; our own mock has them, in process or through its control API. A
rule that needs a control which is missing is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from screentest.specs.json_types import Json

from ..traces.trace import Balance, Raw
from .callback import Callback, Receiver


@dataclass(frozen=True, slots=True)
class Identity:
    """An account with credentials, by kind of key. *account* is its id where controls exist."""

    name: str
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str = ""

    @property
    def label(self) -> str:
        """A name that distinguishes keys in a trace without showing one."""
        return f"{self.name}#{self.account}" if self.account else self.name


@dataclass(frozen=True, slots=True)
class Prompts:
    """Texts that make a job of a server *failing*, or *refused*; empty where none is known."""

    failing: str = ""
    refused: str = ""


NO_PROMPTS = Prompts()

ANONYMOUS = Identity("anonymous")


@dataclass(frozen=True, slots=True)
class OutgoingRequest:
    """A request, ready to be sent. *path* starts after the provider's base address."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    def answered(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        at_ms: int,
        ended_ms: int = 0,
        pieces: Iterable[tuple[int, bytes]] = (),
    ) -> Raw:
        """This request with an answer; *pieces* are those of a stream."""
        sent = (self.method, self.path, self.query, self.headers, self.body)
        return Raw(*sent, status, headers, body, at_ms, ended_ms, tuple(pieces))


@dataclass(frozen=True, slots=True)
class ReceiverEndpoint:
    """A registered receiver of webhooks, with its current secret."""

    id: str
    secret: str


class MockControls(Receiver, Protocol):
    """What only a mock can do."""

    def new_identity(
        self, name: str, *, credits: int | None = None, tier: str | None = None
    ) -> Identity: ...

    def balance(self, identity: Identity) -> Balance: ...

    def set_credits(self, identity: Identity, credits: int) -> None: ...

    def revoke(self, identity: Identity) -> None: ...

    def with_further_key(self, identity: Identity) -> Identity:
        """*identity* with another key of the same account."""
        ...

    def fail_next(self, identity: Identity, operation: str) -> None:
        """Make the next job that *operation* starts for *identity* end in failure."""
        ...

    def cut_next(self, identity: Identity, operation: str) -> None:
        """Cut the next stream of *operation* for *identity* after one event; its job goes on."""
        ...

    def break_next(self, identity: Identity, operation: str) -> None:
        """Make the next *operation* of *identity* end in a server error once its work is done."""
        ...

    def hold(self, job: str, *, held: bool) -> bool:
        """Hold a job in its state, or release it. False if there is no such job."""
        ...

    def details(self, job: str) -> Json: ...

    def next_due_ms(self) -> int | None:
        """The due time of the next effect; None when nothing is pending."""
        ...

    def new_endpoint(self, identity: Identity, events: Sequence[str]) -> ReceiverEndpoint | None:
        """A new endpoint; None when it is refused."""
        ...

    def rotate(self, endpoint: ReceiverEndpoint) -> ReceiverEndpoint: ...

    def on_delivery(self, act: Callable[[], None]) -> None:
        """Call *act* for each delivery, before it is answered."""
        ...


class Target(Protocol):
    """A server that is checked against a contract."""

    @property
    def name(self) -> str: ...

    @property
    def owner(self) -> Identity: ...

    @property
    def stranger(self) -> Identity | None:
        """A second account; None when there is only one."""
        ...

    @property
    def empty(self) -> Identity | None:
        """An account without credits; None when there is none."""
        ...

    @property
    def revoked(self) -> Identity | None:
        """A caller with a key that is revoked; None when there is none."""
        ...

    @property
    def controls(self) -> MockControls | None: ...

    @property
    def callback(self) -> Callback | None:
        """Where its webhooks arrive; None if that is unknown, or controls say it."""
        ...

    @property
    def prompts(self) -> Prompts: ...

    @property
    def sees_credits(self) -> bool:
        """Whether `credits` can be read at any time."""
        ...

    def credits(self, who: Identity) -> int:
        """The credits of *who*, with those that are set aside."""
        ...

    @property
    def is_mock(self) -> bool:
        """Whether it is our own mock, which understands directives."""
        ...

    @property
    def patience_ms(self) -> int:
        """The longest wait of a scenario."""
        ...

    def now_ms(self) -> int: ...

    def wait(self, ms: int) -> None: ...

    def send(self, wire: OutgoingRequest) -> Raw: ...

    def fetch(self, url: str) -> Raw:
        """GET an absolute URL from an answer of the provider, without credentials."""
        ...

    def close(self) -> None:
        """Release the target's resources; no request follows."""
        ...

"""The only module of the kit that uses the mock: a target in this process with its own clock.

Requests are WSGI calls and waiting moves the clock, so a day costs microseconds. Everything beyond
that uses the control API, as a downstream test does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ..traces.trace import Balance, Raw, SeenDelivery
from .callback import Inbox
from .mock_app import App, MockClient, bent, instant_ms
from .target import NO_PROMPTS, Identity, OutgoingRequest, Prompts, ReceiverEndpoint

#: The first instant of every world of the kit.
START = "2026-01-01T00:00:00Z"
#: More than any documented wait; in process, waiting takes no real time.
_PATIENCE_MS = 30 * 24 * 3_600_000


@dataclass(slots=True)
class InProcessControls:
    """The controls of one world, over the control API."""

    _client: MockClient
    _provider: str
    world_id: str
    _now_ms: Callable[[], int]
    _bend: str = ""
    inbox: Inbox = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = Inbox(self.url, self._now_ms)

    @property
    def path(self) -> str:
        return f"/worlds/{self.world_id}"

    @property
    def receiver(self) -> str:
        """The name of the world's webhook receiver in this process."""
        return f"kit-{self.world_id}"

    @property
    def url(self) -> str:
        """The address of that receiver for the mock."""
        return f"wsgi:{self.receiver}"

    def new_identity(
        self, name: str, *, credits: int | None = None, tier: str | None = None
    ) -> Identity:
        body: dict[str, Json] = {"provider": self._provider}
        if credits is not None:
            body["credits"] = credits
        if tier is not None:
            body["tier"] = tier
        made = self._client.control("POST", f"{self.path}/accounts", body)
        keys = {kind: made[kind] for kind in ("api_key", "bearer") if made.get(kind)}
        return Identity(name, keys, made["id"])

    def balance(self, identity: Identity) -> Balance:
        shown = self._client.control("GET", f"{self.path}/accounts/{identity.account}")["credits"]
        return Balance(self._now_ms(), identity.label, shown["available"], shown["held"])

    def set_credits(self, identity: Identity, credits: int) -> None:
        self._client.control(
            "PATCH", f"{self.path}/accounts/{identity.account}", {"credits": credits}
        )

    def revoke(self, identity: Identity) -> None:
        path = f"{self.path}/accounts/{identity.account}"
        self._client.control("PATCH", path, {"api_key_revoked": True})

    def with_further_key(self, identity: Identity) -> Identity:
        made = self._client.control("POST", f"{self.path}/accounts/{identity.account}/keys", {})
        keys = {kind: made[kind] for kind in ("api_key", "bearer") if made.get(kind)}
        return Identity(identity.name, keys, identity.account)

    def fail_next(self, identity: Identity, operation: str) -> None:
        self._inject("job_failure", identity, operation, reason="the kit wants to see a failure")

    def cut_next(self, identity: Identity, operation: str) -> None:
        self._inject("stream_cut", identity, operation, after_events=1)

    def _inject(self, fault: str, identity: Identity, operation: str, **attributes: Json) -> None:
        where = {"operation": operation, "account": identity.account}
        order = {"type": fault, "where": where, "times": 1, "attributes": attributes}
        self._client.control("POST", f"{self.path}/faults", order)

    def break_next(self, identity: Identity, operation: str) -> None:
        order = {
            "type": "http_error",
            "where": {"operation": operation, "account": identity.account},
            "phase": "after_commit",
            "attributes": {"status": 500},
        }
        self._client.control("POST", f"{self.path}/faults", order)

    def hold(self, job: str, *, held: bool) -> bool:
        return self._client.attempt("PATCH", f"{self.path}/jobs/{job}", {"held": held})[0] == 200

    def details(self, job: str) -> Json:
        status, shown = self._client.attempt("GET", f"{self.path}/jobs/{job}")
        return shown.get("details") if status == 200 else None

    def next_due_ms(self) -> int | None:
        due = self._client.control("GET", f"{self.path}/clock")["next"]
        return instant_ms(due["at"]) if due is not None else None

    def new_endpoint(self, identity: Identity, events: Sequence[str]) -> ReceiverEndpoint | None:
        self._client.app.receivers[self.receiver] = self.inbox
        body = {
            "provider": self._provider,
            "account": identity.account,
            "url": self.url,
            "events": list(events),
        }
        status, made = self._client.attempt("POST", f"{self.path}/webhooks/endpoints", body)
        return ReceiverEndpoint(made["id"], made["secret"]) if status == 201 else None

    def rotate(self, endpoint: ReceiverEndpoint) -> ReceiverEndpoint:
        path = f"{self.path}/webhooks/endpoints/{endpoint.id}/rotate"
        return ReceiverEndpoint(endpoint.id, self._client.control("POST", path, {})["secret"])

    def answer_deliveries(self, statuses: Sequence[int], *, about: str = "") -> None:
        self.inbox.answer_deliveries(statuses, about=about)

    def deliveries(self) -> list[SeenDelivery]:
        return bent(self.inbox.taken, self._bend)

    def followed(self) -> int:
        return self.inbox.followed()

    def on_delivery(self, act: Callable[[], None]) -> None:
        self.inbox.on_delivery = act


@dataclass(slots=True)
class InProcessTarget:
    """A world of the mock *app*. *seed* draws its durations, ids and media."""

    app: App
    contract: Contract
    seed: int = 1
    patience_ms: int = _PATIENCE_MS
    revoked: None = None
    callback: None = None
    is_mock: bool = True
    bend_deliveries: str = ""
    prompts: Prompts = NO_PROMPTS
    sees_credits: bool = True
    readings: Mapping[str, str] = field(default_factory=dict[str, str])
    _now_ms: int = 0
    _client: MockClient = field(init=False)
    _controls: InProcessControls = field(init=False)
    _owner: Identity | None = None
    _stranger: Identity | None = None
    _empty: Identity | None = None

    def __post_init__(self) -> None:
        self._client = MockClient(self.app)
        body = {"seed": self.seed, "clock": {"mode": "manual", "now": START}}
        made = self._client.control("POST", "/worlds", body)
        self._controls = InProcessControls(
            self._client, self.contract.provider, made["id"], self.now_ms, self.bend_deliveries
        )
        self._now_ms = instant_ms(made["clock"]["now"])
        if self.readings:
            self._client.control(
                "PATCH", f"{self._controls.path}/interpretations", dict(self.readings)
            )

    @property
    def name(self) -> str:
        return "mock, in process"

    @property
    def owner(self) -> Identity:
        if self._owner is None:
            self._owner = self._controls.new_identity("owner")
        return self._owner

    @property
    def stranger(self) -> Identity | None:
        if self._stranger is None:
            self._stranger = self._controls.new_identity("stranger")
        return self._stranger

    @property
    def empty(self) -> Identity:
        if self._empty is None:
            has_money = self.contract.behaviour.initial_credits is not None
            self._empty = self._controls.new_identity("empty", credits=0 if has_money else None)
        return self._empty

    @property
    def controls(self) -> InProcessControls:
        return self._controls

    def credits(self, who: Identity) -> int:
        return self._controls.balance(who).total

    def now_ms(self) -> int:
        return self._now_ms

    def wait(self, ms: int) -> None:
        if ms > 0:
            self._now_ms += ms
            self._client.control("POST", f"{self._controls.path}/clock/advance", {"by_ms": ms})

    def close(self) -> None:
        self._client.control("DELETE", self._controls.path)
        self.app.receivers.pop(self._controls.receiver, None)

    def send(self, wire: OutgoingRequest) -> Raw:
        base = f"/w/{self._controls.world_id}/{self.contract.provider}"
        return self._exchange(wire, base + wire.path)

    def fetch(self, url: str) -> Raw:
        parts = urlsplit(url)
        wire = OutgoingRequest("GET", parts.path, parts.query)
        return self._exchange(wire, parts.path)

    def _exchange(self, wire: OutgoingRequest, path: str) -> Raw:
        at_ms = self._now_ms
        status, headers, pieces = self._client.call(
            wire.method, path, wire.query, wire.headers, wire.body
        )
        is_stream = headers.get("content-type", "").startswith("text/event-stream")
        received: list[tuple[int, bytes]] = []
        for piece in pieces:
            if is_stream:
                self._look_at_clock()
            received.append((self._now_ms, piece))
        body = b"".join(piece for _, piece in received)
        shown = received if is_stream else ()
        return wire.answered(status, headers, body, at_ms, self._now_ms, shown)

    def _look_at_clock(self) -> None:
        """Read the clock again: reading a stream moves the clock of a mock in process."""
        self._now_ms = instant_ms(
            self._client.control("GET", f"{self._controls.path}/clock")["now"]
        )

"""The rules of webhooks: which endpoint gets an event, its payload, its signature, its retries.

Pure functions of the contract's templates. `engine/outbox.py` keeps the rows, and
`http/delivery.py` sends.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Protocol

import orjson
from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from screentest.specs.behaviour.deliveries import WebhookEvent, WebhookRules
from screentest.specs.expressions.templates import fill_text
from screentest.specs.json_types import Json

from .clock import Notations
from .ids import mint

#: The newest attempts that a delivery keeps; a client may redeliver it without a limit.
ATTEMPTS_KEPT_MAX = 50
#: The part of a receiver's answer that is kept.
REPLY_EXCERPT_MAX = 1_024


class Endpoint(Struct, frozen=True):
    """The address for an account's events. Empty *events* means all of them.

    One that *is_of_requests* gets the events of the jobs whose requests name its URL.

    The secret is not stored: it is minted from the world's seed and *rotations* when needed.
    """

    id: str
    seq: int
    provider: str
    account: str
    url: str
    events: tuple[str, ...]
    created_ms: int
    rotations: int = 0
    is_of_requests: bool = False

    def wants(self, account: str, type_: str) -> bool:
        """Whether this endpoint receives an event of *account*, whichever request made the job."""
        if self.is_of_requests or self.account != account:
            return False
        return not self.events or type_ in self.events

    def secret(self, rules: WebhookRules, *world: object) -> str:
        """The current signing secret; *world* identifies the world."""
        # By the number of rotations: the same calls give the same secrets, and none has to be
        # stored.
        number = self.rotations + 1
        # What requests name themselves shares the secret of the account.
        owner = self.account if self.is_of_requests else self.id
        return mint(rules.secret_form, number, "webhook secret", self.provider, owner, *world)

    def to_json(self) -> Json:
        return to_builtins(self)

    @staticmethod
    def from_json(raw: Json) -> Endpoint:
        return convert(raw, Endpoint)


class Fate(Enum):
    """The state of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"  # answered 2xx at least once
    EXHAUSTED = "exhausted"  # the last attempt failed too
    CANCELLED = "cancelled"  # its endpoint was deleted
    DROPPED = "dropped"  # lost by a fault


class Outcome(Struct, frozen=True):
    """The result of one attempt: the receiver's *status*, or an *error*."""

    status: int | None
    error: str | None = None
    latency_ms: int = 0
    reply: str = ""

    @property
    def is_success(self) -> bool:
        """Only 2xx is; a redirect is not followed and counts as a failure."""
        return self.status is not None and 200 <= self.status < 300


class Attempt(Struct, frozen=True):
    """One attempt to send a delivery, claimed by its sender.

    *number* counts from 1 over the delivery's life. *ticket* identifies the claim: an outcome with
    an old ticket is ignored.
    """

    world_id: str
    provider: str
    delivery: str
    endpoint: str
    number: int
    due_ms: int
    ticket: int
    is_forged: bool = False


class WebhookRequest(Struct, frozen=True):
    """The request of an attempt."""

    url: str
    headers: Mapping[str, str]
    body: bytes


#: An attempt, its request (None: it was cancelled before it was sent), and its outcome.
Report = tuple[Attempt, WebhookRequest | None, Outcome]


class Dispatcher(Protocol):
    """Sends attempts, outside every transaction."""

    def send(self, world_id: str, attempts: Sequence[Attempt]) -> None:
        """Send *attempts*, and report all their outcomes at once."""
        ...

    def wait(self, world_id: str) -> None:
        """Wait until no attempt of *world_id* is in flight, or for a bounded time."""
        ...


class Delivery(Struct, frozen=True, forbid_unknown_fields=True):
    """One event for one endpoint. All attempts send the same *body*.

    *step* counts the past scheduled attempts. *is_single*: it is not retried. *is_held*: it waits
    until the next delivery to its endpoint was sent. At any time a delivery waits for an effect, is
    in flight (*ticket*), or is over. After *claimed_until_ms*, in wall time, another process may
    take over a delivery that is in flight.
    """

    id: str
    seq: int
    provider: str
    endpoint: str
    event: str
    type: str
    job: str
    operation: str | None
    created_ms: int
    body: str
    fate: Fate = Fate.PENDING
    step: int = 0
    due_ms: int | None = None
    ticket: int | None = None
    is_single: bool = False
    is_held: bool = False
    attempts: tuple[Json, ...] = ()
    attempts_made: int = 0
    claimed_until_ms: int | None = None

    @property
    def was_received(self) -> bool:
        return any(Outcome(it["status"]).is_success for it in self.attempts)


def settled(
    rules: WebhookRules, delivery: Delivery, attempt: Attempt, outcome: Outcome, line: Json
) -> Delivery:
    """*delivery* after one attempt; *line* describes that attempt.

    After a failure it is due again the next wait after the attempt was due, until no wait is left.
    """
    after = replace(
        delivery,
        ticket=None,
        claimed_until_ms=None,
        due_ms=None,
        step=delivery.step + 1,
        # A test may redeliver without end; the oldest attempts go.
        attempts=(*delivery.attempts, line)[-ATTEMPTS_KEPT_MAX:],
    )
    # A failed redelivery does not make a received event undelivered.
    if outcome.is_success or after.was_received:
        return replace(after, fate=Fate.DELIVERED)
    # Its endpoint was deleted while it was being sent, so no retry follows.
    if delivery.fate is Fate.CANCELLED:
        return after
    wait_ms = retry_wait_ms(rules, after.step)
    if wait_ms is None or delivery.is_single:
        return replace(after, fate=Fate.EXHAUSTED)
    # From the due time and not from now: the schedule of retries does not depend on how long a
    # receiver took, so a run can be repeated.
    return replace(after, fate=Fate.PENDING, due_ms=attempt.due_ms + wait_ms)


def retry_wait_ms(rules: WebhookRules, failures: int) -> int | None:
    """The wait after the *failures*-th failed attempt, from 1; None after the last one."""
    return rules.retries_ms[failures - 1] if failures <= len(rules.retries_ms) else None


def event_body(
    rules: WebhookRules, event: WebhookEvent, id_: str, created_ms: int, job: Mapping[str, Json]
) -> str:
    """The payload of an event, as the exact text that every attempt sends."""
    facts: dict[str, Json] = {
        "id": id_,
        "type": event.type,
        "created": Notations(created_ms),
        "job": job,
    }
    # Filled first: the body's template names it as a whole.
    facts["data"] = event.data.fill(facts)
    # Kept as text: a body that was encoded again could differ from the one that was signed.
    return orjson.dumps(rules.body.fill(facts)).decode()


def signed_headers(
    rules: WebhookRules, secret: str, delivery: Delivery, number: int, wall_ms: int
) -> dict[str, str]:
    """The contract's headers for one attempt, signed for the moment *wall_ms*."""
    facts: dict[str, Json] = {
        "id": delivery.event,
        "type": delivery.type,
        "attempt": number,
        "timestamp": Notations(wall_ms),
        "body": delivery.body,
    }
    signature = rules.signature(secret, fill_text(rules.signed, facts))
    facts["signature"] = {
        "hex": signature.hex(),
        "base64": base64.b64encode(signature).decode(),
    }
    return {name: fill_text(template, facts) for name, template in rules.headers.items()}

"""For which refusal reasons a contract must have a reply: predicates for the table of reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..openapi.operations import Operation
from .behaviour import Behaviour

#: Whether a contract needs a reply for a reason.
Needed = Callable[[Behaviour, Iterable[Operation]], bool]


def always(_: Behaviour, __: Iterable[Operation]) -> bool:
    return True


def gate(name: str) -> Needed:
    return lambda behaviour, _: name in behaviour.refusal_order


def has_credentials(behaviour: Behaviour, operations: Iterable[Operation]) -> bool:
    return "authentication" in behaviour.refusal_order and any(it.security for it in operations)


def has_lifetime(behaviour: Behaviour, operations: Iterable[Operation]) -> bool:
    expires = any(it.lives_ms is not None for it in behaviour.credentials.values())
    return expires and has_credentials(behaviour, operations)


def has_bodies(behaviour: Behaviour, operations: Iterable[Operation]) -> bool:
    return "body" in behaviour.refusal_order and any(it.bodies for it in operations)


def has_targets(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    return "existence" in behaviour.refusal_order and any(
        it.targets for it in behaviour.operations.values()
    )


def refuses_foreign(behaviour: Behaviour, operations: Iterable[Operation]) -> bool:
    is_checked = "ownership" in behaviour.refusal_order and behaviour.foreign == "refuse"
    return is_checked and has_targets(behaviour, operations)


def has_states(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    return "state" in behaviour.refusal_order and any(
        target.states for it in behaviour.operations.values() for target in it.targets
    )


def has_windows(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    return "rate_limit" in behaviour.refusal_order and bool(behaviour.rate_windows)


def has_cap(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    return "concurrency" in behaviour.refusal_order and behaviour.concurrency is not None


def has_prices(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    is_metered = "credits" in behaviour.refusal_order and behaviour.initial_credits is not None
    return is_metered and any(it.price is not None for it in behaviour.operations.values())


def has_keys(behaviour: Behaviour, _: Iterable[Operation]) -> bool:
    return "idempotency" in behaviour.refusal_order and behaviour.idempotency is not None

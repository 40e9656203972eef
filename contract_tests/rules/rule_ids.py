"""The ids of all rules. A rule is declared and judged under the id that one of these builds."""

from __future__ import annotations

from typing import Literal, NewType

RuleId = NewType("RuleId", str)

MONEY_FREE = RuleId("money.free")
CAP_FREES = RuleId("cap.frees")
CAP_CALLS = RuleId("cap.calls")
CAP_KEYS = RuleId("cap.keys")


def shape(operation: str) -> RuleId:
    """Answers are as documented."""
    return RuleId(f"shape.{operation}")


def inputs(operation: str) -> RuleId:
    """Requests are refused exactly when they break the schema."""
    return RuleId(f"input.{operation}")


def route(aspect: Literal["unknown", "method", "prefixes"]) -> RuleId:
    """Requests for what the contract does not have are refused."""
    return RuleId(f"route.{aspect}")


def auth(operation: str, aspect: Literal["missing", "unknown", "revoked", "first"]) -> RuleId:
    """An operation needs a valid credential."""
    return RuleId(f"auth.{operation}.{aspect}")


def scheme(name: str, aspect: Literal["ways", "others"]) -> RuleId:
    """A security scheme is read in the documented ways only."""
    return RuleId(f"auth.{name}.{aspect}")


def flow(name: str) -> RuleId:
    """Several calls in a row show what they must."""
    return RuleId(f"flow.{name}")


def flow_credits(name: str) -> RuleId:
    """What several calls in a row cost."""
    return RuleId(f"flow.{name}.credits")


def keys_max(name: str) -> RuleId:
    """The number of active keys is limited."""
    return RuleId(f"keys.{name}.max")


def limits(aspect: Literal["body", "file"]) -> RuleId:
    """The size of a request is limited."""
    return RuleId(f"limits.{aspect}")


def own(operation: str, aspect: Literal["foreign", "unknown", "hidden"]) -> RuleId:
    """An account sees its own resources only."""
    return RuleId(f"own.{operation}.{aspect}")


def gone(operation: str) -> RuleId:
    """A destructive operation has its effect."""
    return RuleId(f"gone.{operation}")


def state(operation: str) -> RuleId:
    """An operation works in the documented states only."""
    return RuleId(f"state.{operation}")


LifeAspect = Literal[
    "edges",
    "final",
    "ends",
    "lasts",
    "fails",
    "constant",
    "progress",
    "shown",
    "times",
    "moves",
    "echoes",
    "same",
]


def life(kind: str, aspect: LifeAspect) -> RuleId:
    """A resource moves and looks as its lifecycle says."""
    return RuleId(f"life.{kind}.{aspect}")


def same(kind: str) -> RuleId:
    """The same request does not make a second resource."""
    return RuleId(f"same.{kind}")


MoneyAspect = Literal["price", "refused", "short", "enough", "failure", "error", "shown"]


def money(operation: str, aspect: MoneyAspect) -> RuleId:
    """An operation takes its price, when it is due."""
    return RuleId(f"money.{operation}.{aspect}")


StreamAspect = Literal["order", "last", "rising", "live", "error", "refused", "state"]


def stream(operation: str, aspect: StreamAspect) -> RuleId:
    """An event stream is as documented."""
    return RuleId(f"stream.{operation}.{aspect}")


IdempotencyAspect = Literal["replay", "once", "other", "conflict", "scope", "refusals", "expiry"]


def idempotency(aspect: IdempotencyAspect) -> RuleId:
    """A repeated idempotency key repeats the answer."""
    return RuleId(f"idem.{aspect}")


RateAspect = Literal["limit", "refuses", "apart", "wait", "scope", "slides"]


def rate(window: str, aspect: RateAspect) -> RuleId:
    """A rate window admits its limit and no more."""
    return RuleId(f"rate.{window}.{aspect}")


def cap(tier: str) -> RuleId:
    """The number of running jobs is limited."""
    return RuleId(f"cap.{tier}")


HookAspect = Literal["signature", "retries", "stops", "id", "state", "endpoints", "rotation"]


def hook(aspect: HookAspect) -> RuleId:
    """Webhook deliveries are as documented."""
    return RuleId(f"hook.{aspect}")


def hook_event(name: str) -> RuleId:
    """An event is delivered."""
    return RuleId(f"hook.{name}")


def url(name: str, aspect: Literal["works", "stays", "lives", "fresh", "sealed"]) -> RuleId:
    """A URL that was handed out works as long as documented."""
    return RuleId(f"url.{name}.{aspect}")


def media(kind: str, aspect: Literal["container", "stable", "size"]) -> RuleId:
    """The file of a resource is what was asked for."""
    return RuleId(f"media.{kind}.{aspect}")


def content_early(kind: str) -> RuleId:
    """An unfinished resource has no file."""
    return RuleId(f"content.{kind}.early")


def listing(operation: str, aspect: Literal["complete", "order", "limit", "pages"]) -> RuleId:
    """A list is complete, ordered and paged as documented."""
    return RuleId(f"list.{operation}.{aspect}")


def example(name: str) -> RuleId:
    """A request or a relation of the checks holds."""
    return RuleId(f"example.{name}")


def schemathesis(check: str) -> RuleId:
    """One of schemathesis' own checks holds."""
    return RuleId(f"schemathesis.{check}")

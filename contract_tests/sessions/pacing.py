"""Keeping within a provider's rate windows, except the one under test."""

from __future__ import annotations

from screentest.specs.behaviour.call_limits import RateWindow

from ..rules.known import windows_in_force
from ..targets.needs import Need, NeedError
from ..targets.target import Identity
from ..traces.trace import Exchange
from .session import Session


def spaced(
    session: Session, who: Identity, operation: str, *, but: RateWindow | None = None
) -> Identity:
    """Wait until every rate window except *but* has room for *operation*. Returns *who*."""
    for window in windows_in_force(session.contract):
        if operation not in window.operations or window == but:
            continue
        if _calls_since(session, window, who) >= window.limit:
            if window.per_ms > session.target.patience_ms:
                raise NeedError(Need.PATIENCE, str(window.per_ms // 1_000))
            session.target.wait(window.per_ms)
    return who


def _calls_since(session: Session, window: RateWindow, who: Identity) -> int:
    """How many calls count in *window* now; the newest are last in the trace."""
    since_ms, found = session.target.now_ms() - window.per_ms, 0
    for event in reversed(session.trace.events):
        if event.at_ms <= since_ms:
            break
        if isinstance(event, Exchange) and event.operation in window.operations:
            found += event.key == who.label or window.scope == "address"
    return found

"""The script of a job, drawn when the job is accepted.

A `Script` lists when the job enters each state. The state at an instant is looked up in it, so
reading a job cannot change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from screentest.specs.behaviour.lifecycles import Kind, Lifecycle
from screentest.specs.json_types import Json

from .errors import MockError

#: Factors for every documented duration: as documented, faster, or at once.
PACES = {"documented": 1.0, "fast": 0.1, "instant": 0.0}
_FACTOR_MAX = 1_000.0


class Script(Struct, frozen=True, gc=False):
    """Steps are (offset in ms since acceptance, state name), rising; the first offset is 0.

    *held_ms* is the offset at which the job was held, and stays in its state. *reason* is the
    reason of a failure.
    """

    steps: tuple[tuple[int, str], ...]
    reason: str = ""
    held_ms: int | None = None

    def state_at(self, offset_ms: int) -> str:
        """The state *offset_ms* after acceptance."""
        if self.held_ms is not None:
            offset_ms = min(offset_ms, self.held_ms)
        name = self.steps[0][1]
        # A script has a handful of steps: a binary search would cost more than this loop.
        for starts_ms, state in self.steps:
            if starts_ms > offset_ms:
                break
            name = state
        return name

    def entered_at(self, offset_ms: int) -> int:
        """The offset at which the state of *offset_ms* was entered."""
        if self.held_ms is not None:
            offset_ms = min(offset_ms, self.held_ms)
        entered_ms = 0
        for starts_ms, _ in self.steps:
            if starts_ms > offset_ms:
                break
            entered_ms = starts_ms
        return entered_ms

    def next_after(self, offset_ms: int) -> tuple[int, str] | None:
        """The next step after *offset_ms*; None at the end or while held."""
        if self.held_ms is not None:
            return None
        return next((step for step in self.steps if step[0] > offset_ms), None)

    def changes_after(self, offset_ms: int) -> int | None:
        """The offset of the next change after *offset_ms*, also on the way to where it is held."""
        last_ms = self.steps[-1][0] if self.held_ms is None else self.held_ms
        if offset_ms >= last_ms:
            return None
        for at, _ in self.steps:
            if offset_ms < at <= last_ms:
                return at
        return last_ms

    @property
    def ends_ms(self) -> int | None:
        """The offset at which the last state is entered; None while held."""
        return None if self.held_ms is not None else self.steps[-1][0]

    def progress(self, offset_ms: int, lifecycle: Lifecycle) -> tuple[int, int | None]:
        """0 to 100, and the offset until which it stays so; None if it stays for ever.

        0 while waiting, rising while running, 100 only on success.
        """
        until_ms, ends_ms = self.changes_after(offset_ms), self.steps[-1][0]
        last_ms = min(offset_ms, ends_ms if self.held_ms is None else self.held_ms)
        runs_ms, kind = None, None
        for starts_ms, name in self.steps:
            if starts_ms > last_ms:
                break
            kind = lifecycle.states[name].kind
            if runs_ms is None and kind is Kind.RUNNING:
                runs_ms = starts_ms
        if kind is Kind.SUCCEEDED:
            return 100, until_ms
        if runs_ms is None:
            return 0, until_ms
        # With the pace `instant` all states last 0 ms.
        whole = max(1, ends_ms - runs_ms)
        # Never 100 before success: clients take 100 for the end of a job.
        shown = min(99, 100 * (last_ms - runs_ms) // whole)
        if until_ms is not None:
            # The first offset with a higher progress; the division is rounded up.
            until_ms = min(until_ms, runs_ms - (-(shown + 1) * whole // 100))
        return shown, until_ms

    def to_json(self) -> Json:
        return {
            "steps": [list(step) for step in self.steps],
            "reason": self.reason,
            "held": self.held_ms,
        }

    @staticmethod
    def from_json(raw: Json) -> Script:
        return Script(tuple((at, state) for at, state in raw["steps"]), raw["reason"], raw["held"])


def draw_script(
    lifecycle: Lifecycle,
    rng: Random,
    facts: Mapping[str, Json],
    *,
    pace: float = 1.0,
    fails: str | None = None,
    fails_at: float = 1.0,
) -> Script:
    """A script for one job. *pace* stretches the documented durations; 0 means at once.

    *fails* is the reason of a failure, None for success. *fails_at* (0 to 1) is the part of the
    running time after which it fails.
    """
    factor = pace * _scale(lifecycle, facts)
    steps: list[tuple[int, str]] = []
    at_ms = 0
    for state in lifecycle.path:
        steps.append((at_ms, state.name))
        assert state.lasts_ms is not None, (lifecycle.name, state.name)
        # Drawn at every pace and for failures too, so that none of these shifts later draws.
        drawn_ms = rng.randint(*state.lasts_ms) * factor
        cut = fails_at if fails is not None and state.kind is Kind.RUNNING else 1.0
        at_ms += int(drawn_ms * cut)
    end = lifecycle.end(Kind.SUCCEEDED if fails is None else Kind.FAILED)
    steps.append((at_ms, end.name))
    return Script(tuple(steps), fails or "")


def end_differently(
    script: Script, lifecycle: Lifecycle, kind: Kind, reason: str, offset_ms: int
) -> Script:
    """The same steps with another last state, at the same time; *offset_ms* is now.

    The caller checks that the job has not ended.
    """
    assert script.next_after(offset_ms) is not None or script.held_ms is not None
    released = release(script, offset_ms)
    steps = (*released.steps[:-1], (released.steps[-1][0], lifecycle.end(kind).name))
    return replace(released, steps=steps, reason=reason if kind is Kind.FAILED else "")


def cut_short(script: Script, offset_ms: int, state: str) -> Script:
    """The job enters *state* at *offset_ms*, held or not, and stays there."""
    past = [it for it in release(script, offset_ms).steps if it[0] <= offset_ms]
    return replace(script, steps=(*past, (offset_ms, state)), held_ms=None, reason="")


def kept_waiting(script: Script, by_ms: int) -> Script:
    """The script of a job that stays in its first state *by_ms* longer."""
    first, *rest = script.steps
    return replace(script, steps=(first, *((at + by_ms, state) for at, state in rest)))


def delayed(script: Script, by_ms: int, *, stalls: bool) -> Script:
    """The last state is entered *by_ms* later; with *stalls*, only after a release."""
    *path, (ends_ms, end) = script.steps
    ends_ms += by_ms
    # Held a millisecond before its end: the job then shows its last state but one.
    held_ms = max(0, ends_ms - 1) if stalls else None
    return replace(
        script, steps=(*path, (max(ends_ms, 1) if stalls else ends_ms, end)), held_ms=held_ms
    )


def hold(script: Script, offset_ms: int) -> Script:
    """The job stays in its present state until a release."""
    return replace(script, held_ms=offset_ms) if script.held_ms is None else script


def release(script: Script, offset_ms: int) -> Script:
    """A held job continues; its later steps move by the time for which it was held."""
    if script.held_ms is None:
        return script
    # Steps up to the hold have happened; only later ones move.
    waited_ms = offset_ms - script.held_ms
    steps = tuple(
        (at + waited_ms if at > script.held_ms else at, state) for at, state in script.steps
    )
    return replace(script, steps=steps, held_ms=None)


def hasten(script: Script, offset_ms: int) -> Script:
    """Every step after *offset_ms* happens at *offset_ms*. The script must not be held."""
    assert script.held_ms is None, script
    return replace(script, steps=tuple((min(at, offset_ms), state) for at, state in script.steps))


def _scale(lifecycle: Lifecycle, facts: Mapping[str, Json]) -> float:
    if lifecycle.scale is None:
        return 1.0
    value = str(facts.get(lifecycle.scale.by))
    return float(lifecycle.scale.factors.get(value, 1.0))


def read_pace(text: str | float) -> float:
    """The factor for every documented duration.

    Raises:
        MockError: *text* is neither a known word nor a factor from 0 to 1000.
    """
    if isinstance(text, str) and text in PACES:
        return PACES[text]
    try:
        factor = float(text)
    except ValueError:
        factor = -1.0
    # `true` is a number for Python, and a mistake in JSON.
    if not 0 <= factor <= _FACTOR_MAX or isinstance(text, bool):
        words = ", ".join(PACES)
        raise MockError(f"pace {text!r} must be one of {words}, or a factor from 0 to 1000")
    return factor

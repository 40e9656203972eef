"""Settles what falls due in worlds whose clock runs by itself: on a loop, else in a thread.

Each call settles what is due as well, so no answer depends on this. Webhooks do: they are sent
without a poll.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

from ..engine.worlds import Worlds
from ..kernel.clock import NEVER_MS, Mode
from ..kernel.errors import MockError
from .wall_clock import monotonic_s

#: Effects that fall due within a few milliseconds are settled together.
_REST_S = 0.005
#: A tool that freezes time does not notify us, so its time is read this often.
_SYSTEM_S = 0.25
#: The longest wait, because the machine may have slept.
_LOOK_S_MAX = 60.0
#: How often a process looks for effects that another one, which has ended, did not run.
_OVERDUE_S = 1.0
#: The name of that look among the names of worlds.
_OVERDUE = ""

#: A stop waits this long for what is under way.
_CLOSE_S_MAX = 1.0

_LOG = logging.getLogger("screentest.due_timer")

_Run = Callable[[Callable[[str], None], str], object]


class DueTimer:
    """One thread for all worlds of a server, or its event loop: see `move_to`."""

    def __init__(self, worlds: Worlds) -> None:
        self._run_in: _Run = _call
        self._worlds = worlds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: int | None = None
        self._planned_look: asyncio.TimerHandle | None = None
        # Where only calls move the clock, nothing falls due before the world is used.
        self._planned: dict[str, float] = {
            world.id: 0.0 for world in worlds.all() if world.clock.wall_ms_of(0) is not None
        }
        if worlds.store.keeper.is_shared:
            self._planned[_OVERDUE] = 0.0
        # The earliest effect that a planned look is for: later ones need no look of their own.
        self._due_ms: dict[str, int] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(
            target=self._watch, name="screentest-due-timer", daemon=True
        )
        worlds.clocks.listen(self._look_again, here=True)
        worlds.store.watch_effects(self._plan)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def move_to(self, loop: asyncio.AbstractEventLoop, run: _Run) -> None:
        """Watch on *loop*, whose thread calls this; *run* calls a function with a world's id.

        A second thread would fight the loop for the interpreter's lock, and hold a world meanwhile.
        """
        with self._changed:
            self._loop, self._loop_thread, self._run_in = loop, threading.get_ident(), run
            self._changed.notify_all()
        self._thread.join()
        self._look()

    def close(self) -> None:
        """Stop watching, once what is under way is settled."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._thread.join(_CLOSE_S_MAX)

    def _look_again(self, world_id: str) -> None:
        self._wake_at(world_id, 0.0)

    def _plan(self, world_id: str, due_ms: int) -> None:
        if due_ms >= self._due_ms.get(world_id, NEVER_MS):
            return
        world = self._worlds.find(world_id)
        if world is None:
            return
        wait_ms = self._worlds.clocks.wait_ms(world, due_ms)
        if wait_ms is None:
            if due_ms > self._worlds.clocks.now_ms(world):
                return
            wait_ms = 0
        wait_s = max(_REST_S, min(wait_ms / 1_000, _LOOK_S_MAX))
        if world.clock.mode is Mode.SYSTEM:
            wait_s = _SYSTEM_S
        self._wake_at(world_id, monotonic_s() + wait_s, due_ms)

    def _wake_at(self, world_id: str, at_s: float, due_ms: int = NEVER_MS) -> None:
        with self._changed:
            self._due_ms[world_id] = min(due_ms, self._due_ms.get(world_id, NEVER_MS))
            if at_s < self._planned.get(world_id, float("inf")):
                is_first = at_s < min(self._planned.values(), default=float("inf"))
                self._planned[world_id] = at_s
                if is_first:
                    self._wake()

    def _wake(self) -> None:
        if self._loop is None:
            self._changed.notify_all()
        elif threading.get_ident() == self._loop_thread:
            self._plan_look()
        else:
            self._loop.call_soon_threadsafe(self._look)

    def _watch(self) -> None:
        while not self._is_over():
            if not self._run_due():
                with self._changed:
                    wait_s = self._next_s() - monotonic_s()
                    if wait_s > 0 and not self._is_over():
                        self._changed.wait(wait_s)

    def _is_over(self) -> bool:
        """Whether the thread of this timer has nothing to do any more."""
        return self._is_closed or self._loop is not None

    def _look(self) -> None:
        """Run what is due, and plan the next look. Runs on the thread of the loop."""
        if not self._is_closed:
            self._run_due()
            with self._changed:
                self._plan_look()

    def _plan_look(self) -> None:
        if self._planned_look is not None:
            self._planned_look.cancel()
        assert self._loop is not None
        wait_s = max(0.0, self._next_s() - monotonic_s())
        self._planned_look = self._loop.call_later(wait_s, self._look)

    def _next_s(self) -> float:
        return min(self._planned.values(), default=monotonic_s() + _LOOK_S_MAX)

    def _run_due(self) -> bool:
        """Settle the worlds for which a look is due; False if there are none."""
        now_s = monotonic_s()
        with self._changed:
            due = [name for name, at_s in self._planned.items() if at_s <= now_s]
            for name in due:
                del self._planned[name]
                self._due_ms.pop(name, None)
        for name in due:
            self._run_in(self._settle, name)
        return bool(due)

    def _settle(self, world_id: str) -> None:
        """Run what is due in a world and plan for what comes next."""
        try:
            if world_id == _OVERDUE:
                self._see_to_overdue()
                return
            world = self._worlds.find(world_id)
            if world is None:
                return
            with world.rows.transaction():
                if self._is_closed:
                    return
                self._worlds.clocks.settle_some(world)
                effect = world.rows.effects.next()
            if effect is not None:
                self._plan(world_id, effect.due_ms)
        except MockError as error:
            _LOG.warning("world %s: %s", world_id, error)
        except Exception:  # noqa: BLE001  the other worlds still need this thread
            _LOG.exception("world %s", world_id)

    def _see_to_overdue(self) -> None:
        """Run what is due where no other process has."""
        self._wake_at(_OVERDUE, monotonic_s() + _OVERDUE_S)
        for world in self._worlds.overdue():
            self._worlds.catch_up(world)


def _call(settle: Callable[[str], None], world_id: str) -> None:
    settle(world_id)

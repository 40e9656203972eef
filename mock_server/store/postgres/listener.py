"""Hears from the database that another process has changed a world."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import psycopg

from . import statements as sql
from .connections import connect, words_of

_LOOK_S = 0.5
_APART_S = 1.0

_LOG = logging.getLogger("screentest.store")


class Listener:
    """One thread with a connection of its own; it starts with the first listener."""

    def __init__(self, url: str, writer: str) -> None:
        """*writer* is this process, whose own changes are not news."""
        self._url = url
        self._writer = writer
        self._listeners: list[Callable[[str], None]] = []
        self._thread: threading.Thread | None = None
        self._is_closed = threading.Event()

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call *listener* with each world that another process has changed.

        After an interruption it is called with "", as any world may have changed meanwhile.
        """
        self._listeners.append(listener)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, name="screentest-listener", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Let the thread end; it does so within half a second."""
        self._is_closed.set()

    def _run(self) -> None:
        while not self._is_closed.is_set():
            try:
                self._hear()
            except psycopg.Error as error:
                if not self._is_closed.wait(_APART_S):
                    _LOG.warning("listening to the database: %s", words_of(error))

    def _hear(self) -> None:
        with connect(self._url) as connection:
            connection.execute(f"LISTEN {sql.CHANNEL}")
            self._tell("")
            while not self._is_closed.is_set():
                for heard in connection.notifies(timeout=_LOOK_S):
                    writer, _, world = heard.payload.partition(" ")
                    if writer != self._writer:
                        self._tell(world)

    def _tell(self, world_id: str) -> None:
        if self._is_closed.is_set():
            return
        for listener in self._listeners:
            listener(world_id)

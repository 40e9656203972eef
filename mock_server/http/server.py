"""Running the mock on a port: granian, one process, one worker, many threads.

One process because the default store is this process's memory; many threads because an open event
stream keeps one. Chosen by measurement, see docs/performance.md.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from granian.constants import HTTPModes, Interfaces, Loops
from granian.log import LogLevels
from granian.server import MTServer

from ..kernel.errors import MockError

#: Calls have so long to end when the server stops; what is open then, such as streams, is cut.
_STOP_S_MAX = 0.5
#: Twice the streams that may be open, so that calls beside them always find a thread.
_THREADS = 512
_BACKLOG = 1_024
#: 2 s in all: the worker listens some milliseconds after its start.
_ANNOUNCE_TRIES = 1_000


class _Server(MTServer):
    """granian's threaded server with one worker.

    It refuses an interpreter with a global lock only because more workers would gain nothing there;
    one worker, which is what an in-memory store wants, runs the same under it.
    """

    on_ready: Callable[[], None]
    on_stop: Callable[[], None]
    is_stopping: bool = False
    has_finished: bool = False
    finishing: threading.Lock

    def _check_gil(self) -> None:
        """Nothing to refuse: there is exactly one worker."""

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        if self.is_stopping:  # a second Ctrl+C does not wait
            os._exit(130)
        self.is_stopping = True
        deadline = threading.Timer(_STOP_S_MAX, self._cut_off)
        deadline.daemon = True
        deadline.start()
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]  # granian has no hints

    def finish(self) -> None:
        """Call *on_stop* once, whichever way the end comes; who comes second waits for it."""
        with self.finishing:
            if not self.has_finished:
                self.has_finished = True
                self.on_stop()

    def _cut_off(self) -> None:
        try:
            self.finish()
        finally:
            os._exit(0)

    def announce(self) -> None:
        """Call *on_ready* once the port answers."""
        for _ in range(_ANNOUNCE_TRIES):
            try:
                socket.create_connection((self.bind_addr, self.bind_port), 0.5).close()
            except OSError:
                time.sleep(0.002)
            else:
                # What is loaded by now stays; looking through it again and again for garbage would
                # hold every request up for thirty milliseconds.
                gc.collect()
                gc.freeze()
                self._tell()
                return
        sys.stderr.write("error: the server did not begin to listen\n")
        os._exit(1)

    def _tell(self) -> None:
        """A server that cannot say where it is would be waited for in vain."""
        try:
            self.on_ready()
        except Exception as error:  # noqa: BLE001  a thread ends here, and the process with it
            sys.stderr.write(f"error: cannot announce the server: {error}\n")
            os._exit(1)


def run_server(
    app: WSGIApplication,
    *,
    host: str,
    port: int,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> None:
    """Serve *app* until SIGINT or SIGTERM.

    *on_ready* is called once, when the port answers; *on_stop* once, when it has ceased to.
    """
    server = _Server(
        "screentest",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        loop=Loops.asyncio,
        blocking_threads=_THREADS,
        backlog=_BACKLOG,
        backpressure=_BACKLOG,
        log_level=LogLevels.error,
    )
    server.on_ready, server.on_stop, server.finishing = on_ready, on_stop, threading.Lock()
    server.on_startup(threading.Thread(target=server.announce, daemon=True).start)
    named = _named(app)
    try:
        server.serve(target_loader=lambda: named, wrap_loader=False)
    finally:
        server.finish()


def _named(app: WSGIApplication) -> WSGIApplication:
    """*app*, under our name: granian would give its own, and a server tells what it runs on."""

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start(status, [*headers, ("Server", "screentest")], *exc_info)

        return app(environ, begin)

    return answer


def claim_port(host: str, port: int) -> int:
    """The port to use; 0 asks for a free one.

    Raises:
        MockError: somebody listens there already, or the address is not this machine's. Without
            this look two servers of one user would share the port and split the calls.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise MockError(
                f"cannot listen on {host}:{port}: {reason.lower()}; "
                "stop what uses it, or choose another with --port (0 takes a free one)"
            ) from None
        return int(probe.getsockname()[1])

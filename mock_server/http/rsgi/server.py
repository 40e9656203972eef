"""Running the mock on a port: granian's RSGI interface, one process, one event loop.

One process because the default store is this process's memory; one loop because short calls on
many threads fight for the interpreter's lock. Chosen by measurement, see docs/performance.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.server.embed import Server

from ...kernel.errors import MockError
from ...tls.authority import Certificate
from .edge import RSGIEdge

#: Bodies that are arriving have this long when the server stops; streams end with a comment.
_STOP_S_MAX = 0.5
#: Calls that have arrived have this long: an orchestrator kills what has not ended after 10 s.
DRAIN_S_MAX = 5.0
_LOOK_EVERY_S = 0.02
_BACKLOG = 1_024
#: Requests at a time, open streams included.
REQUESTS_MAX = 8_192
#: Files of the process beside its connections: the database, webhooks, uploads, the loop.
_OTHER_FILES = 48
#: 2 s in all: the worker listens some milliseconds after its start.
_ANNOUNCE_TRIES = 1_000
_ANNOUNCE_EVERY_S = 0.002
#: Objects before a look for garbage, and looks of one generation before one of the next. Every call
#: waits while the objects are looked at: 5,000 take a millisecond, 50,000 up to sixty.
_GC_THRESHOLDS = (5_000, 200, 20)


def run_server(
    edge: RSGIEdge,
    *,
    host: str,
    port: int,
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
    certificate: Certificate | None = None,
) -> None:
    """Serve *edge* until SIGINT or SIGTERM; over https with a *certificate*.

    *on_ready* is called once, when the port answers; *on_stop* once, after the last answer. Then
    the process ends, with 0, or with 1 if it could not be announced. After a signal nothing new is
    accepted, streams get a last comment, and calls that have arrived are answered. A second signal
    ends the process at once.
    """
    folder = Path(tempfile.mkdtemp(prefix="screentest-tls-")) if certificate else None

    def ready() -> None:
        # The server has read its key by now.
        if folder is not None:
            shutil.rmtree(folder)
        on_ready()

    keys = certificate.write(folder) if certificate and folder else (None, None)
    asyncio.run(_serve(edge, _address(host), port, keys, ready, on_stop))


async def _serve(
    edge: RSGIEdge,
    address: str,
    port: int,
    keys: tuple[Path | None, Path | None],
    on_ready: Callable[[], None],
    on_stop: Callable[[], None],
) -> NoReturn:
    server = Server(
        edge,
        address=address,
        port=port,
        interface=Interfaces.RSGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=_connections_max(),
        log_enabled=False,
        ssl_cert=keys[0],
        ssl_key=keys[1],
        ssl_protocol_min=SSLProtocols.tls12,
    )
    loop = asyncio.get_running_loop()
    is_stopping = asyncio.Event()
    for number in _signals():
        loop.add_signal_handler(number, _asked_to_stop, is_stopping)
    serving = asyncio.ensure_future(server.serve())
    announcing = asyncio.ensure_future(asyncio.to_thread(_announce, address, port, on_ready))
    stopping = asyncio.ensure_future(is_stopping.wait())
    await asyncio.wait({serving, stopping, announcing}, return_when="FIRST_COMPLETED")
    if announcing.done() and not announcing.result():
        _exit(1)
    await asyncio.wait({serving, stopping}, return_when="FIRST_COMPLETED")
    edge.stop_streams()
    server.stop()  # type: ignore[no-untyped-call]  # granian has no hints for it
    drained_s = loop.time() + DRAIN_S_MAX
    await asyncio.wait({serving}, timeout=_STOP_S_MAX)
    while edge.waiting and not serving.done() and loop.time() < drained_s:
        await asyncio.wait({serving}, timeout=_LOOK_EVERY_S)
    await asyncio.to_thread(on_stop)
    _exit(0)


def _signals() -> list[signal.Signals]:
    """What stops the server: SIGHUP, the end of its terminal, unless `nohup` has it ignored."""
    ends = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ends.append(signal.SIGHUP)
    return ends


def _connections_max() -> int:
    """How many requests can be open, after the process may open as many files as it may ask for.

    A server without file descriptors would try to accept connections in a busy loop.
    """
    try:
        import resource
    except ImportError:  # no such limits, as on Windows
        return REQUESTS_MAX
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = REQUESTS_MAX + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < wanted:
            room = max(1, soft - _OTHER_FILES)
            sys.stderr.write(
                f"warning: this process may open {soft} files, so {room} requests can be open at "
                f"the same time in place of {REQUESTS_MAX}; `ulimit -n` shows the limit\n"
            )
            return room
    return REQUESTS_MAX


def _exit(code: int) -> NoReturn:
    """End the process now: cancelled calls and the server's own threads would only print errors."""
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def _asked_to_stop(is_stopping: asyncio.Event) -> None:
    if is_stopping.is_set():  # a second Ctrl+C does not wait
        os._exit(130)
    is_stopping.set()


def _announce(address: str, port: int, on_ready: Callable[[], None]) -> bool:
    """Call *on_ready* once the port answers; False when that failed."""
    pause = threading.Event()
    for _ in range(_ANNOUNCE_TRIES):
        try:
            socket.create_connection((address, port), 0.5).close()
        except OSError:
            pause.wait(_ANNOUNCE_EVERY_S)
        else:
            break
    else:
        sys.stderr.write("error: the server did not begin to listen\n")
        return False
    # What is loaded by now stays. Looking through it for garbage, even once, would hold every
    # request up for thirty milliseconds. Requests leave no cycles, so a look at what they made is
    # rarely worth its time either.
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        on_ready()
    except Exception as error:  # noqa: BLE001  a server that cannot say where it is must end
        sys.stderr.write(f"error: cannot announce the server: {error}\n")
        return False
    return True


def _address(host: str) -> str:
    """The IP address of *host*, which granian wants instead of a name."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return str(socket.getaddrinfo(host, None, family, socket.SOCK_STREAM)[0][4][0])


def claim_port(host: str, port: int) -> int:
    """The port to use; 0 asks for a free one.

    Raises:
        MockError: the port is in use, or the address is not this machine's. Without this check two
            servers of one user would share the port and split the calls.
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

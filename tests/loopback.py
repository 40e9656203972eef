"""An application of the test's own process behind a real socket, for clients that need one."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

_STOPS_WITHIN_S = 5


class _Silent(WSGIRequestHandler):
    """Says nothing about requests; the journal has them."""

    def log(self, type: str, message: str, *args: object) -> None:  # the base class names it so
        pass


@contextmanager
def listening(app: WSGIApplication) -> Generator[int]:
    """The loopback port where *app* answers until the end of the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(_STOPS_WITHIN_S)
        server.server_close()

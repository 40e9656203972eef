"""The WSGI environment of a request that did not come through a WSGI server.

Here because the mock, the kit and the pytest plugin all make such requests and share only this
folder.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from typing import Any


def wsgi_environ(
    method: str,
    path: bytes,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    scheme: str = "http",
    server: tuple[str, str] = ("localhost", "80"),
) -> dict[str, Any]:
    """The environment; *path* is decoded, *query* is not. *server* is a host and a port.

    Headers of the same name are joined by commas. The length is that of *body*; without a body it
    is the length in *headers*.
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path.decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": server[0],
        "SERVER_PORT": server[1],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        variable = name.upper().replace("-", "_")
        if variable in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            environ[variable] = value
        elif variable != "TRANSFER_ENCODING":
            key = f"HTTP_{variable}"
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ

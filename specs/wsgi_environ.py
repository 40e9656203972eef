"""The WSGI environment of a request without a WSGI server, and the headers of an environment.

Here because the mock, the kit and the pytest plugin need both and share only this folder.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

# Servers mix the process's variables into the environment; HTTP_PROXY is not a header.
_OF_PROCESS = frozenset(name for name in os.environ if name.startswith("HTTP_"))


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
        key = variable_of(name)
        if not key.startswith("HTTP_"):
            environ[key] = value
        elif key != "HTTP_TRANSFER_ENCODING":
            environ[key] = f"{environ[key]}, {value}" if key in environ else value
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


@lru_cache(maxsize=256)
def variable_of(header: str) -> str:
    """The key of *header* in a WSGI environment."""
    key = header.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"


@lru_cache(maxsize=256)
def _header_of(variable: str) -> str:
    return variable.removeprefix("HTTP_").replace("_", "-").lower()


def headers_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The headers of *environ* by their names in lower case."""
    headers = {
        _header_of(name): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name not in _OF_PROCESS
    }
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    return headers

"""Talking to the control API of a running mock, with nothing but the standard library."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import click

Json = Any

DEFAULT_URL = "http://127.0.0.1:8787"
_TIMEOUT_S = 30.0


def url_option(function: Any) -> Any:
    """`--url`, or SCREENTEST_URL, or the default port."""
    return click.option(
        "--url",
        envvar="SCREENTEST_URL",
        default=DEFAULT_URL,
        show_default=True,
        help="Address of the running mock.",
    )(function)


def call(url: str, method: str, path: str, body: Json = None) -> Json:
    """The JSON answer of a control call; ends the program when there is none.

    Exit code 3 when the mock cannot be reached, 2 when it refuses.
    """
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json"} if data is not None else {}
    token = os.environ.get("SCREENTEST_CONTROL_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        request = Request(f"{url.rstrip('/')}/_screentest{path}", data, headers, method=method)
        with urlopen(request, timeout=_TIMEOUT_S) as response:
            raw = response.read()
    except HTTPError as error:
        fail(2, _detail(error))
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        fail(3, f"no mock at {url}: {reason}", "start one with `screentest serve`, or give --url")
    return json.loads(raw) if raw else None


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the server answered {error.code}; is it a screentest?"


def fail(code: int, problem: str, hint: str = "") -> NoReturn:
    """End the program with one line, and a hint."""
    click.echo(f"error: {problem}", err=True)
    if hint:
        click.echo(f"hint: {hint}", err=True)
    sys.exit(code)

"""The lists of bad and good clients, and what several of them do alike."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx
import requests

from screentest import World
from screentest.mock_server.findings.explanations import explanations
from screentest.specs.json_types import Json

from .wire import OPEN, Api

Client = Callable[[World], None]
Receiver = Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]


@dataclass(frozen=True)
class Entry:
    """A client, the code that it is found with (none for a good one), and what that comes from.

    *source* is an issue of a public project, a document, or a clause of the provider. *needs* are
    the libraries that it imports.
    """

    name: str
    run: Client
    code: str = ""
    source: str = ""
    needs: tuple[str, ...] = ()


#: Each with one mistake.
BAD: list[Entry] = []
#: Each as the documents ask for.
GOOD: list[Entry] = []


def bad(code: str, source: str, *needs: str) -> Callable[[Client], Client]:
    """Register a client that has to be found with *code*."""

    def register(client: Client) -> Client:
        BAD.append(Entry(client.__name__, client, code, source, needs))
        return client

    return register


def good(*needs: str) -> Callable[[Client], Client]:
    """Register a client about which nothing may be found."""

    def register(client: Client) -> Client:
        GOOD.append(Entry(client.__name__, client, needs=needs))
        return client

    return register


def wait(own: Api, made: Json, pause_s: float = 30.0, deadline_s: float = 1_800.0) -> str:
    """The state in which a job has ended; asked for in peace, and with a deadline."""
    ends_s = time.monotonic() + deadline_s
    while time.monotonic() < ends_s:
        time.sleep(pause_s)
        status = own.status(made)
        if status not in OPEN:
            return status
    raise TimeoutError(f"{made} is still running; its id is stored")


def again(create: Callable[[], Json], times: int = 3) -> Json:
    """Repeat a call after each error, as a retry decorator does."""
    for attempt in range(times):
        try:
            return create()
        except (httpx.HTTPError, requests.RequestException, ValueError):
            if attempt == times - 1:
                raise
            time.sleep(2**attempt)
    raise AssertionError("a loop that ends in return or raise")


def as_explained(code: str, *, is_right: bool, **names: Json) -> Json:
    """Run the Python code with which a finding is explained: what it returns, or has defined."""
    shown = explanations()[code].python
    lines = textwrap.indent(shown.right if is_right else shown.wrong, "    ")
    known: Json = {"time": time, "httpx": httpx, "suppress": suppress, **names}
    exec(f"def explained():\n{lines}\n    return locals()", known)
    return known["explained"]()


def answering(status: int, *headers: tuple[str, str]) -> Receiver:
    """A receiver of webhooks that always answers *status*."""

    def app(_: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        start(f"{status} Answer", list(headers))
        return [b""]

    return app

"""A client of the control API of a running mock, with the standard library alone."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import wraps
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NoReturn
from urllib.parse import quote, urlencode, urlsplit

import click

from screentest.specs.json_types import Json

from ..kernel.errors import MockError, unknown
from .exit_codes import Exit
from .output import fail, json_option
from .settings import setting_option

#: A call may last as long as the mock lives: an advance waits for the receivers of webhooks. A mock
#: that is silent for so long is asked for its health, and has so long to answer that.
_SILENCE_S, _HEALTH_S_MAX = 3.0, 1.5
#: Every mock sends this header; no other server does.
_CONTROL_HEADER = "X-Screentest-Control"
#: The version of the control API that is spoken here; a test compares it with the API's contract.
CONTROL_VERSION = "1"
_VERSION_MAX = 20
#: The mock keeps ten thousand requests, and a page holds two hundred.
_PAGES_MAX = 1_000
_PAGE_ITEMS = 200
#: The one refusal that is about the content of a file.
_DAMAGED = "damaged_snapshot"


class NoMockError(Exception):
    """The address did not answer, or its server is not a mock."""


class RefusedError(Exception):
    """The mock refused the call."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


def url_option(function: Any) -> Any:
    """`--url`, from any source of settings."""
    return setting_option("url")(function)


def world_options(function: Any) -> Any:
    """`--url` and `--world`."""
    return url_option(setting_option("world", "--world", "world_id")(function))


def world_verb(function: Callable[..., None]) -> Any:
    """`--url`, `--world` and `--json`; the verb gets *mock* and *as_json*."""

    @wraps(function)
    def command(*, url: str, world_id: str, **given: Any) -> None:
        function(mock=Mock(url, world_id), **given)

    return world_options(json_option(command))


@dataclass(frozen=True, slots=True)
class Mock:
    """The control API of a running mock. Paths are relative to *world_id*."""

    url: str
    world_id: str = "default"

    def get(self, path: str = "", **query: str) -> Json:
        asked = {name: value for name, value in query.items() if value}
        tail = f"?{urlencode(asked, errors='replace')}" if asked else ""
        return call(self.url, "GET", self._below(path) + tail)

    def text(self, path: str) -> str:
        """An answer that is not JSON."""
        return str(call(self.url, "GET", self._below(path), read=bytes.decode))

    def post(self, path: str, body: Json = None) -> Json:
        return call(self.url, "POST", self._below(path), {} if body is None else body)

    def patch(self, path: str, body: Json) -> Json:
        return call(self.url, "PATCH", self._below(path), body)

    def delete(self, path: str) -> None:
        call(self.url, "DELETE", self._below(path))

    def provider(self, name: str) -> Json:
        """The entry of provider *name* in the world's document.

        Raises:
            MockError: the mock does not serve this provider.
        """
        served = self.get()["providers"]
        if name not in served:
            raise unknown("provider", name, served)
        return served[name]

    def items(
        self, path: str, query: Mapping[str, str], cursor: str = "", listed: str = "items"
    ) -> Iterator[Json]:
        """All items of a list call after *cursor*, page by page; *listed* is the list's field."""
        for _ in range(_PAGES_MAX):
            page = self.get(path, **query, limit=str(_PAGE_ITEMS), cursor=cursor)
            yield from page[listed]
            cursor = page["next_cursor"] or ""
            if not cursor:
                return

    def _below(self, path: str) -> str:
        return f"/worlds/{segment('world', self.world_id)}{path}"


def segment(what: str, name: str) -> str:
    """*name* as one segment of a path.

    Raises:
        MockError: the name is empty or contains a slash.
    """
    if not name or "/" in name:
        raise unknown(what, name, ())
    return quote(name, safe="", errors="replace")


def call(
    url: str,
    method: str,
    path: str,
    body: Json = None,
    read: Callable[[bytes], Json] = json.loads,
) -> Json:
    """The answer of a control call, decoded by *read*. Ends the program after an error."""
    try:
        return send(url, method, path, body, read)
    except NoMockError as error:
        _tell_no_mock(url, error)
    except RefusedError as refused:
        code = Exit.INVALID if refused.code == _DAMAGED else Exit.USAGE
        fail(refused.detail, _hints(url).get(refused.status, ""), code=code)


def _tell_no_mock(url: str, error: NoMockError) -> NoReturn:
    hint = "start one with `screentest serve`, or give --url or SCREENTEST_URL"
    fail(f"no mock at {url or repr(url)}: {error}", hint, code=Exit.UNREACHABLE)


def _hints(url: str) -> Mapping[int, str]:
    return {
        401: "set SCREENTEST_CONTROL_TOKEN to the --control-token of the server",
        421: f"reach the mock as 127.0.0.1 or localhost instead of {url}",
    }


def send(
    url: str,
    method: str,
    path: str,
    body: Json = None,
    read: Callable[[bytes], Json] = json.loads,
) -> Json:
    """The answer of a control call, decoded by *read*.

    Raises:
        MockError: *url* is not an address.
        RefusedError: the mock refused the call.
        NoMockError: the server cannot be reached, does not answer, or is not a mock.
    """
    if not _is_address(url):
        raise MockError(
            f"{url!r} is not the address of a mock; write it like http://127.0.0.1:8787"
        )
    data = json.dumps(body).encode() if body is not None else None
    try:
        answer, raw = _exchange(url, method, path, data)
    except (HTTPException, OSError, ValueError) as error:
        raise NoMockError(" ".join(str(error).split())) from None
    version = answer.headers[_CONTROL_HEADER]
    if answer.status >= 400:
        if version is not None:
            _check_version(version)
        raise _refusal(answer.status, raw)
    _check_version(version)
    try:
        return read(raw) if raw else None
    except (ValueError, RecursionError):
        raise NoMockError("its answer is cut off or damaged") from None


def _exchange(url: str, method: str, path: str, data: bytes | None) -> tuple[HTTPResponse, bytes]:
    headers = dict(_credentials())
    if data is not None:
        headers["Content-Type"] = "application/json"
    with closing(_connection(url, _SILENCE_S)) as connection:
        place = f"{urlsplit(url).path.rstrip('/')}/_screentest{path}"
        connection.request(method, place, data, headers)
        while True:
            try:
                answer = connection.getresponse()
            except TimeoutError:
                if not _is_alive(url):
                    raise TimeoutError(f"no answer for {_SILENCE_S + _HEALTH_S_MAX:g} s") from None
            else:
                return answer, answer.read()


def _is_alive(url: str) -> bool:
    """Whether the server at *url* answers anything."""
    with closing(_connection(url, _HEALTH_S_MAX)) as connection:
        try:
            connection.request("GET", "/_screentest/health")
            connection.getresponse()
        except OSError:
            return False
    return True


def _connection(url: str, timeout_s: float) -> HTTPConnection:
    """A connection without the proxy of the environment, which cannot reach this machine."""
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname or "", parts.port, timeout=timeout_s)


def _check_version(version: str | None) -> None:
    """Raises unless *version*, of a server's control API, is the one that is spoken here."""
    if version is None:
        raise NoMockError("that server is not a screentest mock")
    if version != CONTROL_VERSION:
        raise NoMockError(
            f"that mock has version {version[:_VERSION_MAX]!r} of the control API, and this "
            f"screentest speaks {CONTROL_VERSION}; install the same screentest for both"
        )


def _credentials() -> Mapping[str, str]:
    token = os.environ.get("SCREENTEST_CONTROL_TOKEN")
    if not token:
        return {}
    if not (token.isascii() and token.isprintable()):
        fail("SCREENTEST_CONTROL_TOKEN has characters that no header can carry")
    return {"Authorization": f"Bearer {token}"}


def _is_address(url: str) -> bool:
    """Whether *url* is an HTTP address; `urllib` would open `file:` addresses as well."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_web and has_port and url.isascii() and url.isprintable() and " " not in url


def _refusal(status: int, raw: bytes) -> RefusedError | NoMockError:
    try:
        detail = json.loads(raw)
        return RefusedError(status, str(detail["code"]), str(detail["detail"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return NoMockError(f"that server is not a screentest mock; it answered {status}")


def echo_json_line(document: Json) -> None:
    """Print *document* as one line, flushed even when stdout is a pipe."""
    click.echo(json.dumps(document, ensure_ascii=False))

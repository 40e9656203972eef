"""A target over HTTP, in real time: a provider itself, or any server that claims to be one."""

from __future__ import annotations

import http.client
import os
import shlex
import ssl
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec.structs import replace

from ..traces.trace import Raw
from .callback import Callback
from .needs import UnableError
from .target import NO_PROMPTS, Identity, OutgoingRequest, Prompts

_TIMEOUT_S = 30.0
#: Longer than any answer of a contract. A longer one is cut, and fails for that.
_BODY_BYTES_MAX = 256 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_SHOWN_MAX = 200
#: No reader of a stream is kept waiting longer by its own machine.
_STALL_MS = 1_000
#: The first piece can have a comment only; then an event came in each of two others.
_TIMES_MIN = 3


class UnreachableError(Exception):
    """No server answers at the address."""


class NotSentError(UnreachableError):
    """The connection failed, so the server did not get the request."""


class NotAllowedError(Exception):
    """The address needs explicit permission, is invalid, or a key cannot be sent there."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer with its head, and a body that arrives in pieces, each with its time."""

    wire: OutgoingRequest
    at_ms: int
    status: int
    headers: Mapping[str, str]
    pieces: Iterator[tuple[int, bytes]]

    @property
    def is_stream(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def ended(self, pieces: list[tuple[int, bytes]], ended_ms: int) -> Raw:
        """The whole exchange, once *pieces* have arrived."""
        body = b"".join(piece for _, piece in pieces)
        shown = pieces if self.is_stream else ()
        return self.wire.answered(self.status, self.headers, body, self.at_ms, ended_ms, shown)


@dataclass(slots=True)
class Live:
    """A server at *url*. *time_scale* says how many times faster than ours its clock runs.

    *patience_ms* is in the server's time. *balance_command* prints the credits of the account whose
    key is in SCREENTEST_API_KEY.
    """

    url: str
    owner: Identity
    stranger: Identity | None = None
    time_scale: float = 1.0
    patience_ms: int = 10 * 60_000
    empty: Identity | None = None
    revoked: Identity | None = None
    callback: Callback | None = None
    is_mock: bool = False
    prompts: Prompts = NO_PROMPTS
    balance_command: str = ""
    controls: None = None
    _sleep: Callable[[float], None] = time.sleep
    _started_s: float = field(default_factory=time.monotonic)
    _started_ms: int = field(default_factory=lambda: int(time.time() * 1_000))

    @property
    def name(self) -> str:
        return self.url

    @property
    def sees_credits(self) -> bool:
        return bool(self.balance_command)

    def credits(self, who: Identity) -> int:
        """The number that the command prints.

        Raises:
            UnableError: it fails, or prints something else.
        """
        key = next(iter(who.keys.values()), "")
        try:
            done = subprocess.run(
                shlex.split(self.balance_command),
                env={**os.environ, "SCREENTEST_API_KEY": key},
                capture_output=True,
                text=True,
                check=True,
                timeout=_TIMEOUT_S,
            )
            return int(done.stdout)
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            detail = " ".join(str(error).split())[:_SHOWN_MAX]
            raise UnableError(f"--balance-command: {detail}") from None

    def now_ms(self) -> int:
        passed_s = time.monotonic() - self._started_s
        return self._started_ms + int(passed_s * 1_000 * self.time_scale)

    def count_from(self, began_ms: int) -> None:
        """Continue the clock of a run that began at *began_ms*."""
        self._started_ms = began_ms + int((self._started_ms - began_ms) * self.time_scale)

    def wait(self, ms: int) -> None:
        if ms > 0:
            self._sleep(ms / 1_000 / self.time_scale)

    def close(self) -> None:
        if self.callback is not None:
            self.callback.close()

    def send(self, wire: OutgoingRequest) -> Raw:
        base = urlsplit(self.url)
        return self._exchange(base.scheme, base.netloc, base.path.rstrip("/") + wire.path, wire)

    def begin(self, wire: OutgoingRequest) -> AbstractContextManager[Answering]:
        """The answer to *wire* as it comes; leaving the block ends the connection.

        Raises:
            UnreachableError: no server answers, or it stops while the pieces are read.
        """
        base = urlsplit(self.url)
        return self._asked(base.scheme, base.netloc, base.path.rstrip("/") + wire.path, wire)

    def fetch(self, url: str) -> Raw:
        problem = address_problem(url)
        if problem:
            raise UnableError(f"the address {url[:_SHOWN_MAX]!r} was handed out, and {problem}")
        parts = urlsplit(url)
        wire = OutgoingRequest("GET", parts.path or "/", parts.query)
        return self._exchange(parts.scheme, parts.netloc, wire.path, wire)

    def _exchange(self, scheme: str, netloc: str, path: str, wire: OutgoingRequest) -> Raw:
        with self._asked(scheme, netloc, path, wire) as answering:
            return timed(answering.ended(list(answering.pieces), self.now_ms()), self.time_scale)

    @contextmanager
    def _asked(
        self, scheme: str, netloc: str, path: str, wire: OutgoingRequest
    ) -> Generator[Answering]:
        at_ms = self.now_ms()
        connection = _connection(scheme, netloc)
        target = path + (f"?{wire.query}" if wire.query else "")
        headers = {
            "user-agent": "screentest-kit",
            **wire.headers,
            "accept-encoding": "identity",
        }
        where = f"{scheme}://{netloc}"
        try:
            try:
                connection.connect()
            except OSError as error:
                raise NotSentError(f"{where}: {error}") from None
            with _reachable(where):
                # A server can answer and close before it has read the whole body.
                with suppress(BrokenPipeError, ConnectionResetError):
                    if headers.get("transfer-encoding") == "chunked":
                        parts = _halves(wire.body)
                        connection.request(wire.method, target, parts, headers, encode_chunked=True)
                    else:
                        connection.request(wire.method, target, wire.body or None, headers)
                answer = connection.getresponse()
            received = {name.lower(): value for name, value in answer.getheaders()}
            pieces = self._pieces(answer, where)
            yield Answering(wire, at_ms, answer.status, received, pieces)
        finally:
            connection.close()

    def _pieces(self, answer: http.client.HTTPResponse, where: str) -> Iterator[tuple[int, bytes]]:
        size = 0
        while size < _BODY_BYTES_MAX:
            with _reachable(where):
                piece = answer.read1(_PIECE_BYTES)
            if not piece:
                break
            size += len(piece)
            yield self.now_ms(), piece


def timed(raw: Raw, time_scale: float) -> Raw:
    """*raw*, without the times of a short stream that a busy machine may have read late."""
    is_short = raw.ended_ms - raw.at_ms < _STALL_MS * time_scale
    is_late = is_short and len({at_ms for at_ms, _ in raw.pieces}) < _TIMES_MIN
    return replace(raw, pieces=()) if is_late else raw


def _halves(body: bytes) -> Iterator[bytes]:
    """*body* in two parts, as a client sends it that does not know the length."""
    half = len(body) // 2
    yield from (it for it in (body[:half], body[half:]) if it)


@contextmanager
def _reachable(where: str) -> Generator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        detail = " ".join(str(error).split())
        raise UnreachableError(f"{where}: {detail}") from None


def _connection(scheme: str, netloc: str) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(netloc, timeout=_TIMEOUT_S, context=context)
    return http.client.HTTPConnection(netloc, timeout=_TIMEOUT_S)


def check_address(url: str, *, is_live: bool) -> None:
    """Raises unless the address is on loopback or *is_live*.

    Raises:
        NotAllowedError: it is another machine's address and *is_live* is false, or no address.
    """
    problem = address_problem(url)
    if problem:
        raise NotAllowedError(f"no address {url[:_SHOWN_MAX]!r}: {problem}")
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise NotAllowedError(f"no name or password goes into the address of {parts.hostname}")
    if parts.query or parts.fragment:
        raise NotAllowedError(f"no address {url[:_SHOWN_MAX]!r}: leave out what follows ? or #")
    assert parts.hostname is not None
    if is_live or parts.hostname == "localhost":
        return
    try:
        if ip_address(parts.hostname).is_loopback:
            return
    except ValueError:
        pass
    raise NotAllowedError(
        f"{parts.hostname} is not this machine; requests to a real provider cost money. "
        "Add --live if you mean it"
    )


def address_problem(url: str) -> str:
    """Why *url* is not an HTTP address; empty if it is one."""
    try:
        parts = urlsplit(url)
        is_port_none = parts.port == 0
    except ValueError as error:
        return str(error)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return "it must begin with http:// or https://, and a host"
    if is_port_none:
        return "port 0 cannot be connected to"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "blanks and letters beyond ASCII must be written as %XX, a host as xn--…"
    return ""


def identity(name: str, key: str, kinds: Mapping[str, str]) -> Identity:
    """An identity with *key*; *kinds* are further credentials by kind of key.

    Raises:
        NotAllowedError: one of them cannot be sent.
    """
    keys = {"api_key": key, **kinds}
    for kind, it in keys.items():
        if not (it.isascii() and it.isprintable()):
            detail = f"the {kind} of the {name} has characters that no header can carry"
            raise NotAllowedError(detail)
    return Identity(name, keys)

"""Access to the mock: a Host allow-list, and rules that refuse web pages at the control API.

A page in the developer's browser can reach loopback. It cannot choose its Host header, and the
browser sends the origin of each request; both are checked here.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import orjson
from msgspec import Struct

from ..kernel.errors import MockError

#: Hosts that only this machine reaches.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TOKEN_LENGTH_MIN = 16
#: A WSGI environment.
Environ = Mapping[str, Any]

_HOST = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+?)(?::([0-9]{1,5}))?"
#: More than twice the length of any provider's signed URLs and tokens.
URL_LENGTH_MAX = 8 * 1024
HEADERS_LENGTH_MAX = 32 * 1024
#: A peer with so many wrong tokens within so many seconds is refused.
WRONG_TOKENS_MAX = 10
WRONG_TOKENS_S = 60.0
# Many peers must not fill the memory. Forgetting all of them gives each only ten tries more.
_PEERS_MAX = 10_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Probes of an orchestrator have no token, and these answers show nothing.
_OPEN_PATHS = frozenset({"/_screentest/health", "/_screentest/ready"})
_OWN_SITES = frozenset({"same-origin", "none"})


class Denial(Struct, frozen=True):
    """The refusal of a request before anything else is checked."""

    status: int
    code: str
    detail: str


@lru_cache(maxsize=1_024)
def is_allowed_host(host: str, extra: frozenset[str] = frozenset()) -> bool:
    """Whether *host*, a Host header, can only mean this machine.

    Loopback names, IP literals and single-label names (such as a container's) pass: a page that
    rebinds its own name to loopback always carries that dotted name. *extra* are further names.
    """
    match = re.fullmatch(_HOST, host)
    if match is None or (match[2] is not None and int(match[2]) > 65_535):
        return False
    name = match[1].lower()
    if name in extra or name == "localhost" or name.endswith(".localhost"):
        return True
    if name.startswith("["):
        return _is_address(name[1:-1])
    if _is_address(name):
        return True
    return "." not in name and not name.isdigit() and not name.startswith("0x")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_size(path: str, query: str, headers: Mapping[str, str]) -> Denial | None:
    """414 for a URL and 431 for headers that are longer than any client needs."""
    if len(path) + len(query) > URL_LENGTH_MAX:
        return Denial(414, "uri_too_long", f"the URL is longer than {URL_LENGTH_MAX} characters")
    if sum(map(len, headers.values())) > HEADERS_LENGTH_MAX:
        detail = f"the headers are longer than {HEADERS_LENGTH_MAX} characters"
        return Denial(431, "headers_too_large", detail)
    return None


class Guard(Struct, frozen=True):
    """The rules of one server. Control calls need *token* if there is one.

    *hosts* are further Host headers, and pages of *origins* may call providers.
    """

    hosts: frozenset[str] = frozenset()
    token: str | None = None
    origins: frozenset[str] = frozenset()
    now_s: Callable[[], float] = time.monotonic
    _wrong: dict[str, list[float]] = {}

    def check_host(self, host: str) -> Denial | None:
        """421 for a Host header that is not ours."""
        if is_allowed_host(host, self.hosts):
            return None
        return Denial(
            421,
            "misdirected_request",
            f"host {host[:100]!r} is not this machine; use 127.0.0.1 or localhost, "
            "or start the server with --allow-host",
        )

    def check_control(self, environ: Environ) -> Denial | None:
        """403 for a web page, 401 without the token, 415 for a body that is not JSON."""
        is_safe = environ["REQUEST_METHOD"] in _SAFE_METHODS
        # A link in another page may open an answer in a tab, where that page cannot read it.
        is_opened = is_safe and environ.get("HTTP_SEC_FETCH_DEST") == "document"
        denied = None if is_opened else self.check_origin(environ)
        if denied is not None:
            return denied
        if not is_safe:
            content_type = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
            has_body = environ.get("CONTENT_LENGTH") not in {None, "", "0"}
            if (has_body or content_type) and content_type != "application/json":
                detail = "control calls take Content-Type: application/json only"
                return Denial(415, "unsupported_media_type", detail)
        if self.token is not None and environ["PATH_INFO"] not in _OPEN_PATHS:
            return self.check_token(environ)
        return None

    @staticmethod
    def check_origin(environ: Environ) -> Denial | None:
        """403 for a request that a web page of another origin sent."""
        site = environ.get("HTTP_SEC_FETCH_SITE")
        detail = "control calls from web pages of another origin are refused"
        if site is not None:
            return None if site in _OWN_SITES else Denial(403, "cross_origin", detail)
        origin = environ.get("HTTP_ORIGIN")
        if origin is None or origin.partition("://")[2] == environ.get("HTTP_HOST"):
            return None
        return Denial(403, "cross_origin", detail)

    def check_token(self, environ: Environ) -> Denial | None:
        """401 or 429 for a wrong token. The right one passes after any number of wrong ones."""
        if self.token is None:
            return None
        scheme, _, given = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        is_right = hmac.compare_digest(given.encode(errors="replace"), self.token.encode())
        if scheme.lower() == "bearer" and is_right:
            return None
        peer, now_s = environ.get("REMOTE_ADDR", ""), self.now_s()
        recent = [at for at in self._wrong.get(peer, ()) if now_s - at < WRONG_TOKENS_S]
        if len(recent) >= WRONG_TOKENS_MAX:
            detail = f"{WRONG_TOKENS_MAX} wrong tokens within {WRONG_TOKENS_S:.0f} s; wait a minute"
            return Denial(429, "too_many_wrong_tokens", detail)
        # A page in a browser sends no token, so its requests do not count as wrong guesses.
        if given:
            if len(self._wrong) >= _PEERS_MAX:
                self._wrong.clear()
            self._wrong[peer] = [*recent, now_s]
        detail = (
            "control calls need `Authorization: Bearer TOKEN`, the --control-token of this server"
        )
        return Denial(401, "unauthorized", detail)


def check_reach(host: str, token: str | None) -> None:
    """Check the address *host* to listen on, and the *token* of control calls.

    Raises:
        MockError: others could reach the control API, or no header can carry the token.
    """
    if not host:
        raise MockError("--host must be an address or a name, not an empty string")
    if host not in LOOPBACK and token is None:
        raise MockError(
            f"--host {host} can be reached by others, and the control API could be too; "
            "give --control-token (16 characters or more), or stay on 127.0.0.1"
        )
    if token is not None and len(token) < _TOKEN_LENGTH_MIN:
        raise MockError(f"--control-token must have {_TOKEN_LENGTH_MIN} characters or more")
    if token is not None and not (token.isascii() and token.isprintable()):
        raise MockError("--control-token must be printable ASCII, which a header can carry")


def problem(denial: Denial) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of an answer as `application/problem+json` (RFC 9457)."""
    body = orjson.dumps(
        {
            "title": denial.code.replace("_", " "),
            "status": denial.status,
            "code": denial.code,
            "detail": denial.detail,
        }
    )
    headers = [("Content-Type", "application/problem+json")]
    if denial.status == 401:
        headers.append(("WWW-Authenticate", "Bearer"))
    if denial.status == 503:
        headers.append(("Retry-After", "1"))
    return headers, body

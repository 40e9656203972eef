"""Sessions of browsers: the login, and the token without which a form changes nothing."""

from __future__ import annotations

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Protocol

from flask import Request, Response

#: A browser that is left open over a working day stays logged in.
SESSION_S_MAX = 12 * 3_600
#: Notices that wait for their page.
_NOTICES_MAX = 500
#: The path that the cookie is sent to.
PREFIX = "/_screentest/ui"


class Denied(Protocol):
    """The refusal of a request before anything else is checked."""

    @property
    def status(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...


class Rules(Protocol):
    """The rules of the control API for whom it answers."""

    @property
    def token(self) -> str | None: ...
    def check_origin(self, environ: Mapping[str, Any]) -> Denied | None: ...
    def check_token(self, environ: Mapping[str, Any]) -> Denied | None: ...


class Access:
    """Who may see and change something.

    A session is a random name, the second it began, and a signature; nothing of it is kept here, so
    it outlives a restart of a server that has a token.
    """

    def __init__(self, rules: Rules, secret: str) -> None:
        self.rules = rules
        self._secret = secret.encode()
        self._notices: OrderedDict[tuple[str, str], str] = OrderedDict()

    @property
    def needs_login(self) -> bool:
        return self.rules.token is not None

    def session(self, request: Request) -> str | None:
        """The name of the session that *request* belongs to, if it has a valid one."""
        name, _, signature = request.cookies.get(_cookie_of(request), "").rpartition(".")
        began, _, _ = name.partition("-")
        if not began.isdigit() or not self._is_signed("session", name, signature):
            return None
        return name if 0 <= time.time() - int(began) < SESSION_S_MAX else None

    def begin(self, request: Request, response: Response, name: str) -> None:
        """Give the browser the session *name*."""
        response.set_cookie(
            _cookie_of(request),
            f"{name}.{self._sign('session', name)}",
            max_age=SESSION_S_MAX,
            path=PREFIX,
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )

    def end(self, request: Request, response: Response) -> None:
        """Take the session from the browser."""
        response.delete_cookie(_cookie_of(request), path=PREFIX)

    def form_token(self, session: str) -> str:
        """What every form of *session* has to carry."""
        return self._sign("form", session)

    def is_form_of(self, session: str, token: str) -> bool:
        """Whether *token* is the one of the forms of *session*."""
        return self._is_signed("form", session, token)

    def notify(self, session: str, path: str, notice: str) -> None:
        """Keep *notice* until *session* shows the page at *path*.

        The page that a form leaves may still ask for its parts, and must not take the notice.
        """
        self._notices[session, path] = notice
        if len(self._notices) > _NOTICES_MAX:
            self._notices.popitem(last=False)

    def notice(self, session: str, path: str) -> str:
        """The notice that waits for the page at *path*; it is shown once."""
        return self._notices.pop((session, path), "")

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._secret, f"{purpose}:{text}".encode(), sha256).hexdigest()

    def _is_signed(self, purpose: str, text: str, signature: str) -> bool:
        return hmac.compare_digest(self._sign(purpose, text).encode(), signature.encode())


def new_session() -> str:
    """The name of a new session."""
    return f"{int(time.time())}-{secrets.token_hex(16)}"


def _cookie_of(request: Request) -> str:
    """A browser keeps cookies by host, and two mocks of one machine differ in the port alone."""
    port = request.host.rpartition(":")[2]
    return f"screentest_{port}" if port.isdigit() else "screentest"

"""Calls from web pages of chosen origins, which `serve --cors` allows for providers' paths.

No provider documents CORS, and a key in a page is public: by default the mock refuses a preflight
as the provider does, with a finding that says so. The control API never allows another origin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from ..engine.provider import Request
from ..kernel.errors import MockError
from .pieces import Outgoing

_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+")
#: So long a browser may keep the answer to a preflight.
_MAX_AGE_S = 600


class Cors(Struct, frozen=True):
    """The origins whose pages may call providers."""

    origins: frozenset[str]

    def preflight(self, request: Request) -> Outgoing | None:
        """The answer to a preflight from an allowed origin, else None."""
        wanted = request.headers.get("access-control-request-method")
        if request.method != "OPTIONS" or wanted is None or not self._allows(request.headers):
            return None
        headers = [
            *_shared(request),
            ("Access-Control-Allow-Methods", wanted),
            (
                "Access-Control-Allow-Headers",
                request.headers.get("access-control-request-headers", "*"),
            ),
            ("Access-Control-Max-Age", str(_MAX_AGE_S)),
        ]
        return Outgoing(204, headers)

    def share(self, sent: Outgoing, request: Request) -> Outgoing:
        """*sent*, which a page of an allowed origin may read."""
        if self._allows(request.headers):
            exposed = ("Access-Control-Expose-Headers", "*")
            sent.headers = [*sent.headers, *_shared(request), exposed]
        return sent

    def _allows(self, headers: Mapping[str, str]) -> bool:
        return headers.get("origin", "").lower() in self.origins


def read_origins(origins: Sequence[str]) -> frozenset[str]:
    """*origins*, such as `http://localhost:5173`, as browsers write them.

    Raises:
        MockError: one is not an origin.
    """
    for text in origins:
        if not _ORIGIN.fullmatch(text):
            why = "; '*' would allow every page that you visit" if text == "*" else ""
            raise MockError(
                f"--cors takes an origin such as http://localhost:5173, not {text!r}{why}"
            )
    return frozenset(it.lower() for it in origins)


def _shared(request: Request) -> list[tuple[str, str]]:
    return [("Access-Control-Allow-Origin", request.headers["origin"]), ("Vary", "Origin")]

"""What every page is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json

from ...engine.world import World
from ...engine.worlds import Worlds
from ...kernel.clock import parse_rfc3339


class Control(Protocol):
    """Calls one operation of the control API, by the same rules as over HTTP."""

    def __call__(
        self,
        operation: str,
        path: Mapping[str, str],
        *,
        query: Mapping[str, object] | None = None,
        body: Json = None,
        origin: str = "",
    ) -> Json: ...


#: Sends a request to the mock itself: method, URL, headers and body; (status, request id, body).
Send = Callable[[str, str, Mapping[str, str], bytes], tuple[int, str, bytes]]


class View(Struct, frozen=True):
    """One look at one world. *args* are the query of the page; *origin* is the server's address."""

    worlds: Worlds
    control: Control
    world: World
    origin: str
    args: Mapping[str, str] = {}

    def ask(
        self,
        operation: str,
        *,
        query: Mapping[str, object] | None = None,
        body: Json = None,
        **path: str,
    ) -> Json:
        """The answer of the control API to *operation* in this world."""
        place = {"world": self.world.id, **path}
        return self.control(operation, place, query=query, body=body, origin=self.origin)

    def contract(self, provider: str) -> Contract:
        """The contract of *provider* under the readings of this world."""
        return self.worlds.contract(provider).under(self.world.settings.choices)

    def number(self, name: str) -> int | None:
        """The query field *name* as a number; None when it is not one."""
        text = self.args.get(name, "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def ms(instant: str) -> int:
    """Milliseconds since 1970 of an instant that the control API shows."""
    return parse_rfc3339(instant)

"""A request to the mock and its answer, as a mutant changes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from screentest.specs.contracts.contract import Contract
from screentest.specs.json_types import Json
from screentest.specs.openapi.operations import Operation
from screentest.specs.wsgi_environ import variable_of

from .mutations import bend_events

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class MutantAnswer:
    """A whole answer, before it goes out."""

    status: int
    headers: Headers
    pieces: Iterable[bytes]

    @property
    def is_stream(self) -> bool:
        return self.header("content-type").startswith("text/event-stream")

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def set_header(self, name: str, value: str | None) -> None:
        self.headers = [it for it in self.headers if it[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))


@dataclass(slots=True)
class Asked:
    """A request to the provider: which world, which operation, and its raw parts."""

    world_id: str
    operation: Operation | None
    path: str
    environ: dict[str, Any]
    body: bytes

    @property
    def key(self) -> tuple[str, str]:
        return self.world_id, self.path

    def credential(self, contract: Contract) -> dict[str, str]:
        """The credentials of the request, as WSGI variables."""
        found: dict[str, str] = {}
        for credential in contract.behaviour.credentials.values():
            for header, _ in credential.forms:
                name = variable_of(header)
                if name in self.environ:
                    found[name] = self.environ[name]
        return found


def bend_stream(answered: MutantAnswer, change: Mapping[str, Json], contract: Contract) -> None:
    """Change the events of an answer, or move a refusal into its stream."""
    if change.get("refuse_inside") and answered.status == 402:
        answered.status = 200
        answered.set_header("Content-Type", "text/event-stream")
        rules = contract.behaviour.streams[change["of"]]
        event = {**rules.on_error, "detail": "out of credits"}
        answered.pieces = [b"data: " + json.dumps(event).encode() + b"\n\n"]
        return
    if not answered.header("content-type").startswith("text/event-stream"):
        return
    answered.pieces = bend_events(answered.pieces, change)
    if "type" in change:
        answered.set_header("Content-Type", change["type"])

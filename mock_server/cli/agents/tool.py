"""What a tool of a coding agent is, and what it works with."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from screentest.specs.contracts.registry import Contracts
from screentest.specs.json_types import Json

from ..client import segment, send


@dataclass(frozen=True, slots=True)
class Mock:
    """The running mock at *url*, the world that is meant by default, and the contracts.

    *explored* is a report of `screentest explore`, as JSON.
    """

    url: str
    world_id: str
    contracts: Contracts
    explored: Path | None = None

    def send(self, method: str, path: str, query: Mapping[str, Json], body: Json = None) -> Json:
        """The answer of the control API.

        Raises:
            NoMockError: no mock answers at the address.
            RefusedError: the mock refused the call.
        """
        given = {name: it if isinstance(it, str) else json.dumps(it) for name, it in query.items()}
        tail = f"?{urlencode(given, errors='replace')}" if given else ""
        return send(self.url, method, path + tail, body, json.loads)

    def of_world(self, given: Mapping[str, Json], path: str, **query: Json) -> Json:
        """The answer to a GET of *path* in the world that *given* names, or in the default one."""
        world_id = segment("world", str(given.get("world", self.world_id)))
        kept = {name: value for name, value in query.items() if value is not None}
        return self.send("GET", f"/worlds/{world_id}{path}", kept)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a tool: *data*, and *ours*, which screentest itself wrote."""

    data: Json
    ours: Json = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool. *properties* are the schemas of its arguments; *changes*: it changes a world."""

    name: str
    summary: str
    properties: Mapping[str, Json]
    call: Callable[[Mock, Mapping[str, Json]], Answer]
    required: tuple[str, ...] = ()
    changes: bool = False

    def problem(self, given: Mapping[str, Json]) -> str:
        """Why the arguments *given* are wrong; empty if they are right."""
        unknown = [it for it in given if it not in self.properties]
        missing = [it for it in self.required if it not in given]
        if unknown or missing:
            return f"arguments: unknown {unknown}, missing {missing}"
        # Not at the top: a session may end without a call.
        import jsonschema_rs

        try:
            wrong = next(jsonschema_rs.validator_for(self.schema).iter_errors(dict(given)), None)
        except UnicodeEncodeError:
            return "arguments: a text has half of a character"
        if wrong is None:
            return ""
        return f"arguments: {'/'.join(map(str, wrong.instance_path))}: {wrong.message}"

    @property
    def schema(self) -> Json:
        """The JSON Schema of the arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }

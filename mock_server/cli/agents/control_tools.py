"""Calls of the control API as tools, described by its own contract."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from screentest.specs.contracts.controls import load_controls
from screentest.specs.json_types import Json

from ..client import segment
from .inlined import inlined
from .tool import Answer, Mock, Tool

#: What an agent can read.
_READS = (
    "getWorld",
    "listWorlds",
    "listProviders",
    "getRequest",
    "listFindings",
    "getClock",
    "listEvents",
    "listJobs",
    "getJob",
    "getAccount",
    "getLedger",
    "listFaults",
    "listEndpoints",
    "listDeliveries",
    "listInterpretations",
)
#: What it can change if that is allowed.
_CHANGES = (
    "createWorld",
    "resetWorld",
    "advanceClock",
    "changeClock",
    "changeJob",
    "changeAccount",
    "createFault",
    "deleteFault",
    "deleteFaults",
    "createEndpoint",
    "redeliver",
    "changeInterpretations",
)
#: Following events would block the agent.
_LEFT_OUT = frozenset({"wait_ms"})


def control_tools(*, allow_changes: bool) -> Iterator[Tool]:
    """The calls that read, and with *allow_changes* those that change a world."""
    for operation_id in _READS:
        yield _tool(operation_id, changes=False)
    for operation_id in _CHANGES if allow_changes else ():
        yield _tool(operation_id, changes=True)


def _tool(operation_id: str, *, changes: bool) -> Tool:
    controls = load_controls()
    operation = controls.operations[operation_id]
    item = controls.document["paths"][operation.path]
    raw = item[operation.method.lower()]
    documents = controls.documents
    listed = [
        documents.resolve(it) for it in (*item.get("parameters", ()), *raw.get("parameters", ()))
    ]
    parameters = {it["name"]: it for it in listed if it["name"] not in _LEFT_OUT}
    properties = {name: inlined(documents, it["schema"]) for name, it in parameters.items()}
    required = [name for name, it in parameters.items() if it["in"] == "path" and name != "world"]
    for name, it in parameters.items():
        if "description" in it:
            properties[name] = {**properties[name], "description": it["description"]}
    if "requestBody" in raw:
        body = documents.resolve(raw["requestBody"])
        properties["body"] = inlined(documents, body["content"]["application/json"]["schema"])
        required += ["body"] * body.get("required", False)

    def call(mock: Mock, given: Mapping[str, Json]) -> Answer:
        values = {"world": mock.world_id, **given}
        query = {
            name: values[name]
            for name, it in parameters.items()
            if it["in"] == "query" and name in values
        }
        path = re.sub(
            r"\{(\w+)\}", lambda found: segment(found[1], str(values[found[1]])), operation.path
        )
        body = given.get("body", {}) if changes and operation.method != "DELETE" else None
        return Answer(mock.send(operation.method, path, query, body))

    name = re.sub(r"(?<!^)([A-Z])", r"_\1", operation_id).lower()
    return Tool(name, operation.summary, properties, call, tuple(required), changes)

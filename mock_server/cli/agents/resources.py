"""The contracts and journals as resources of a coding agent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...kernel.errors import MockError, unknown
from .journal_tools import last_requests
from .tool import Mock

_PREFIX = "screentest://"
#: By the last part of the address: the file of a contract, and what it is.
_FILES = {
    "openapi": ("openapi.yaml", "shapes: paths, parameters, bodies, answers"),
    "behaviour": ("behaviour.yaml", "rules: jobs, prices, limits, refusals, streams, webhooks"),
    "clauses": ("clauses.yaml", "the numbered sentences of the provider's document"),
}
#: The journals of further worlds.
JOURNAL_TEMPLATE = f"{_PREFIX}worlds/{{world}}/journal"


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource; *path* is the file that it is, or None for a journal."""

    uri: str
    name: str
    summary: str
    media_type: str
    path: Path | None = None


def resources(mock: Mock) -> Mapping[str, Resource]:
    """The resources by address."""
    journal = JOURNAL_TEMPLATE.format(world=mock.world_id)
    last = "the last requests with their findings"
    found = [Resource(journal, f"journal of {mock.world_id}", last, "application/x-ndjson")]
    if mock.explored is not None:
        what = "the outcome of a program for each request and each way in which it can break"
        uri = f"{_PREFIX}explored"
        found.append(Resource(uri, "explored", what, "application/json", mock.explored))
    for contract in mock.contracts:
        for part, (file, summary) in _FILES.items():
            # A contract may be an OpenAPI file alone, whatever is beside it.
            is_alone = contract.place.is_file()
            path = contract.place if is_alone else contract.folder / file
            if path.exists() and (part == "openapi" or not is_alone):
                uri = f"{_PREFIX}contracts/{contract.provider}/{part}"
                name = f"{contract.provider} {part}"
                found.append(Resource(uri, name, summary, "application/yaml", path))
    return {it.uri: it for it in found}


def read_resource(mock: Mock, uri: str) -> tuple[str, str]:
    """Media type and text of the resource at *uri*.

    Raises:
        MockError: no resource has this address, or its file cannot be read.
    """
    known = resources(mock)
    if uri in known and (path := known[uri].path) is not None:
        try:
            return known[uri].media_type, path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise MockError(f"cannot read {path}: {error}") from None
    before, after = JOURNAL_TEMPLATE.split("{world}")
    world = uri.removeprefix(before).removesuffix(after)
    if uri != JOURNAL_TEMPLATE.format(world=world):
        raise unknown("resource", uri, known)
    return "application/x-ndjson", "".join(
        f"{json.dumps(it)}\n" for it in last_requests(mock, {"world": world})
    )

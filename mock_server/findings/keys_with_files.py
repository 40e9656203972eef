"""The finding about a key that is sent with the download of a stored file.

A provider's files are at a store with another host. Its URLs are signed or public, so the store
needs no key, and whoever runs it can read the one that it gets.
"""

from __future__ import annotations

from collections.abc import Mapping

from screentest.specs.contracts.contract import Contract
from screentest.specs.contracts.redaction import header_name

from ..engine.world import World
from ..kernel.finding import Finding


def key_with_file(
    world: World, contract: Contract, headers: Mapping[str, str], source: str
) -> Finding | None:
    """The finding about a download with *headers*, once for each header and world."""
    sent = next((it for it in contract.behaviour.credential_headers if it in headers), None)
    if sent is None:
        return None
    with world.rows.transaction():
        marks, name = world.rows.marks, f"key with file {contract.provider} {sent}"
        if marks.value(name) is not None:
            return None
        marks.note(name, world.requests)
    return Finding(
        "SC408",
        f"/{header_name(sent)}",
        "no key with the download of a file: its URL is enough",
        f"{header_name(sent)} was sent to the store of the files",
        "download with a client that has no default headers, and follow redirects with none",
        f"{contract.behaviour.document_url} {source}".strip(),
        severity="warning",
    )

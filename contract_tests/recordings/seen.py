"""The sources of a drafted contract: OpenAPI files and recordings, each known by its content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from screentest.specs.drafting.recorded import Seen
from screentest.specs.drafting.shapes import document_of
from screentest.specs.drafting.writing import yaml_text
from screentest.specs.errors import ContractError
from screentest.specs.json_types import Json
from screentest.specs.openapi.document_file import read_document, served_form

from ..traces.trace import LackingPart, Raw, decoded
from ..traces.trace_file import raws_of
from .har import raws_of_har

#: A reference to another file.
_OUTWARD = re.compile(rb"""\$ref["']?\s*:\s*["']?[^#"'\s]""")
_BYTES_MAX = 256 * 1024 * 1024
#: That of the API, and that of its webhooks.
_DOCUMENTS_MAX = 2


class Sources(Struct, frozen=True):
    """An OpenAPI *document* with its text, *openapi*, and recorded *calls*, the oldest first.

    *events* is a second document, that of the vendor's webhooks.
    """

    document: Json
    openapi: str
    calls: Sequence[Seen]
    events: Json = None


def read_sources(name: str, paths: Sequence[Path]) -> Sources:
    """The content of the files at *paths* about the provider *name*.

    Without an OpenAPI file among them, the document is made from the recordings.

    Raises:
        ContractError: a file is neither an OpenAPI file nor a recording, or three are OpenAPI
            files.
        ValueError: a recording is wrong.
    """
    documents: list[Path] = []
    calls: list[Seen] = []
    for path in paths:
        beginning = _read(path, most=4_096).lstrip(b"\xef\xbb\xbf \t\r\n")
        if beginning.startswith(b'{"trace"'):
            calls += _seen("recorded", raws_of(_text(path), str(path)))
        elif re.match(rb'\{\s*"log"\s*:', beginning):
            for origin, raw in raws_of_har(_text(path), str(path)):
                calls += _seen(origin, [raw])
        else:
            documents.append(path)
    if len(documents) > _DOCUMENTS_MAX:
        detail = "expected one OpenAPI file, and perhaps one of the webhooks; got a third"
        raise ContractError(f"{documents[_DOCUMENTS_MAX]}: {detail}")
    calls.sort(key=lambda it: it.at_ms)
    if not documents:
        document = document_of(name, calls)
        # Its text stays as it was made: the ids of its operations follow from their paths.
        text = yaml_text(document)
        return Sources(served_form(Path("openapi.yaml"), document), text, calls)
    document = read_document(documents[0])
    written = _read(documents[0], most=_BYTES_MAX)
    # What other files hold becomes part of the one file.
    whole = yaml_text(document) if _OUTWARD.search(written) else written.decode("utf-8-sig")
    events = read_document(documents[1]) if len(documents) > 1 else None
    return Sources(document, whole, calls, events)


def _seen(origin: str, raws: Sequence[Raw] | Iterator[Raw]) -> Iterator[Seen]:
    for raw in raws:
        sent = reply = None
        if LackingPart.SENT not in raw.lacks:
            sent, _ = decoded(raw.request_body, raw.request_headers.get("content-type", "json"))
        if LackingPart.BODY not in raw.lacks:
            reply, _ = decoded(raw.body, raw.headers.get("content-type", ""))
        yield Seen(
            at_ms=raw.at_ms,
            method=raw.method,
            origin=origin,
            path=urlsplit(raw.path).path,
            query=raw.query,
            request_headers=raw.request_headers,
            sent=sent,
            status=raw.status,
            headers=raw.headers,
            reply=reply,
        )


def _text(path: Path) -> str:
    return _read(path, most=_BYTES_MAX).decode("utf-8-sig")


def _read(path: Path, *, most: int) -> bytes:
    if not path.is_file():
        # A device or a pipe may never end.
        raise ContractError(f"{path}: this is not a regular file")
    with path.open("rb") as file:
        text = file.read(most + 1)
    if len(text) > _BYTES_MAX:
        raise ContractError(f"{path} is larger than {_BYTES_MAX} bytes")
    return text

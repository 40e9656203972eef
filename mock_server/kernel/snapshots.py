"""A world as one document in JSON Lines, independent of the keeper.

The first line is the world, the last line is the digest of all lines before it, and each other line
is one row. Rows are sorted, so two equal worlds give equal bytes. The digest detects a truncated or
edited document; it does not prove who wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from msgspec.structs import replace

from .errors import MockError
from .rows import ROW_TYPES, WorldRow

#: (table, row)
Line = tuple[str, Struct]

#: The largest snapshot; a full journal fits in.
SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024
#: How many snapshots a world may have.
SNAPSHOTS_MAX = 20

#: Tables that a snapshot does not list: the world is its first line, snapshots do not nest, and
#: what findings remember of a client's calls is not part of the world.
BESIDE = frozenset({"world", "snapshot", "mark", "payment", "read"})
#: The longest quotation of a line in an error.
_EXCERPT_MAX = 80


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line: *world* at its time *now_ms*, in a mock that serves *providers*."""

    screentest: Literal["snapshot"]
    format: Literal[2]
    now_ms: Annotated[int, Meta(ge=0, le=2**53)]
    providers: list[str]
    world: WorldRow


class _Row(Struct, frozen=True, forbid_unknown_fields=True):
    table: str
    row: Raw


class _Digest(Struct, frozen=True):
    sha256: str


_encode = msgspec.json.Encoder().encode


def write_snapshot(
    world: WorldRow, now_ms: int, providers: Collection[str], lines: Iterable[Line]
) -> bytes:
    """The document of *world* at *now_ms*, in a mock that serves *providers*.

    Raises:
        MockError: the document is larger than 64 MiB.
    """
    # Without the id, equal worlds give equal documents, and a restore keeps the target's id.
    head = Head("snapshot", 2, now_ms, sorted(providers), replace(world, id=""))
    written = [_encode(head) + b"\n"]
    size = len(written[0])
    for table, row in lines:
        written.append(_encode({"table": table, "row": row}) + b"\n")
        size += len(written[-1])
        if size > SNAPSHOT_BYTES_MAX:
            raise MockError(
                f"the snapshot would be larger than {SNAPSHOT_BYTES_MAX} bytes; "
                "take it earlier, or reset the world",
                code="too_large",
                status=413,
            )
    body = b"".join(written)
    return body + _last_line(body)


def read_snapshot(document: bytes, providers: Collection[str]) -> tuple[Head, list[Line]]:
    """The head of a snapshot, and its rows as (table, row). *providers* are those of this mock.

    Raises:
        MockError: *document* is not a snapshot, is damaged or too large, or does not fit this mock.
    """
    if len(document) > SNAPSHOT_BYTES_MAX:
        raise _damaged(f"is larger than {SNAPSHOT_BYTES_MAX} bytes")
    if not document:
        raise _damaged("is empty")
    # JSON escapes line breaks inside strings, so every line is a whole row.
    first, *rest = document.splitlines(keepends=True)
    head = _head(first)
    # The digest before the rows: a damaged row would be reported as a row of the wrong form.
    if not rest or rest[-1] != _last_line(document[: -len(rest[-1])]):
        raise _damaged("was changed or cut short: its last line is not the digest of the others")
    if head.providers != sorted(providers):
        raise _damaged(
            f"is from a mock that serves {_listed(head.providers)}, and this one serves "
            f"{_listed(sorted(providers))}; start it with the same --provider"
        )
    decoders = {
        name: msgspec.json.Decoder(type_) for name, type_ in ROW_TYPES.items() if name not in BESIDE
    }
    return head, [_line(line, decoders, providers) for line in rest[:-1]]


def _last_line(body: bytes) -> bytes:
    return _encode(_Digest(sha256(body).hexdigest())) + b"\n"


def _head(line: bytes) -> Head:
    try:
        return msgspec.json.decode(line, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(f"has no first line of a snapshot of format 2: {error}") from None


def _listed(providers: Iterable[str]) -> str:
    # The names come from the document, which may hold anything of any length.
    return ", ".join(it[:40] for it in list(providers)[:20]) or "none"


def _line(
    line: bytes, decoders: Mapping[str, msgspec.json.Decoder[Any]], providers: Collection[str]
) -> Line:
    excerpt = line[:_EXCERPT_MAX]
    try:
        found = msgspec.json.decode(line, type=_Row)
        row = decoders[found.table].decode(found.row)
    except KeyError:
        raise _damaged(f"has a line that fits no table: {excerpt!r}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _damaged(f"has a line that fits no row: {error} in {excerpt!r}") from None
    # The digest does not prove who wrote the document, so each row is checked like a request.
    if getattr(row, "provider", "") not in {"", *providers}:
        raise _damaged(f"has a row of an unknown provider: {excerpt!r}")
    return found.table, row


def _damaged(how: str) -> MockError:
    return MockError(f"the snapshot {how}", code="damaged_snapshot", status=422)

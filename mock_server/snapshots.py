"""A world as one document: canonical JSON Lines, the same wherever it is kept, never pickle.

The first line is the world, every other line one row. Names are sorted and rows are in order, so
two equal worlds give equal bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from .errors import MockError

Json = Any
#: (table, its columns without the world's, a row)
Line = tuple[str, Sequence[str], Sequence[Any]]

FORMAT = 1
#: What one snapshot may hold: a full journal fits in.
SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024
#: How many snapshots a world may have.
SNAPSHOTS_MAX = 20
_WRITTEN = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def write_snapshot(seed: int, now_ms: int, world: Json, lines: Iterable[Line]) -> bytes:
    """The document of a world that stands at *now_ms*.

    Raises:
        MockError: it is larger than 64 MiB.
    """
    head = {"screentest": "snapshot", "format": FORMAT, "seed": seed, "now_ms": now_ms}
    written = [orjson.dumps({**head, "world": world}, option=_WRITTEN)]
    size = len(written[0])
    for table, columns, row in lines:
        values = {name: _kept(value) for name, value in zip(columns, row, strict=True)}
        written.append(orjson.dumps({"table": table, "row": values}, option=_WRITTEN))
        size += len(written[-1])
        if size > SNAPSHOT_BYTES_MAX:
            raise MockError(
                f"a snapshot larger than {SNAPSHOT_BYTES_MAX} bytes is not kept; "
                "take it earlier, or reset the world",
                code="too_large",
                status=413,
            )
    return b"".join(written)


def read_snapshot(
    document: bytes, tables: Mapping[str, Sequence[str]]
) -> tuple[Json, Iterator[tuple[str, list[Any]]]]:
    """The head of a snapshot, and its rows as (table, values in the order of its columns).

    *tables* are the known tables with their columns.

    Raises:
        MockError: it is none, of another format, or too large. So do the rows, as they are read.
    """
    if len(document) > SNAPSHOT_BYTES_MAX:
        raise _damaged(f"is larger than {SNAPSHOT_BYTES_MAX} bytes")
    first, *rest = document.splitlines()
    head = _decoded(first)
    if head.get("screentest") != "snapshot" or head.get("format") != FORMAT:
        raise _damaged(f"has format {head.get('format')!r}, this screentest reads {FORMAT}")
    return head, (_row(line, tables) for line in rest)


def _row(line: bytes, tables: Mapping[str, Sequence[str]]) -> tuple[str, list[Any]]:
    raw = _decoded(line)
    columns = tables.get(str(raw.get("table")))
    row = raw.get("row")
    if columns is None or not isinstance(row, dict) or row.keys() != set(columns):
        raise _damaged(f"has a line that fits no table: {line[:80]!r}")
    return raw["table"], [_loaded(row[name]) for name in columns]


def _decoded(line: bytes) -> Json:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _damaged(f"has a line that is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise _damaged("has a line that is no object")
    return value


def _kept(value: Any) -> Json:
    """Bytes keep their exact order and spacing, or a replayed answer would not be the same."""
    if not isinstance(value, bytes):
        return value
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def _loaded(value: Json) -> Any:
    if not isinstance(value, dict):
        return value
    match value:
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            return base64.b64decode(text)
        case _:
            raise _damaged("has a value of no known kind")


def _damaged(how: str) -> MockError:
    return MockError(f"the snapshot {how}", code="damaged_snapshot", status=409)

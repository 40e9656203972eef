"""A world as one document: canonical JSON Lines, the same wherever it is kept, never pickle.

The first line is the world, every other line one row, and the last one the digest of all before it.
Names are sorted and rows are in order, so two equal worlds give equal bytes. The digest finds what
was cut short or edited by hand; it does not protect against deliberate changes.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from msgspec import Struct

from screentest.specs.json_types import Json

from .errors import MockError

#: (table, its columns without the world's, a row)
Line = tuple[str, Iterable[str], Sequence[Any]]


class Column(Struct, frozen=True):
    """What a column holds: `INTEGER`, `TEXT` or `BLOB`, and whether it may be empty."""

    type: str
    may_be_empty: bool


#: The tables of a world with their columns, in order.
Tables = Mapping[str, Mapping[str, Column]]

FORMAT = 1
#: What one snapshot may hold: a full journal fits in.
SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024
#: How many snapshots a world may have.
SNAPSHOTS_MAX = 20
# Bytes of a provider's answer; every other BLOB is JSON of ours.
_ANY_BYTES = "body"
_INTEGER_MAX = 2**63 - 1
_WRITTEN = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


def write_snapshot(
    seed: int, now_ms: int, world: Json, providers: Collection[str], lines: Iterable[Line]
) -> bytes:
    """The document of a world at *now_ms*, in a mock that serves *providers*.

    Raises:
        MockError: it is larger than 64 MiB.
    """
    head = {
        "screentest": "snapshot",
        "format": FORMAT,
        "seed": seed,
        "now_ms": now_ms,
        "providers": sorted(providers),
        "world": world,
    }
    written = [orjson.dumps(head, option=_WRITTEN)]
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
    body = b"".join(written)
    return body + _last_line(body)


def read_snapshot(
    document: bytes, tables: Tables, providers: Collection[str]
) -> tuple[Json, list[tuple[str, list[Any]]]]:
    """The head of a snapshot, and its rows as (table, values in the order of its columns).

    *tables* are those of this mock, *providers* what it serves.

    Raises:
        MockError: it is no snapshot, damaged, too large, or not for this mock.
    """
    if len(document) > SNAPSHOT_BYTES_MAX:
        raise _damaged(f"is larger than {SNAPSHOT_BYTES_MAX} bytes")
    if not document:
        raise _damaged("is empty")
    first, *rest = document.splitlines(keepends=True)
    head = _decoded(first)
    if head.get("screentest") != "snapshot" or head.get("format") != FORMAT:
        raise _damaged(f"is none, or not of format {FORMAT}, which this screentest reads")
    if not rest or rest[-1] != _last_line(document[: -len(rest[-1])]):
        raise _damaged("was changed or cut short: its last line is not the digest of the others")
    _check_head(head, providers)
    return head, [_row(line, tables, providers) for line in rest[:-1]]


def _last_line(body: bytes) -> bytes:
    return orjson.dumps({"sha256": sha256(body).hexdigest()}, option=_WRITTEN)


def _check_head(head: Json, providers: Collection[str]) -> None:
    for name in ("seed", "now_ms"):
        if type(head.get(name)) is not int or not 0 <= head[name] <= _INTEGER_MAX:
            raise _damaged(f"has no whole number as its {name!r}")
    served = head.get("providers")
    if served != sorted(providers):
        raise _damaged(
            f"is of a mock that serves {_listed(served)}, and this one serves "
            f"{_listed(sorted(providers))}; start it with the same --provider"
        )


def _listed(providers: Json) -> str:
    names = providers if isinstance(providers, list) else []
    return ", ".join(str(name)[:40] for name in names[:20]) or "none"


def _row(line: bytes, tables: Tables, providers: Collection[str]) -> tuple[str, list[Any]]:
    raw = _decoded(line)
    columns = tables.get(str(raw.get("table")))
    row = raw.get("row")
    if columns is None or not isinstance(row, dict) or row.keys() != columns.keys():
        raise _damaged(f"has a line that fits no table: {line[:80]!r}")
    if row.get("provider", "") not in {"", *providers}:
        raise _damaged(f"has a row of an unknown provider: {line[:80]!r}")
    values = [_loaded(row[name]) for name in columns]
    for (name, column), value in zip(columns.items(), values, strict=True):
        if not _fits(name, column, value):
            raise _damaged(f"has a wrong {name!r} in a row of {raw['table']!r}: {line[:80]!r}")
    return raw["table"], values


def _fits(name: str, column: Column, value: Any) -> bool:
    if value is None:
        return column.may_be_empty
    match column.type:
        case "INTEGER":
            return type(value) is int and -_INTEGER_MAX <= value <= _INTEGER_MAX
        case "TEXT":
            return isinstance(value, str)
        case _:
            return isinstance(value, bytes) and (name == _ANY_BYTES or _is_json(value))


def _is_json(value: bytes) -> bool:
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


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
        case {"base64": str(text)} if text.isascii():
            return base64.b64decode(text)
        case _:
            raise _damaged("has a value of no known kind")


def _damaged(how: str) -> MockError:
    return MockError(f"the snapshot {how}", code="damaged_snapshot", status=422)

"""What accounts own, jobs among it. Polls ask for the same rows over and over, so they are kept."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from screentest.specs.redaction import Redactor

from ..kernel.lifecycle import Script
from ..kernel.rows import Resource
from .transactions import Row, Transactions

_KEPT_MAX = 4_096
_SELECT = (
    "SELECT provider, kind, id, account, parent, seq, created_ms, doc, script, slot FROM resource"
)


class ResourceRows:
    """The resources of all worlds. Each call decodes its own copy, which the caller may change."""

    def __init__(self, transactions: Transactions, redactor: Redactor) -> None:
        self._redactor = redactor
        self._transactions = transactions
        self._kept: dict[tuple[str, str, str, str], Row] = {}

    def forget(self) -> None:
        """Read everything anew."""
        self._kept.clear()

    def add(self, world: str, resource: Resource) -> None:
        row = self._columns(resource)
        *head, doc, script, slot = row
        self._transactions.write(
            "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (world, *head, _ends_ms_column(resource), slot, doc, script),
        )
        self._keep(world, row)

    def save(self, world: str, resource: Resource) -> None:
        """Keep the document and the script of a resource that exists."""
        row = self._columns(resource)
        doc, script, _slot = row[-3:]
        self._transactions.write(
            "UPDATE resource SET doc = ?, script = ?, ends_ms = ?"
            " WHERE world = ? AND provider = ? AND kind = ? AND id = ?",
            (doc, script, _ends_ms_column(resource), world, *row[:3]),
        )
        self._keep(world, row)

    def _columns(self, resource: Resource) -> Row:
        """What `_SELECT` reads of *resource*, without credentials that were pasted into it."""
        doc = self._redactor.cut_shapes(orjson.dumps(resource.doc).decode()).encode()
        return (
            resource.provider,
            resource.kind,
            resource.id,
            resource.account,
            resource.parent,
            resource.seq,
            resource.created_ms,
            doc,
            self._script_column(resource),
            int(resource.is_running_slot),
        )

    def _script_column(self, resource: Resource) -> bytes | None:
        if resource.script is None:
            return None
        # The reason of a failure may come from a prompt or a control call.
        reason = self._redactor.cut_shapes(resource.script.reason)
        return orjson.dumps(resource.script.to_json() | {"reason": reason})

    def _keep(self, world: str, row: Row) -> None:
        if len(self._kept) >= _KEPT_MAX:
            self._kept.clear()
        self._kept[(world, *row[:3])] = row

    def delete(self, world: str, resource: Resource) -> None:
        self._kept.pop((world, resource.provider, resource.kind, resource.id), None)
        self._transactions.write(
            "DELETE FROM resource WHERE world = ? AND provider = ? AND kind = ? AND id = ?",
            (world, resource.provider, resource.kind, resource.id),
        )

    def resource(self, world: str, provider: str, kind: str, id_: str) -> Resource | None:
        """The resource of a *kind* called *id_*."""
        place = (world, provider, kind, id_)
        row = self._kept.get(place)
        if row is None:
            row = self._transactions.one(
                f"{_SELECT} WHERE world = ? AND provider = ? AND kind = ? AND id = ?", place
            )
            if row is None:
                return None
            self._keep(world, row)
        return _read(row)

    def resources(
        self,
        world: str,
        provider: str,
        kind: str,
        *,
        account: str | None = None,
        parent: str | None = None,
        before_seq: int | None = None,
        after_seq: int | None = None,
        newest_first: bool = True,
        limit: int = 1_000_000,
    ) -> list[Resource]:
        """Resources of a *kind*, of an *account* or below a *parent*, newest first by default."""
        where = ["world = ?", "provider = ?", "kind = ?"]
        values: list[Any] = [world, provider, kind]
        for text, value in (
            ("account = ?", account),
            ("parent = ?", parent),
            ("seq < ?", before_seq),
            ("seq > ?", after_seq),
        ):
            if value is not None:
                where.append(text)
                values.append(value)
        order = "DESC" if newest_first else "ASC"
        rows = self._transactions.all(
            f"{_SELECT} WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?",
            [*values, limit],
        )
        return [_read(row) for row in rows]

    def newest_child(self, world: str, provider: str, kind: str, parent: str) -> Resource | None:
        row = self._transactions.one(
            f"{_SELECT} WHERE world = ? AND provider = ? AND kind = ? AND parent = ?"
            " ORDER BY seq DESC LIMIT 1",
            (world, provider, kind, parent),
        )
        return _read(row) if row else None

    def jobs(self, world: str, *, before_seq: int | None, limit: int) -> list[Resource]:
        """Resources with a script, newest first."""
        rows = self._transactions.all(
            f"{_SELECT} WHERE world = ? AND script IS NOT NULL AND seq < ?"
            " ORDER BY seq DESC LIMIT ?",
            (world, before_seq if before_seq is not None else 2**62, limit),
        )
        return [_read(row) for row in rows]

    def jobs_called(self, world: str, id_: str) -> list[Resource]:
        """Jobs whose id is *id_*, of any provider and kind; `_` may stand for the slashes in it."""
        rows = self._transactions.all(
            f"{_SELECT} WHERE world = ? AND ? IN (id, REPLACE(id, '/', '_'))"
            " AND script IS NOT NULL",
            (world, id_),
        )
        return [_read(row) for row in rows]

    def running_jobs(self, world: str, account: str, now_ms: int) -> list[Resource]:
        """Jobs of an account that hold a place now."""
        rows = self._transactions.all(
            f"{_SELECT} INDEXED BY resource_running"
            " WHERE world = ? AND account = ? AND slot = 1 AND (ends_ms IS NULL OR ends_ms > ?)",
            (world, account, now_ms),
        )
        return [_read(row) for row in rows]


def _read(row: Row) -> Resource:
    provider, kind, id_, account, parent, seq, created_ms, doc, script, slot = row
    return Resource(
        provider,
        kind,
        id_,
        account,
        parent,
        seq,
        created_ms,
        orjson.loads(doc),
        _read_script(script) if script is not None else None,
        bool(slot),
    )


@lru_cache(maxsize=8_192)
def _read_script(raw: bytes) -> Script:
    """A script is never changed in place, so all copies of a job share it."""
    return Script.from_json(orjson.loads(raw))


def _ends_ms_column(resource: Resource) -> int | None:
    if resource.script is None or resource.script.ends_ms is None:
        return None
    return resource.created_ms + resource.script.ends_ms

"""Small documents: faults, endpoints, deliveries. A module owns the content of each kind whole."""

from __future__ import annotations

import orjson

from screentest.specs.json_types import Json

from .transactions import Transactions


class DocumentRows:
    """The documents of all worlds, by kind and id.

    Every request asks for the faults of its world and few change them, so what was read of a kind
    is kept until a write to it, or a rollback.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._write, self._all, self._one = transactions.write, transactions.all, transactions.one
        self._documents: dict[tuple[str, str], list[bytes]] = {}

    def forget(self) -> None:
        """Read everything anew."""
        self._documents.clear()

    def documents(self, world: str, kind: str) -> list[Json]:
        """All documents of a *kind*, in the order they were made."""
        raw = self._documents.get((world, kind))
        if raw is None:
            rows = self._all(
                "SELECT doc FROM document WHERE world = ? AND kind = ? ORDER BY seq", (world, kind)
            )
            raw = self._documents[(world, kind)] = [row[0] for row in rows]
        return [orjson.loads(doc) for doc in raw]

    def documents_after(self, world: str, kind: str, after_seq: int, limit: int) -> list[Json]:
        """Documents of a *kind* after number *after_seq*, in the order they were made."""
        rows = self._all(
            "SELECT doc FROM document WHERE world = ? AND kind = ? AND seq > ?"
            " ORDER BY seq LIMIT ?",
            (world, kind, after_seq, limit),
        )
        return [orjson.loads(row[0]) for row in rows]

    def trim_documents(self, world: str, kind: str, up_to_seq: int) -> None:
        """Forget the documents of a *kind* up to number *up_to_seq*."""
        self._documents.pop((world, kind), None)
        self._write(
            "DELETE FROM document WHERE world = ? AND kind = ? AND seq <= ?",
            (world, kind, up_to_seq),
        )

    def document(self, world: str, kind: str, id_: str) -> Json | None:
        """The document of a *kind* called *id_*."""
        row = self._one(
            "SELECT doc FROM document WHERE world = ? AND kind = ? AND id = ?", (world, kind, id_)
        )
        return orjson.loads(row[0]) if row else None

    def save_document(self, world: str, kind: str, id_: str, seq: int, doc: Json) -> None:
        """Keep *doc*; *seq* orders it among its kind, and stays when it exists already."""
        self._documents.pop((world, kind), None)
        self._write(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (world, kind, id) DO UPDATE SET doc = excluded.doc",
            (world, kind, id_, seq, orjson.dumps(doc)),
        )

    def delete_document(self, world: str, kind: str, id_: str) -> bool:
        """False if there was none."""
        self._documents.pop((world, kind), None)
        cursor = self._write(
            "DELETE FROM document WHERE world = ? AND kind = ? AND id = ?", (world, kind, id_)
        )
        return cursor.rowcount == 1

"""The store on SQLite: one connection and one lock for the whole process.

Readers gain nothing from more connections under the interpreter's lock, and one connection makes
the deferred-upgrade and WAL-reset faults of several writers impossible. `request()` is the unit of
work: it holds the lock, opens a write transaction at the first write, and commits at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import orjson

from screentest.specs.json_types import Json
from screentest.specs.redaction import BY_SHAPE, Redactor

from ..kernel.rows import Effect, Entry, Event
from ..kernel.snapshots import Tables
from .account_rows import AccountRows
from .counters import Counters
from .document_rows import DocumentRows
from .dumps import TABLES_OF_A_WORLD, dump_world, load_world, tables_of_a_world
from .journal_rows import Document, Head, JournalRows
from .key_rows import KeyRows
from .repetition_rows import RepetitionRows
from .resource_rows import ResourceRows
from .transactions import Row, Transactions

EVENTS_MAX = 50_000


class Store:
    """Rows of all worlds. Every method but `request` must be called inside `request()`."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        durable: bool = False,
        redactor: Redactor = BY_SHAPE,
    ) -> None:
        """Open *path* (None for memory). *durable* survives a power cut, at a price per write.
        *redactor* removes the credentials from what is kept.

        Raises:
            MockError: the file is not ours, is in use by another process, or cannot be written.
        """
        self.redactor = redactor
        self._transactions = Transactions(
            path, durable=durable, on_keep=self._keep, on_undo=self._forget
        )
        self.lock = self._transactions.lock
        self._counters = Counters(self._transactions)
        self.count = self._counters.next
        calls = RepetitionRows(self._transactions)
        self.replay, self.save_replay = calls.replay, calls.save_replay
        self.hits, self.add_hit = calls.hits, calls.add_hit
        self._document_rows = rows = DocumentRows(self._transactions)
        self.document, self.documents = rows.document, rows.documents
        self.documents_after, self.trim_documents = rows.documents_after, rows.trim_documents
        self.save_document, self.delete_document = rows.save_document, rows.delete_document
        self._resource_rows = resources = ResourceRows(self._transactions, redactor)
        self.resource, self.resources = resources.resource, resources.resources
        self.newest_child, self.running_jobs = resources.newest_child, resources.running_jobs
        self.jobs, self.jobs_called = resources.jobs, resources.jobs_called
        self.add_resource, self.save_resource = resources.add, resources.save
        self.delete_resource = resources.delete
        self._account_rows = accounts = AccountRows(self._transactions)
        self.account, self.accounts = accounts.account, accounts.accounts
        self.add_account, self.set_tier = accounts.add, accounts.set_tier
        self.move_credits = accounts.move_credits
        self._key_rows = keys = KeyRows(self._transactions)
        self.key, self.keys, self.add_key = keys.key, keys.keys, keys.add
        self.deactivate_key, self.note_use = keys.deactivate, keys.note_use
        self.has_active_key = keys.has_active
        self._write, self._all = self._transactions.write, self._transactions.all
        self._one = self._transactions.one
        self._journal = JournalRows(self._transactions)
        # What every request asks for and few change: kept until a write to it, or a rollback.
        self._next: dict[str, Effect | None] = {}
        self._on_effect: Callable[[str, int], None] | None = None

    def close(self) -> None:
        """Write what is buffered and let go of the file."""
        with self.request():
            self.flush()
        self._transactions.close()

    def request(self) -> AbstractContextManager[None]:
        """One unit of work: committed on the way out, rolled back when an exception passes."""
        return self._transactions.request()

    def attempt(self) -> AbstractContextManager[None]:
        """Undo what is written inside when an exception passes; what was before it stays."""
        return self._transactions.attempt()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call *act* once what is written here is committed and the lock is free; else never."""
        self._transactions.after_commit(act)

    def _keep(self) -> None:
        self._counters.write()

    def _forget(self) -> None:
        self._counters.forget()
        self._next.clear()
        self._document_rows.forget()
        self._account_rows.forget()
        self._key_rows.forget()
        self._resource_rows.forget()

    def watch_effects(self, watcher: Callable[[str, int], None]) -> None:
        """Call *watcher* with (world, due_ms) of each effect as it is added."""
        self._on_effect = watcher

    # Worlds

    def worlds(self) -> list[tuple[str, int, Json]]:
        """(id, seed, document) of every world."""
        rows = self._all("SELECT id, seed, doc FROM world ORDER BY id")
        return [(id_, seed, orjson.loads(doc)) for id_, seed, doc in rows]

    def save_world(self, world: str, seed: int, doc: Json) -> None:
        self._write(
            "INSERT INTO world VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET seed = excluded.seed, doc = excluded.doc",
            (world, seed, orjson.dumps(doc)),
        )

    def clear_world(self, world: str) -> None:
        """Delete every row of *world* but its own."""
        self._key_rows.flush()
        self._journal.forget(world)
        self._counters.write()
        self._forget()
        for table in TABLES_OF_A_WORLD:
            self._write(f"DELETE FROM {table} WHERE world = ?", (world,))

    def delete_world(self, world: str) -> None:
        self.clear_world(world)
        self._write("DELETE FROM snapshot WHERE world = ?", (world,))
        self._write("DELETE FROM world WHERE id = ?", (world,))

    # Money

    def add_entry(self, world: str, entry: Entry) -> None:
        self._write(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                world,
                entry.seq,
                entry.account,
                entry.at_ms,
                entry.kind,
                entry.amount,
                entry.job,
                entry.request,
            ),
        )

    def entries(
        self,
        world: str,
        account: str,
        job: str | None = None,
        *,
        after_seq: int = 0,
        limit: int = -1,
    ) -> list[Entry]:
        """Ledger lines of an account, oldest first; of one *job* when given. *limit* -1 is none."""
        # The planner would scan the world's whole ledger by primary key for the order alone.
        index, where, values = "entry_of_account", "", [world, account, after_seq]
        if job is not None:
            index, where, values = "entry_of_job", "AND job = ?", [*values, job]
        rows = self._all(
            "SELECT seq, account, at_ms, kind, amount, job, request FROM entry"
            f" INDEXED BY {index} WHERE world = ? AND account = ? AND seq > ? {where}"
            " ORDER BY seq LIMIT ?",
            [*values, limit],
        )
        return [Entry(*row) for row in rows]

    # What is due, and what happened

    def add_effect(self, world: str, effect: Effect) -> None:
        if world in self._next:
            first = self._next[world]
            if first is None or (effect.due_ms, effect.seq) < (first.due_ms, first.seq):
                self._next[world] = effect
        self._write(
            "INSERT INTO effect VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                world,
                effect.due_ms,
                effect.seq,
                effect.kind,
                effect.subject,
                effect.step,
                effect.label,
            ),
        )
        if self._on_effect is not None:
            self._on_effect(world, effect.due_ms)

    def next_effect(self, world: str) -> Effect | None:
        """What is due first."""
        if world in self._next:
            return self._next[world]
        row = self._one(
            "SELECT seq, due_ms, kind, subject, step, label FROM effect WHERE world = ?"
            " ORDER BY due_ms, seq LIMIT 1",
            (world,),
        )
        found = self._next[world] = Effect(*row) if row else None
        return found

    def next_of_kind(self, world: str, kind: str) -> Effect | None:
        """The effect of a *kind* that is due first."""
        row = self._one(
            "SELECT seq, due_ms, kind, subject, step, label FROM effect WHERE world = ?"
            " AND kind = ? ORDER BY due_ms, seq LIMIT 1",
            (world, kind),
        )
        return Effect(*row) if row else None

    def pending_count(self, world: str) -> int:
        row = self._one("SELECT COUNT(*) FROM effect WHERE world = ?", (world,))
        return int(row[0]) if row else 0

    def remove_effect(self, world: str, effect: Effect) -> None:
        self._next.pop(world, None)
        self._write(
            "DELETE FROM effect WHERE world = ? AND due_ms = ? AND seq = ?",
            (world, effect.due_ms, effect.seq),
        )

    def cancel_effects(self, world: str, subject: str) -> None:
        self._next.pop(world, None)
        self._write("DELETE FROM effect WHERE world = ? AND subject = ?", (world, subject))

    def add_event(self, world: str, event: Event) -> None:
        self._write(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            (world, event.seq, event.at_ms, event.type, event.subject, orjson.dumps(event.doc)),
        )
        if event.seq % 1_024 == 0:
            self._write(
                "DELETE FROM event WHERE world = ? AND seq <= ?", (world, event.seq - EVENTS_MAX)
            )

    def events(
        self, world: str, *, since: int, limit: int, type_: str | None = None
    ) -> list[Event]:
        """Events after number *since*, oldest first."""
        where, values = ("AND type = ?", [type_]) if type_ is not None else ("", [])
        rows = self._all(
            "SELECT seq, at_ms, type, subject, doc FROM event"
            f" WHERE world = ? AND seq > ? {where} ORDER BY seq LIMIT ?",
            [world, since, *values, limit],
        )
        return [
            Event(seq, at_ms, label, subject, orjson.loads(doc))
            for seq, at_ms, label, subject, doc in rows
        ]

    def last_event_seq(self, world: str) -> int:
        """The number of the newest event; 0 before the first."""
        row = self._one("SELECT MAX(seq) FROM event WHERE world = ?", (world,))
        return int(row[0] or 0) if row else 0

    # Journal

    def add_journal(self, world: str, head: Head, document: Document) -> None:
        """Keep a line of the journal; lines are written in batches where nothing is lost by it."""
        if self._journal.add(world, head, document):
            self.flush()

    def flush(self) -> None:
        """Write what was buffered."""
        self._key_rows.flush()
        self._journal.flush()

    def journal(
        self, world: str, *, after: int, limit: int, filters: Mapping[str, str | int]
    ) -> list[tuple[int, Json]]:
        """(number, line) after number *after*, oldest first.

        *filters* compare `provider`, `operation`, `status`, and `code`, that of any finding.
        """
        self.flush()
        return self._journal.lines(world, after, limit, filters)

    def journal_line(self, world: str, seq: int) -> Json | None:
        self.flush()
        return self._journal.line(world, seq)

    def last_journal_seq(self, world: str) -> int:
        return self._journal.last_seq(world)

    # Snapshots

    def tables_of_a_world(self) -> Tables:
        """The tables that a snapshot holds, with their columns but the world's."""
        return tables_of_a_world(self._transactions)

    def dump_world(self, world: str) -> Iterator[tuple[str, Iterable[str], Row]]:
        """(table, columns, row) of everything in *world*, in a fixed order."""
        self.flush()
        self._counters.write()
        yield from dump_world(self._transactions, world)

    def load_world(self, world: str, rows: Iterable[tuple[str, Sequence[Any]]]) -> None:
        """Put (table, row) lines into *world*, which is empty."""
        self._counters.write()
        self._forget()
        load_world(self._transactions, world, rows)

    def save_snapshot(self, world: str, name: str, created_ms: int, document: bytes) -> None:
        self._write(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?)",
            (world, name, created_ms, document),
        )

    def snapshot(self, world: str, name: str) -> bytes | None:
        row = self._one("SELECT doc FROM snapshot WHERE world = ? AND name = ?", (world, name))
        return bytes(row[0]) if row else None

    def snapshots(self, world: str) -> list[tuple[str, int, int]]:
        """(name, instant, size in bytes) of each snapshot of *world*, by name."""
        rows = self._all(
            "SELECT name, created_ms, LENGTH(doc) FROM snapshot WHERE world = ? ORDER BY name",
            (world,),
        )
        return [(name, created_ms, size) for name, created_ms, size in rows]

    def delete_snapshot(self, world: str, name: str) -> bool:
        cursor = self._write("DELETE FROM snapshot WHERE world = ? AND name = ?", (world, name))
        return cursor.rowcount == 1

"""The store on SQLite: one connection and one lock for the whole process.

Readers gain nothing from more connections under the interpreter's lock, and one connection makes
the deferred-upgrade and WAL-reset faults of several writers impossible. `request()` is the unit of
work: it holds the lock, opens a write transaction at the first write, and commits at the end.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from ..errors import MockError
from ..lifecycle import Script
from ..rows import Account, Effect, Entry, Event, Key, Resource

Json = Any
Row = tuple[Any, ...]

SCHEMA_VERSION = 1
JOURNAL_MAX = 10_000
EVENTS_MAX = 50_000
# Read-only requests leave their journal lines here until somebody writes or looks.
_BUFFERED_MAX = 200

_TABLES_OF_A_WORLD = (
    "counter",
    "account",
    "api_key",
    "entry",
    "resource",
    "effect",
    "event",
    "journal",
    "replay",
    "hit",
    "document",
)


class Store:
    """Rows of all worlds. Every method but `request` must be called inside `request()`."""

    def __init__(self, path: Path | None = None, *, durable: bool = False) -> None:
        """Open *path* (None for memory). *durable* survives a power cut, at a price per write.

        Raises:
            MockError: the file is not ours, is in use by another process, or cannot be written.
        """
        self.lock = threading.RLock()
        self._file_lock = _claim(path) if path is not None else None
        self._connection = _connect(path, durable=durable)
        self._is_writing = False
        self._depth = 0
        self._journal: list[Row] = []
        self._used: dict[str, int] = {}
        # What every request asks for and few change: kept until a write to it, or a rollback.
        self._next: dict[str, Effect | None] = {}
        self._documents: dict[tuple[str, str], list[bytes]] = {}
        self._promised: list[Callable[[], None]] = []
        self._on_effect: Callable[[str, int], None] | None = None

    def close(self) -> None:
        """Write what is buffered and let go of the file."""
        with self.request():
            self.flush()
        self._connection.close()
        if self._file_lock is not None:
            os.close(self._file_lock)

    @contextmanager
    def request(self) -> Generator[None, None, None]:
        """One unit of work: committed on the way out, rolled back when an exception passes."""
        promised: list[Callable[[], None]] = []
        with self.lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1 and self._is_writing:
                    self._undo("ROLLBACK")
                    self._is_writing = False
                raise
            else:
                if self._depth == 1 and self._is_writing:
                    self._connection.execute("COMMIT")
                    self._is_writing = False
                    promised, self._promised = self._promised, []
            finally:
                self._depth -= 1
                if self._depth == 0 and self._promised:
                    self._promised = []
        for act in promised:
            act()

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call *act* once what is written here is committed and the lock is free; else never."""
        assert self._is_writing, "there is nothing to commit"
        self._promised.append(act)

    def watch_effects(self, watcher: Callable[[str, int], None]) -> None:
        """Call *watcher* with (world, due_ms) of each effect as it is added."""
        self._on_effect = watcher

    @contextmanager
    def attempt(self) -> Generator[None, None, None]:
        """Undo what is written inside when an exception passes; what was before it stays."""
        is_nested, promised = self._is_writing, len(self._promised)
        if is_nested:
            self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            del self._promised[promised:]
            if is_nested:
                self._undo("ROLLBACK TO attempt")
                self._connection.execute("RELEASE attempt")
            elif self._is_writing:
                self._undo("ROLLBACK")
                self._is_writing = False
            raise
        else:
            if is_nested:
                self._connection.execute("RELEASE attempt")

    def _undo(self, sql: str) -> None:
        self._connection.execute(sql)
        self._next.clear()
        self._documents.clear()

    def _write(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        if not self._is_writing:
            assert self._depth, "writes belong into request()"
            self._connection.execute("BEGIN IMMEDIATE")
            self._is_writing = True
        return self._connection.execute(sql, values)

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

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
        self._journal = [row for row in self._journal if row[0] != world]
        self._next.clear()
        self._documents.clear()
        for table in _TABLES_OF_A_WORLD:
            self._write(f"DELETE FROM {table} WHERE world = ?", (world,))

    def delete_world(self, world: str) -> None:
        self.clear_world(world)
        self._write("DELETE FROM world WHERE id = ?", (world,))

    def count(self, world: str, name: str) -> int:
        """The next number of the counter *name*, from 1."""
        row = self._write(
            "INSERT INTO counter VALUES (?, ?, 1)"
            " ON CONFLICT (world, name) DO UPDATE SET value = value + 1 RETURNING value",
            (world, name),
        ).fetchone()
        return int(row[0])

    # Accounts and keys

    def add_account(self, world: str, account: Account) -> None:
        self._write(
            "INSERT INTO account VALUES (?, ?, ?, ?, 0, 0, 0, 0, ?)",
            (world, account.id, account.provider, account.tier, account.created_ms),
        )

    def account(self, world: str, account: str) -> Account | None:
        row = self._one(
            "SELECT id, provider, tier, granted, available, held, spent, created_ms"
            " FROM account WHERE world = ? AND id = ?",
            (world, account),
        )
        return Account(*row) if row else None

    def accounts(self, world: str) -> list[Account]:
        rows = self._all(
            "SELECT id, provider, tier, granted, available, held, spent, created_ms"
            " FROM account WHERE world = ? ORDER BY created_ms, id",
            (world,),
        )
        return [Account(*row) for row in rows]

    def set_tier(self, world: str, account: str, tier: str) -> None:
        self._write(
            "UPDATE account SET tier = ? WHERE world = ? AND id = ?", (tier, world, account)
        )

    def add_key(self, key: Key) -> None:
        self._write(
            "INSERT INTO api_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key.digest, key.world, key.account, key.provider, key.id, key.kind, key.name,
                key.prefix, int(key.is_active), key.created_ms, key.last_used_ms, key.seq,
            ),
        )  # fmt: skip

    def key(self, digest: str) -> Key | None:
        row = self._one("SELECT * FROM api_key WHERE digest = ?", (digest,))
        return _key(row) if row else None

    def keys(self, world: str, account: str, kind: str) -> list[Key]:
        """Keys of an account, oldest first, with their last use up to date."""
        self._flush_used()
        rows = self._all(
            "SELECT * FROM api_key WHERE world = ? AND account = ? AND kind = ? ORDER BY seq",
            (world, account, kind),
        )
        return [_key(row) for row in rows]

    def deactivate_key(self, digest: str) -> None:
        self._write("UPDATE api_key SET active = 0 WHERE digest = ?", (digest,))

    def note_use(self, digest: str, now_ms: int) -> None:
        """Remember when a key was used; written with the next write, or when keys are listed."""
        self._used[digest] = now_ms

    # Money

    def move_credits(
        self, world: str, account: str, granted: int, available: int, held: int, spent: int
    ) -> bool:
        """Add the four differences to the sums. False, and no change, if one would fall below 0."""
        cursor = self._write(
            "UPDATE account SET granted = granted + ?, available = available + ?,"
            " held = held + ?, spent = spent + ?"
            " WHERE world = ? AND id = ?"
            " AND available + ? >= 0 AND held + ? >= 0 AND spent + ? >= 0",
            (granted, available, held, spent, world, account, available, held, spent),
        )
        return cursor.rowcount == 1

    def add_entry(self, world: str, entry: Entry) -> None:
        self._write(
            "INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                world, entry.seq, entry.account, entry.at_ms, entry.kind, entry.amount,
                entry.job, entry.request,
            ),
        )  # fmt: skip

    def entries(self, world: str, account: str, job: str | None = None) -> list[Entry]:
        """Ledger lines of an account, oldest first; of one *job* when given."""
        # The planner would scan the world's whole ledger by primary key for the order alone.
        index, where, values = "entry_of_account", "", [world, account]
        if job is not None:
            index, where, values = "entry_of_job", "AND job = ?", [*values, job]
        rows = self._all(
            "SELECT seq, account, at_ms, kind, amount, job, request FROM entry"
            f" INDEXED BY {index} WHERE world = ? AND account = ? {where} ORDER BY seq",
            values,
        )
        return [Entry(*row) for row in rows]

    # Resources

    def add_resource(self, world: str, resource: Resource) -> None:
        self._write(
            "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                world, resource.provider, resource.kind, resource.id, resource.account,
                resource.parent, resource.seq, resource.created_ms, _ends_ms(resource),
                int(resource.is_running_slot), orjson.dumps(resource.doc), _script(resource),
            ),
        )  # fmt: skip

    def save_resource(self, world: str, resource: Resource) -> None:
        """Keep the document and the script of a resource that exists."""
        self._write(
            "UPDATE resource SET doc = ?, script = ?, ends_ms = ?"
            " WHERE world = ? AND provider = ? AND kind = ? AND id = ?",
            (
                orjson.dumps(resource.doc), _script(resource), _ends_ms(resource), world,
                resource.provider, resource.kind, resource.id,
            ),
        )  # fmt: skip

    def delete_resource(self, world: str, resource: Resource) -> None:
        self._write(
            "DELETE FROM resource WHERE world = ? AND provider = ? AND kind = ? AND id = ?",
            (world, resource.provider, resource.kind, resource.id),
        )

    def resource(self, world: str, provider: str, kind: str, id_: str) -> Resource | None:
        row = self._one(
            f"{_SELECT_RESOURCE} WHERE world = ? AND provider = ? AND kind = ? AND id = ?",
            (world, provider, kind, id_),
        )
        return _resource(row) if row else None

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
        rows = self._all(
            f"{_SELECT_RESOURCE} WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?",
            [*values, limit],
        )
        return [_resource(row) for row in rows]

    def newest_child(self, world: str, provider: str, kind: str, parent: str) -> Resource | None:
        row = self._one(
            f"{_SELECT_RESOURCE} WHERE world = ? AND provider = ? AND kind = ? AND parent = ?"
            " ORDER BY seq DESC LIMIT 1",
            (world, provider, kind, parent),
        )
        return _resource(row) if row else None

    def jobs(self, world: str, *, before_seq: int | None, limit: int) -> list[Resource]:
        """Resources with a script, newest first."""
        rows = self._all(
            f"{_SELECT_RESOURCE} WHERE world = ? AND script IS NOT NULL AND seq < ?"
            " ORDER BY seq DESC LIMIT ?",
            (world, before_seq if before_seq is not None else 2**62, limit),
        )
        return [_resource(row) for row in rows]

    def jobs_called(self, world: str, id_: str) -> list[Resource]:
        """Jobs whose id is *id_*, of any provider and kind; `_` may stand for the slashes in it."""
        rows = self._all(
            f"{_SELECT_RESOURCE} WHERE world = ? AND ? IN (id, REPLACE(id, '/', '_'))"
            " AND script IS NOT NULL",
            (world, id_),
        )
        return [_resource(row) for row in rows]

    def running_jobs(self, world: str, account: str, now_ms: int) -> list[Resource]:
        """Jobs of an account that hold a place now."""
        rows = self._all(
            f"{_SELECT_RESOURCE} INDEXED BY resource_running"
            " WHERE world = ? AND account = ? AND slot = 1 AND (ends_ms IS NULL OR ends_ms > ?)",
            (world, account, now_ms),
        )
        return [_resource(row) for row in rows]

    # What is due, and what happened

    def add_effect(self, world: str, effect: Effect) -> None:
        self._next.pop(world, None)
        self._write(
            "INSERT INTO effect VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                world, effect.due_ms, effect.seq, effect.kind, effect.subject, effect.step,
                effect.label,
            ),
        )  # fmt: skip
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

    def add_journal(
        self,
        world: str,
        seq: int,
        at_ms: int,
        provider: str,
        operation: str,
        status: int,
        doc: Json,
    ) -> None:
        """Keep a line of the journal; read-only requests are written in batches."""
        self._journal.append((world, seq, at_ms, provider, operation, status, doc))
        if self._is_writing or len(self._journal) >= _BUFFERED_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what was buffered."""
        self._flush_used()
        if not self._journal:
            return
        lines, self._journal = self._journal, []
        self._write("SELECT 1")
        self._connection.executemany(
            "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?, ?, ?, ?)",
            [(*line[:6], orjson.dumps(line[6])) for line in lines],
        )
        newest = {line[0]: line[1] for line in lines}
        for world, seq in newest.items():
            self._write(
                "DELETE FROM journal WHERE world = ? AND seq <= ?", (world, seq - JOURNAL_MAX)
            )

    def _flush_used(self) -> None:
        used, self._used = self._used, {}
        for digest, at_ms in used.items():
            self._write("UPDATE api_key SET last_used_ms = ? WHERE digest = ?", (at_ms, digest))

    def journal(
        self, world: str, *, after: int, limit: int, filters: dict[str, str | int]
    ) -> list[tuple[int, Json]]:
        """(number, line) after number *after*, oldest first. *filters* compare columns."""
        self.flush()
        assert filters.keys() <= {"provider", "operation", "status"}, filters
        where = "".join(f" AND {name} = ?" for name in filters)
        rows = self._all(
            f"SELECT seq, doc FROM journal WHERE world = ? AND seq > ?{where} ORDER BY seq LIMIT ?",
            [world, after, *filters.values(), limit],
        )
        return [(seq, orjson.loads(doc)) for seq, doc in rows]

    def journal_line(self, world: str, seq: int) -> Json | None:
        self.flush()
        row = self._one("SELECT doc FROM journal WHERE world = ? AND seq = ?", (world, seq))
        return orjson.loads(row[0]) if row else None

    def last_journal_seq(self, world: str) -> int:
        row = self._one("SELECT MAX(seq) FROM journal WHERE world = ?", (world,))
        return int(row[0] or 0) if row else 0

    # Idempotent replays and rate windows

    def replay(self, world: str, account: str, operation: str, key: str) -> Row | None:
        """(fingerprint, expires_ms, status, headers, body) stored under a key."""
        return self._one(
            "SELECT fingerprint, expires_ms, status, headers, body FROM replay"
            " WHERE world = ? AND account = ? AND operation = ? AND key = ?",
            (world, account, operation, key),
        )

    def save_replay(self, world: str, account: str, operation: str, key: str, row: Row) -> None:
        self._write(
            "INSERT OR REPLACE INTO replay VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (world, account, operation, key, *row),
        )

    def hits(self, world: str, bucket: str, since_ms: int) -> list[int]:
        """Instants of the accepted calls after *since_ms*, oldest first."""
        rows = self._all(
            "SELECT at_ms FROM hit WHERE world = ? AND bucket = ? AND at_ms > ? ORDER BY at_ms",
            (world, bucket, since_ms),
        )
        return [int(row[0]) for row in rows]

    def add_hit(self, world: str, bucket: str, at_ms: int, seq: int, forget_ms: int) -> None:
        """Count a call, and forget those up to *forget_ms*."""
        self._write(
            "DELETE FROM hit WHERE world = ? AND bucket = ? AND at_ms <= ?",
            (world, bucket, forget_ms),
        )
        self._write("INSERT INTO hit VALUES (?, ?, ?, ?)", (world, bucket, at_ms, seq))

    # Small documents

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
        row = self._one(
            "SELECT doc FROM document WHERE world = ? AND kind = ? AND id = ?", (world, kind, id_)
        )
        return orjson.loads(row[0]) if row else None

    def save_document(self, world: str, kind: str, id_: str, seq: int, doc: Json) -> None:
        self._documents.pop((world, kind), None)
        self._write(
            "INSERT INTO document VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (world, kind, id) DO UPDATE SET doc = excluded.doc",
            (world, kind, id_, seq, orjson.dumps(doc)),
        )

    def delete_document(self, world: str, kind: str, id_: str) -> bool:
        self._documents.pop((world, kind), None)
        cursor = self._write(
            "DELETE FROM document WHERE world = ? AND kind = ? AND id = ?", (world, kind, id_)
        )
        return cursor.rowcount == 1


_SELECT_RESOURCE = (
    "SELECT provider, kind, id, account, parent, seq, created_ms, doc, script, slot FROM resource"
)


def _resource(row: Row) -> Resource:
    *head, doc, script, slot = row
    loaded = _read_script(script) if script is not None else None
    provider, kind, id_, account, parent, seq, created_ms = head
    return Resource(
        provider, kind, id_, account, parent, seq, created_ms,
        orjson.loads(doc), loaded, bool(slot),
    )  # fmt: skip


@lru_cache(maxsize=8_192)
def _read_script(raw: bytes) -> Script:
    """Polls read the same scripts over and over; a script is never changed in place."""
    return Script.from_json(orjson.loads(raw))


def _script(resource: Resource) -> bytes | None:
    return orjson.dumps(resource.script.to_json()) if resource.script is not None else None


def _ends_ms(resource: Resource) -> int | None:
    if resource.script is None or resource.script.ends_ms is None:
        return None
    return resource.created_ms + resource.script.ends_ms


def _key(row: Row) -> Key:
    *head, active, created_ms, last_used_ms, seq = row
    digest, world, account, provider, id_, kind, name, prefix = head
    return Key(
        digest, world, account, provider, id_, kind, name, prefix,
        bool(active), created_ms, last_used_ms, seq,
    )  # fmt: skip


def _connect(path: Path | None, *, durable: bool) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(
            str(path) if path is not None else ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        if path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and tables == 0:
            connection.executescript(Path(__file__).with_name("schema.sql").read_text())
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version != SCHEMA_VERSION:
            raise MockError(
                f"{path} has schema version {version}, this screentest reads {SCHEMA_VERSION}; "
                "name another file, or delete it"
            )
    except sqlite3.Error as error:
        raise MockError(f"cannot use {path} as a database: {error}") from None
    return connection


def _claim(path: Path) -> int | None:
    """Lock `PATH.lock` for this process; the lock goes when the process does."""
    with suppress(ImportError):
        import fcntl

        try:
            descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise MockError(f"cannot write beside {path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise MockError(
                f"{path} is in use by another screentest; stop it, or name another file"
            ) from None
        return descriptor
    return None

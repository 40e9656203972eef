"""Worlds in one SQLite file: a table for each kind of row, a transaction for each change set."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..kernel.errors import MockError
from ..kernel.rows import ROW_TYPES
from .keeper import ChangeSet, KeeperError, KeptRows, LocalKeeper

#: "Scrn", so that no other program's file is taken for one of ours.
APPLICATION_ID = 0x5363726E
SCHEMA_VERSION = 4
#: Rows that a world is loaded with at a time.
_PIECE = 5_000
#: What a reset of a world leaves.
_LASTING = frozenset({"snapshot", "world"})
#: Rows lie in the order in which they were first written, and are read in this order: rows that a
#: call made together stay together in memory, which halves the time of a load.
_CREATE = (
    "CREATE TABLE {0} (world TEXT NOT NULL, key TEXT NOT NULL, doc BLOB NOT NULL,"
    " UNIQUE (world, key))",
    "CREATE INDEX {0}_world ON {0} (world)",
)
_PUT = "INSERT INTO {} VALUES (?, ?, ?) ON CONFLICT (world, key) DO UPDATE SET doc = excluded.doc"


class SqliteKeeper(LocalKeeper):
    """Keeps the rows of all worlds in the file at *path*, which this process holds alone."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        """Open or create *path*. *durable* survives a power cut, and makes each change set slower.

        Raises:
            MockError: the file is not ours, is in use by another process, or cannot be written.
        """
        # A file may have several names; later checks look at this one.
        self._path = path.resolve()
        self._lock = threading.Lock()
        self._connection = _open(path, durable=durable)
        self._identity = _identity(self._path)

    def worlds(self) -> Iterable[tuple[str, bytes | None]]:
        # Worlds without a row of their own have counters at least.
        return self._read(
            "SELECT key, doc FROM world UNION ALL SELECT DISTINCT world, NULL FROM counter"
            " WHERE world NOT IN (SELECT key FROM world) ORDER BY 1",
        )

    def load(self, world_id: str) -> tuple[int, Iterable[KeptRows]]:
        return 0, self._rows(world_id)

    def _rows(self, world_id: str) -> Iterator[KeptRows]:
        """The rows of *world_id*, read in pieces: commits in other worlds come in between."""
        for table in ROW_TYPES:
            select = (
                f"SELECT rowid, doc FROM {table} INDEXED BY {table}_world"
                " WHERE world = ? AND rowid > ? ORDER BY rowid LIMIT ?"
            )
            last = 0
            while rows := self._read(select, (world_id, last, _PIECE)):
                yield table, [doc for _, doc in rows]
                last = rows[-1][0]

    def accounts(self) -> Iterable[bytes]:
        return [doc for (doc,) in self._read("SELECT doc FROM account")]

    def holder(self, digest: str) -> tuple[str, bytes] | None:
        found = self._read("SELECT world, doc FROM api_key WHERE key = ?", (digest,))
        return found[0] if found else None

    def _read(self, select: str, values: Sequence[object] = ()) -> list[Any]:
        try:
            with self._lock:
                return self._connection.execute(select, values).fetchall()
        except sqlite3.Error as error:
            raise KeeperError(str(error)) from error

    def ready(self) -> None:
        # Writes one page, so that a full disk and a read-only file are noticed.
        with self._lock, _Transaction(self._connection):
            self._check_file()
            self._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def commit(self, change_set: ChangeSet) -> None:
        world_id = change_set.world_id
        written: dict[str, list[tuple[str, str, bytes]]] = {}
        for table, key, doc in change_set.written():
            written.setdefault(table, []).append((world_id, key, doc))
        removed: dict[str, list[tuple[str, str]]] = {}
        for table, key in change_set.removed():
            removed.setdefault(table, []).append((world_id, key))
        with self._lock, _Transaction(self._connection):
            self._check_file()
            execute, many = self._connection.execute, self._connection.executemany
            for table in ROW_TYPES.keys() - _LASTING if change_set.is_cleared else ():
                execute(f"DELETE FROM {table} WHERE world = ?", (world_id,))
            for table, keys in removed.items():
                many(f"DELETE FROM {table} WHERE world = ? AND key = ?", keys)
            for table, rows in written.items():
                many(_PUT.format(table), rows)

    def delete(self, world_id: str) -> None:
        with self._lock, _Transaction(self._connection):
            self._check_file()
            for table in ROW_TYPES:
                self._connection.execute(f"DELETE FROM {table} WHERE world = ?", (world_id,))

    def close(self) -> None:
        """Close the file, with its log merged into it."""
        with self._lock:
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()

    def _check_file(self) -> None:
        """Raises unless the file is still in its place: writes to a deleted file are lost."""
        if _identity(self._path) != self._identity:
            raise KeeperError(f"{self._path} was deleted or replaced while it was in use")


class _Transaction:
    """`with` for one transaction of SQLite; every failure of it becomes a `KeeperError`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise KeeperError(str(error)) from error

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        failure = error
        if failure is None:
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as uncommitted:
                failure = uncommitted
        if failure is None:
            return
        # On a full disk SQLite has rolled back already.
        if self._connection.in_transaction:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
        if isinstance(failure, sqlite3.Error):
            raise KeeperError(str(failure)) from failure


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _open(path: Path, *, durable: bool) -> sqlite3.Connection:
    connection: sqlite3.Connection | None = None
    try:
        # Webhook secrets are in it. SQLite gives the files beside it the mode of this one.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            path, timeout=0, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        _prepare(connection, path, durable=durable)
    except OSError as error:
        raise MockError(f"cannot use {path} as a database: {error.strerror}") from None
    except sqlite3.OperationalError as error:
        _close(connection)
        if "locked" in str(error):
            raise MockError(
                f"{path} is in use by another screentest; stop it, or name another file"
            ) from None
        raise MockError(f"cannot use {path} as a database: {error}") from None
    except sqlite3.Error as error:
        _close(connection)
        raise MockError(f"cannot use {path} as a database: {error}") from None
    except MockError:
        _close(connection)
        raise
    return connection


def _close(connection: sqlite3.Connection | None) -> None:
    if connection is not None:
        connection.close()


def _prepare(connection: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    """Lock the file, and create its tables if it is new."""
    # The lock is on the file and not on its name: a link to it is refused as well. It is taken
    # before anything is read, because a server that is starting may be creating the tables.
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    is_new = _check_ours(connection, path)
    connection.execute("BEGIN EXCLUSIVE")
    if is_new and _check_ours(connection, path):
        for table in ROW_TYPES:
            for statement in _CREATE:
                connection.execute(statement.format(table))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("CREATE INDEX IF NOT EXISTS api_key_holder ON api_key (key)")
    # Before the write-ahead log exists, so that a copy of the file alone can be recognised.
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    with suppress(OSError):
        path.chmod(0o600)


def _check_ours(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is new. Reads only.

    Raises:
        MockError: another program, or another version of this one, has written it.
    """

    def number(pragma: str) -> int:
        return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])

    application, version = number("application_id"), number("user_version")
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if (application, version) == (APPLICATION_ID, SCHEMA_VERSION) and tables.issuperset(ROW_TYPES):
        return False
    if (application, version) == (0, 0) and not tables:
        return True
    if application == APPLICATION_ID:
        what = f"has schema version {version}, this screentest reads {SCHEMA_VERSION}"
    elif (application, version) == (0, 1) and "api_key" in tables:
        what = "was written by screentest 0.1, which kept its rows in another form"
    else:
        what = "is a database of another program"
    raise MockError(f"cannot use {path} as a database: it {what}; name another file, or delete it")

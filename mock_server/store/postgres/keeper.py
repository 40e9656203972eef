"""Keeps worlds in a PostgreSQL database, for any number of processes at the same time.

A transaction on a world locks its row in the table `world`, so two processes never have one world
at the same time; worlds never wait for each other. The time is the database's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from ..keeper import (
    Changes,
    ChangeSet,
    KeeperError,
    KeptRows,
    KeysInUseError,
    Seconds,
    WallClock,
    WorldGoneError,
)
from . import statements as sql
from .connections import CONNECT_S_MAX, CONNECTIONS_MAX, one, pool_of, prepare, words_of
from .listener import Listener

#: Rows that a world is loaded with at a time.
_PIECE = 10_000
#: How often the outcome of a commit is asked for whose connection broke.
_ASKED_MAX = 3

Connection = psycopg.Connection[Any]


class UnknownOutcomeError(KeeperError):
    """The connection broke during a commit, and the database cannot be asked for its outcome."""


class PostgresKeeper:
    """Keeps the rows of all worlds in the database at a URL."""

    is_shared = True
    is_lasting = True
    #: The class of the pool's connections.
    connection_class: type[Connection] = psycopg.Connection

    def __init__(self, url: str, *, seconds: Seconds) -> None:
        """Open the database at *url*, and create the tables in it if it has none.

        *seconds* reads a clock that never goes back.

        Raises:
            MockError: it cannot be reached, or its tables are of another version.
        """
        self._seconds = seconds
        self._commits = 0
        self._held: dict[str, Connection] = {}
        # The database's time, and ours then: as of any thread, and as of this thread's transaction.
        self._read: tuple[int, float] = (0, 0.0)
        self._local = threading.local()
        prepare(url)
        self._pool: ConnectionPool[Connection] = pool_of(url, self.connection_class)
        with self._borrowed() as connection:
            self._note_time(one(connection, sql.NOW))
            # Tells this process from all others, for as long as the database exists.
            self.number = int(one(connection, sql.NEW_WRITER))
            self._writer = str(self.number)
        self._listener = Listener(url, self._writer)

    # Reading

    def worlds(self) -> Iterable[tuple[str, bytes | None]]:
        return self._fetch(sql.WORLDS)

    def load(self, world_id: str) -> tuple[int, Iterable[KeptRows]]:
        held = self._held.get(world_id)
        if held is None:
            raise KeeperError(f"world {world_id!r} is not taken")
        with _errors():
            return one(held, sql.VERSION, world_id), self._rows(held, world_id)

    def _rows(self, connection: Connection, world_id: str) -> Iterator[KeptRows]:
        place = "", ""
        with _errors():
            while rows := connection.execute(sql.ROWS, (world_id, *place, _PIECE)).fetchall():
                for kind, group in groupby(rows, key=itemgetter(0)):
                    yield kind, [doc for _, _, doc in group]
                place = rows[-1][:2]

    def accounts(self) -> Iterable[bytes]:
        return [doc for (doc,) in self._fetch(sql.ACCOUNTS)]

    def holder(self, digest: str) -> tuple[str, bytes] | None:
        found = self._fetch(sql.HOLDER, (digest,))
        return found[0] if found else None

    def overdue(self) -> Sequence[str]:
        return [world for (world,) in self._fetch(sql.OVERDUE)]

    def ready(self) -> None:
        self._fetch(sql.NOW)

    # A transaction on a world

    def catch_up(self, world_id: str, version: int) -> Changes | None:
        if world_id in self._held:
            # The last call has left its transaction to this one.
            self._local.read = self._read
            return None
        for _ in range(CONNECTIONS_MAX):
            connection = self._connection()
            try:
                return self._taken(connection, world_id, version)
            except BaseException as error:
                self._let_go(connection)
                # Those that were closed while they were idle are discarded one by one.
                if not isinstance(error, psycopg.Error):
                    raise
                if not connection.closed:
                    raise KeeperError(words_of(error)) from error
        raise KeeperError("the database closes every connection")

    def _taken(self, connection: Connection, world_id: str, version: int) -> Changes | None:
        """Take *world_id* over *connection*, and read what others have changed in it."""
        begin = sql.TAKE_NEW if version == 0 else sql.TAKE
        taken = psycopg.ClientCursor(connection).execute(begin, {"world": world_id})
        while taken.nextset():
            """The last statement has the answer."""
        found = taken.fetchone()
        if found is None:
            raise WorldGoneError(world_id)
        now, trimmed, _, now_ms = found
        self._note_time(now_ms)
        changes = None
        if version < trimmed and version >= 0:
            changes = Changes(now, is_whole=False)
        elif 0 <= version < now:
            changes = _changes(connection, world_id, version, now)
        self._held[world_id] = connection
        return changes

    def commit(self, change_set: ChangeSet) -> None:
        connection = self._held.pop(change_set.world_id)
        self._commits += 1
        writer = f"{self._writer}/{self._commits}"
        try:
            self._write(connection, change_set, writer)
        except psycopg.OperationalError as error:
            self._let_go(connection)
            if not self._was_kept(change_set, writer):
                raise KeeperError(words_of(error)) from error
        except BaseException as error:
            self._let_go(connection)
            if isinstance(error, psycopg.Error):
                raise KeeperError(words_of(error)) from error
            raise
        else:
            self._pool.putconn(connection)

    def _write(self, connection: Connection, change_set: ChangeSet, commit: str) -> None:
        world_id, written = change_set.world_id, [*change_set.written()]
        removed = [*change_set.removed()]
        values = {
            "world": world_id,
            "version": change_set.version,
            "is_cleared": change_set.is_cleared,
            "kinds": [kind for kind, _, _ in written],
            "keys": [key for _, key, _ in written],
            "docs": [doc for _, _, doc in written],
            "gone_kinds": [kind for kind, _ in removed],
            "gone_keys": [key for _, key in removed],
            "commit": commit,
            "writer": self._writer,
            "due_ms": change_set.due_ms,
            "promise": "off" if change_set.is_soft else "on",
        }
        added = [key for kind, key, _ in written if kind == "api_key"]
        revoked = [key for kind, key in removed if kind == "api_key"]
        if change_set.is_cleared:
            connection.execute(sql.CLEAR, (world_id,))
            connection.execute(sql.CLEAR_HOLDERS, (world_id,))
        if revoked:
            connection.execute(sql.REMOVE_HOLDERS, (revoked, world_id))
        if added:
            held = connection.execute(sql.ADD_HOLDERS, {"world": world_id, "digests": added})
            if held.rowcount < len(added):
                other = connection.execute(sql.OTHER_HOLDER, (added, world_id)).fetchone()
                raise KeysInUseError(other[0] if other else "")
        if change_set.version % sql.TRIMMED_EVERY == 0:
            trimmed = change_set.version - sql.LOG_MAX
            connection.execute(sql.TRIM, {"world": world_id, "trimmed": max(0, trimmed)})
        psycopg.ClientCursor(connection).execute(sql.KEEP, values)

    def _was_kept(self, change_set: ChangeSet, writer: str) -> bool:
        """Whether a commit was carried out whose connection broke before the answer.

        The row is locked until the database has ended that transaction one way or the other.

        Raises:
            UnknownOutcomeError: the database cannot be reached.
        """
        for _ in range(_ASKED_MAX):
            with suppress(psycopg.Error, KeeperError), self._borrowed() as connection:
                cursor = psycopg.ClientCursor(connection)
                found = cursor.execute(sql.READ_LOCKED, {"world": change_set.world_id}).fetchone()
                return found is not None and found[2] == writer
        raise UnknownOutcomeError("the database went away during the commit")

    def release(self, world_id: str) -> None:
        connection = self._held.pop(world_id, None)
        if connection is None:
            return
        try:
            connection.execute("ROLLBACK")
        except psycopg.Error:
            # It changed nothing, so nothing is lost with it.
            self._let_go(connection)
        else:
            self._pool.putconn(connection)

    def delete(self, world_id: str) -> None:
        connection = self._held.pop(world_id)
        try:
            with connection.pipeline():
                for statement in sql.DELETE_WORLD:
                    connection.execute(statement, (world_id,))
                connection.execute(sql.NOTIFY, (f"{self._writer} {world_id}",))
                connection.execute("COMMIT")
        except psycopg.Error as error:
            self._let_go(connection)
            raise KeeperError(words_of(error)) from error
        self._pool.putconn(connection)

    # Time

    def clock(self, wall_ms: WallClock) -> WallClock:
        """The database's clock, as this process last read it, and the time that has passed since.

        In a transaction it is that transaction's reading: the next one, in whatever process, reads
        a later time.
        """
        return self._now_ms

    def _now_ms(self) -> int:
        at_ms, at_s = getattr(self._local, "read", None) or self._read
        return at_ms + int((self._seconds() - at_s) * 1_000)

    def _note_time(self, now_ms: int) -> None:
        self._local.read = self._read = now_ms, self._seconds()

    # Connections

    def listen(self, listener: Callable[[str], None]) -> None:
        self._listener.listen(listener)

    def close(self) -> None:
        self._listener.close()
        self._pool.close()

    def _connection(self) -> Connection:
        try:
            return self._pool.getconn(CONNECT_S_MAX)
        except (PoolClosed, PoolTimeout) as error:
            raise KeeperError("the database cannot be reached") from error

    @contextmanager
    def _borrowed(self) -> Generator[Connection]:
        connection = self._connection()
        try:
            yield connection
        finally:
            self._let_go(connection)

    def _let_go(self, connection: Connection) -> None:
        """Give *connection* back, whatever state it is in; nothing of its transaction stays."""
        with suppress(psycopg.Error):
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute("ROLLBACK")
        self._pool.putconn(connection)

    def _fetch(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        for _ in range(CONNECTIONS_MAX):
            with _errors(), self._borrowed() as connection:
                try:
                    return connection.execute(statement.encode(), values).fetchall()
                except psycopg.OperationalError:
                    if not connection.closed:
                        raise
        raise KeeperError("the database closes every connection")


def _changes(connection: Connection, world_id: str, version: int, now: int) -> Changes:
    """What has changed in *world_id* after *version*."""
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(sql.CHANGES, {"world": world_id, "version": version})
    is_cleared = cursor.fetchall() != [(None,)]
    cursor.nextset()
    rows = cursor.fetchall()
    return Changes(
        now,
        is_cleared=is_cleared,
        written=[(kind, key, doc) for kind, key, doc in rows if doc is not None],
        removed=[(kind, key) for kind, key, doc in rows if doc is None],
    )


@contextmanager
def _errors() -> Generator[None]:
    """Turns what the driver raises into what a keeper raises."""
    try:
        yield
    except psycopg.Error as error:
        raise KeeperError(words_of(error)) from error

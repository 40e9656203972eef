"""One connection, one lock, one transaction at a time: the unit of work of the whole process."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..kernel.errors import MockError

Row = tuple[Any, ...]

SCHEMA_VERSION = 1
#: A lock file that is removed again and again while it is opened: somebody else is busy there.
_CLAIMS_MAX = 10


class _Leave(Protocol):
    def __call__(self, *, failed: bool) -> None: ...


class Transactions:
    """The database file, and who may write to it when."""

    def __init__(
        self,
        path: Path | None,
        *,
        durable: bool,
        on_keep: Callable[[], None],
        on_undo: Callable[[], None],
    ) -> None:
        """Open *path* (None for memory).

        *on_keep* is called before every commit and savepoint, to write what is still in memory;
        *on_undo* after every rollback.

        Raises:
            MockError: the file is not ours, is in use by another process, or cannot be written.
        """
        self.lock = threading.RLock()
        self._claim = _claim(path) if path is not None else None
        try:
            self._connection = _connect(path, durable=durable)
        except MockError:
            if self._claim is not None:
                self._claim.abandon()
            raise
        self._on_keep = on_keep
        self._on_undo = on_undo
        self.is_kept = path is not None
        self.is_writing = False
        self._depth = 0
        self._promised: list[Callable[[], None]] = []
        self._unit = _Unit(self._enter, self._leave)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self._claim is not None:
            self._claim.release()

    def request(self) -> AbstractContextManager[None]:
        """One unit of work: committed on the way out, rolled back when an exception passes."""
        return self._unit

    def _enter(self) -> None:
        self.lock.acquire()
        self._depth += 1

    def _leave(self, *, failed: bool) -> None:
        promised: list[Callable[[], None]] = []
        try:
            if self._depth == 1 and self.is_writing:
                promised = self._finish(failed=failed)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._promised = []
            self.lock.release()
        for act in promised:
            act()

    def _finish(self, *, failed: bool) -> list[Callable[[], None]]:
        """Commit and return what was promised for then; or undo, also when that cannot be done."""
        try:
            if failed:
                return []
            self._on_keep()
            self._connection.execute("COMMIT")
            return self._promised
        finally:
            if self._connection.in_transaction:
                self._undo("ROLLBACK")
            self.is_writing = False

    def after_commit(self, act: Callable[[], None]) -> None:
        """Call *act* once what is written here is committed and the lock is free; else never."""
        assert self.is_writing, "there is nothing to commit"
        self._promised.append(act)

    @contextmanager
    def attempt(self) -> Generator[None, None, None]:
        """Undo what is written inside when an exception passes; what was before it stays."""
        is_nested, promised = self.is_writing, len(self._promised)
        if is_nested:
            self._on_keep()
            self._connection.execute("SAVEPOINT attempt")
        try:
            yield
        except BaseException:
            del self._promised[promised:]
            if is_nested:
                self._undo("ROLLBACK TO attempt")
                self._connection.execute("RELEASE attempt")
            elif self.is_writing:
                self._undo("ROLLBACK")
                self.is_writing = False
            raise
        else:
            if is_nested:
                self._connection.execute("RELEASE attempt")

    def _undo(self, sql: str) -> None:
        self._connection.execute(sql)
        self._on_undo()

    def write(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement that changes something; the first one opens the transaction."""
        self.begin()
        return self._connection.execute(sql, values)

    def write_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of *rows*."""
        self.begin()
        self._connection.executemany(sql, rows)

    def begin(self) -> None:
        """Open the transaction, if it is not open yet."""
        if not self.is_writing:
            assert self._depth, "writes belong into request()"
            self._connection.execute("BEGIN IMMEDIATE")
            self.is_writing = True

    def all(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Every row that a query finds."""
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, values: Sequence[Any] = ()) -> Row | None:
        """The first row that a query finds."""
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row


class _Unit:
    """`with` for one request after another; made of a generator it would cost every poll more."""

    def __init__(self, enter: Callable[[], None], leave: _Leave) -> None:
        self._enter, self._leave = enter, leave

    def __enter__(self) -> None:
        self._enter()

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        self._leave(failed=kind is not None)


def _connect(path: Path | None, *, durable: bool) -> sqlite3.Connection:
    try:
        if path is not None:
            # Webhook secrets are in it. SQLite gives the files beside it the mode of this one.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            str(path) if path is not None else ":memory:",
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
        is_new = version == 0 and tables == 0
        if not is_new and version != SCHEMA_VERSION:
            raise MockError(
                f"{path} has schema version {version}, this screentest reads {SCHEMA_VERSION}; "
                "name another file, or delete it"
            )
        # Not before it is known that the file is ours: this writes to it.
        if path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        if is_new:
            connection.executescript(Path(__file__).with_name("schema.sql").read_text())
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except OSError as error:
        raise MockError(f"cannot use {path} as a database: {error.strerror}") from None
    except sqlite3.Error as error:
        raise MockError(f"cannot use {path} as a database: {error}") from None
    return connection


@dataclass(frozen=True, slots=True)
class _Claim:
    """The lock on *file*, held by an open *descriptor*; it goes when the process does."""

    file: Path
    descriptor: int
    is_new: bool

    def release(self) -> None:
        """Let others have the lock. The file stays, for whoever waits at it."""
        os.close(self.descriptor)

    def abandon(self) -> None:
        """Release, and leave no file behind that was not there before.

        It goes while the lock is held: whoever has opened it already finds that out in `_claim`.
        """
        if self.is_new:
            self.file.unlink(missing_ok=True)
        self.release()


def _claim(path: Path) -> _Claim | None:
    """Lock `PATH.lock` for this process; None where the system has no such locks.

    Raises:
        MockError: another process has it, or nothing can be written there.
    """
    try:
        import fcntl
    except ImportError:
        return None
    file = Path(f"{path}.lock")
    for _ in range(_CLAIMS_MAX):
        try:
            descriptor, is_new = _open_lock(file)
        except OSError as error:
            raise MockError(f"cannot write beside {path}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            break
        if _is_still_there(file, descriptor):
            return _Claim(file, descriptor, is_new)
        os.close(descriptor)
    raise MockError(f"{path} is in use by another screentest; stop it, or name another file")


def _open_lock(file: Path) -> tuple[int, bool]:
    """A descriptor of *file*, and whether this call made it."""
    with suppress(FileExistsError):
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), True
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600), False


def _is_still_there(file: Path, descriptor: int) -> bool:
    """Whether *file* is what *descriptor* has open, and not one that was made after it was gone."""
    try:
        return os.path.samestat(os.fstat(descriptor), file.stat())
    except FileNotFoundError:
        return False

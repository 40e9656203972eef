"""The choice of a keeper: none, a SQLite file, or a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from ..kernel.errors import MockError
from ..store.database_urls import is_database_url
from ..store.keeper import Keeper, MemoryKeeper
from ..store.sqlite_keeper import SqliteKeeper
from .wall_clock import monotonic_s


def open_keeper(database: Path | str | None) -> Keeper:
    """The keeper for the file or URL *database*; None keeps nothing beyond this process.

    Raises:
        MockError: it cannot be used.
    """
    if database is None:
        return MemoryKeeper()
    if not is_database_url(database):
        return SqliteKeeper(Path(database))
    try:
        from ..store.postgres.keeper import PostgresKeeper
    except ImportError as error:
        raise MockError(
            f"--db postgresql:// needs the extra 'postgres' ({error}): "
            "pip install 'screentest[postgres]'"
        ) from None
    return PostgresKeeper(str(database), seconds=monotonic_s)

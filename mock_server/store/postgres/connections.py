"""Connections to a PostgreSQL database, and its tables when they are first needed."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from ...kernel.errors import MockError
from ..database_urls import shown_database
from . import statements as sql

#: A call waits so long for a connection; then it is answered 503.
CONNECT_S_MAX = 3.0
CONNECTIONS_MAX = 32
#: SQL_ASCII keeps the bytes that it gets.
_ENCODINGS = ("UTF8", "SQL_ASCII")
#: A process that stops in the middle of a transaction keeps its world for so long; others that wait
#: for the world give up before.
_OPTIONS = "-c lock_timeout=10s -c idle_in_transaction_session_timeout=30s"
_SETTINGS: dict[str, Any] = {
    "application_name": "screentest",
    "autocommit": True,
    # Without it, texts of a database with the encoding SQL_ASCII are bytes.
    "client_encoding": "UTF8",
    "connect_timeout": 3,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "options": _OPTIONS,
    # The driver would drop our prepared statements together with its own.
    "prepare_threshold": None,
}


def pool_of(
    url: str, connection_class: type[psycopg.Connection[Any]]
) -> ConnectionPool[psycopg.Connection[Any]]:
    """Connections to the database at *url*, opened when they are needed."""
    return ConnectionPool(
        url,
        connection_class=connection_class,
        min_size=1,
        max_size=CONNECTIONS_MAX,
        kwargs=_SETTINGS,
        configure=_prepare_statements,
        open=True,
        timeout=CONNECT_S_MAX,
        # After this a new call begins to connect anew, and not after the pauses of a long outage.
        reconnect_timeout=CONNECT_S_MAX,
    )


def _prepare_statements(connection: psycopg.Connection[Any]) -> None:
    for statement in sql.PREPARE:
        connection.execute(statement.encode())


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection of its own to the database at *url*."""
    return psycopg.connect(url, **_SETTINGS)


def prepare(url: str) -> None:
    """Create the tables in the database at *url* if it has none.

    Raises:
        MockError: it cannot be reached, cannot hold every text, or has tables of another version.
    """
    try:
        with connect(url) as connection, connection.transaction():
            encoding = connection.info.parameter_status("server_encoding")
            if encoding not in _ENCODINGS:
                raise MockError(
                    f"cannot use {shown_database(url)} as a database: its encoding is {encoding}, "
                    "which cannot hold every text; create one with ENCODING 'UTF8'"
                )
            connection.execute(sql.LOCK_SCHEMA)
            if not one(connection, sql.FIND_SCHEMA):
                connection.execute(sql.CREATE.encode())
            version = one(connection, sql.READ_SCHEMA)
    except psycopg.Error as error:
        raise MockError(
            f"cannot use {shown_database(url)} as a database: {words_of(error)}"
        ) from None
    if version != sql.SCHEMA_VERSION:
        raise MockError(
            f"cannot use {shown_database(url)} as a database: it has schema version {version}, "
            f"this screentest reads {sql.SCHEMA_VERSION}; name another database, or drop the "
            "schema 'screentest' in it"
        )


def one(connection: psycopg.Connection[Any], statement: Any, *values: object) -> Any:
    """The one value that *statement* asks for."""
    found = connection.execute(statement, values).fetchone()
    assert found is not None, statement
    return found[0]


def words_of(error: Exception) -> str:
    """What *error* says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__

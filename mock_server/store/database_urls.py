"""URLs of PostgreSQL databases, without the driver."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

_SCHEMES = ("postgresql://", "postgres://")


def is_database_url(database: object) -> bool:
    """Whether *database* is the URL of a PostgreSQL database, and not a file."""
    return isinstance(database, str) and database.startswith(_SCHEMES)


def shown_database(database: object) -> str:
    """*database* as it may be printed: a URL without user, password and settings."""
    if not is_database_url(database):
        return str(database)
    parts = urlsplit(str(database))
    host = parts.netloc.rpartition("@")[2] or "".join(parse_qs(parts.query).get("host", [])[:1])
    return f"postgresql://{host}{parts.path}"

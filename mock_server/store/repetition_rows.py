"""What is kept of a call for the next one like it: stored answers, and instants in rate windows."""

from __future__ import annotations

from .transactions import Row, Transactions


class RepetitionRows:
    """Stored answers and counted calls of all worlds."""

    def __init__(self, transactions: Transactions) -> None:
        self._write, self._all, self._one = transactions.write, transactions.all, transactions.one

    def replay(self, world: str, account: str, operation: str, key: str) -> Row | None:
        """(fingerprint, expires_ms, status, headers, body) stored under a key."""
        return self._one(
            "SELECT fingerprint, expires_ms, status, headers, body FROM replay"
            " WHERE world = ? AND account = ? AND operation = ? AND key = ?",
            (world, account, operation, key),
        )

    def save_replay(self, world: str, account: str, operation: str, key: str, row: Row) -> None:
        """Keep *row*, as `replay` gives it back."""
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

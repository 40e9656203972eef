"""Credentials of all worlds. Every request asks for one and few change them, so they are kept."""

from __future__ import annotations

from ..kernel.rows import Key
from .transactions import Row, Transactions

_KEPT_MAX = 4_096


class KeyRows:
    """The keys of all worlds, by digest and by account."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._kept: dict[str, Key] = {}
        self._used: dict[str, int] = {}

    def forget(self) -> None:
        """Read everything anew."""
        self._kept.clear()

    def add(self, key: Key) -> None:
        self._transactions.write(
            "INSERT INTO api_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                key.digest,
                key.world,
                key.account,
                key.provider,
                key.id,
                key.kind,
                key.name,
                key.prefix,
                int(key.is_active),
                key.created_ms,
                key.last_used_ms,
                key.seq,
            ),
        )

    def key(self, digest: str) -> Key | None:
        """The key with *digest*; its last use may be out of date."""
        found = self._kept.get(digest)
        if found is None:
            row = self._transactions.one("SELECT * FROM api_key WHERE digest = ?", (digest,))
            if row is None:
                return None
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            found = self._kept[digest] = _read(row)
        return found

    def keys(self, world: str, account: str, kind: str) -> list[Key]:
        """Keys of an account, oldest first, with their last use up to date."""
        self.flush()
        rows = self._transactions.all(
            "SELECT * FROM api_key WHERE world = ? AND account = ? AND kind = ? ORDER BY seq",
            (world, account, kind),
        )
        return [_read(row) for row in rows]

    def has_active(self, world: str, account: str, kind: str) -> bool:
        """Whether some key of this *kind* still opens the account."""
        found = self._transactions.one(
            "SELECT 1 FROM api_key WHERE world = ? AND account = ? AND kind = ? AND active = 1",
            (world, account, kind),
        )
        return found is not None

    def deactivate(self, digest: str) -> None:
        self._kept.pop(digest, None)
        self._transactions.write("UPDATE api_key SET active = 0 WHERE digest = ?", (digest,))

    def note_use(self, digest: str, now_ms: int) -> None:
        """Remember when a key was used; written with the next write, or when keys are listed."""
        self._used[digest] = now_ms

    def flush(self) -> None:
        """Write the noted uses."""
        if self._used:
            used, self._used = self._used, {}
            self._transactions.write_many(
                "UPDATE api_key SET last_used_ms = ? WHERE digest = ?",
                [(at_ms, digest) for digest, at_ms in used.items()],
            )


def _read(row: Row) -> Key:
    *head, active, created_ms, last_used_ms, seq = row
    digest, world, account, provider, id_, kind, name, prefix = head
    return Key(
        digest,
        world,
        account,
        provider,
        id_,
        kind,
        name,
        prefix,
        bool(active),
        created_ms,
        last_used_ms,
        seq,
    )

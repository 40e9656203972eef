"""Accounts with their sums, their keys, and the ledger behind the sums."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from operator import attrgetter
from typing import Any

from msgspec.structs import replace

from ..kernel.errors import MockError
from ..kernel.rows import Account, Entry, Key, KeyUse
from .table import Log, Ordered, Table

_SETTLING = frozenset({"capture", "release", "refund"})


def keys_in_use(holder: str) -> MockError:
    """The error for keys that the world *holder* already has."""
    return MockError(
        f"the snapshot's keys belong to world {holder!r} of this mock; "
        "restore it there, or delete that world first",
        code="keys_in_use",
        status=409,
    )


class Accounts(Table[str, Account]):
    """The accounts of one world."""

    name = "account"

    def key_of(self, row: Account) -> str:
        return row.id

    def order_of(self, row: Account) -> tuple[int, int, str]:
        return row.created_ms, len(row.id), row.id

    def of_world(self) -> list[Account]:
        """All accounts, oldest first."""
        return list(self.rows.values())

    def set_tier(self, account: str, tier: str) -> None:
        self.put(replace(self.rows[account], tier=tier))

    def move(self, account: str, granted: int, available: int, held: int, spent: int) -> bool:
        """Add the four differences to the sums. False, and no change, if one would fall below 0."""
        row = self.rows[account]
        sums = row.available + available, row.held + held, row.spent + spent
        if min(sums) < 0:
            return False
        granted += row.granted
        new = Account(row.id, row.provider, row.tier, granted, *sums, row.created_ms, row.opening)
        self._change(account, row, new)
        return True


class Keys(Table[str, Key]):
    """The keys of one world by digest.

    *holders* maps the digest of a key to the id of the world that has it, over all worlds.
    """

    name = "api_key"

    def __init__(self, log: Log, holders: MutableMapping[str, str], holder: str) -> None:
        self._holders = holders
        self._holder = holder
        super().__init__(log)

    def key_of(self, row: Key) -> str:
        return row.digest

    def empty(self) -> None:
        for digest in self.rows:
            self._holders.pop(digest, None)
        super().empty()
        self._of_account: dict[str, list[str]] = {}

    def fill(self, contents: dict[str, Any]) -> None:
        self.empty()
        super().fill(contents)
        self._holders.update(dict.fromkeys(self.rows, self._holder))

    def index(self, before: Key | None, row: Key | None) -> None:
        if row is None and before is not None:
            self._of_account[before.account].remove(before.digest)
            self._holders.pop(before.digest, None)
        elif row is not None and before is None:
            self._of_account.setdefault(row.account, []).append(row.digest)
            self._holders[row.digest] = self._holder

    def order_of(self, row: Key) -> tuple[str, int]:
        return row.provider, row.seq

    def put(self, row: Key) -> None:
        """Add *row*, or replace the one with its digest.

        Raises:
            MockError: another world has this key.
        """
        holder = self._holders.get(row.digest, self._holder)
        if holder != self._holder:
            raise keys_in_use(holder)
        super().put(row)

    def of(self, account: str, kind: str) -> list[Key]:
        """Keys of an account, oldest first."""
        rows = [self.rows[digest] for digest in self._of_account.get(account, ())]
        return [it for it in rows if it.kind == kind]

    def has_active(self, account: str, kind: str) -> bool:
        """Whether any key of this *kind* still opens the account."""
        return any(it.is_active for it in self.of(account, kind))

    def deactivate(self, digest: str) -> None:
        self.put(replace(self.rows[digest], is_active=False))


class KeyUses(Table[str, KeyUse]):
    """When each key was used last."""

    name = "key_use"
    is_soft = True

    def key_of(self, row: KeyUse) -> str:
        return row.digest

    def last_ms(self, digest: str) -> int | None:
        """The instant of the last use; None before the first."""
        use = self.rows.get(digest)
        return use.at_ms if use is not None else None


class Entries(Table[int, Entry]):
    """The ledger lines of one world; never changed once they are committed."""

    name = "entry"
    is_numbered = True

    def empty(self) -> None:
        super().empty()
        self._of_account: Ordered[Entry] = Ordered()
        self._of_job: dict[str, tuple[Entry, ...]] = {}

    def key_of(self, row: Entry) -> int:
        return row.seq

    def load(self, rows: Iterable[Entry]) -> None:
        of_job = self._of_job
        for row in rows:
            self.rows[row.seq] = row
            if row.job is not None:
                of_job[row.job] = (*of_job.get(row.job, ()), row)
        self._of_account.load(self.rows.values(), attrgetter("account"))

    def put(self, row: Entry) -> None:
        """Add *row*.

        Raises:
            ValueError: the money of its job has been settled before.
        """
        if row.kind in _SETTLING and row.job is not None:
            kinds = {it.kind for it in self.of_job(row.account, row.job)}
            if kinds & _SETTLING:
                raise ValueError(f"job {row.job} settles twice")
        super().put(row)

    def index(self, before: Entry | None, row: Entry | None) -> None:
        known = row or before
        assert known is not None
        assert before is None or row is None, "a ledger entry is never changed"
        self._of_account.change(known.account, before, row)
        if known.job is None:
            return
        others = self._of_job.get(known.job, ())
        if row is not None:
            self._of_job[known.job] = (*others, row)
        elif len(others) > 1:
            self._of_job[known.job] = tuple(it for it in others if it is not before)
        else:
            del self._of_job[known.job]

    def of(self, account: str, *, after_seq: int = 0, limit: int | None = None) -> list[Entry]:
        """Ledger lines of *account*, oldest first."""
        return self._of_account.page(account, after_seq=after_seq, limit=limit)

    def of_job(self, account: str, job: str) -> Sequence[Entry]:
        """Ledger lines of *account* for *job*, oldest first."""
        return [it for it in self._of_job.get(job, ()) if it.account == account]

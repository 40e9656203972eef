"""Accounts of all worlds. Whatever costs something asks for one, so they are kept."""

from __future__ import annotations

from msgspec.structs import replace

from ..kernel.rows import Account
from .transactions import Transactions

_KEPT_MAX = 4_096
_SELECT = "SELECT id, provider, tier, granted, available, held, spent, created_ms FROM account"


class AccountRows:
    """The accounts of all worlds. What is handed out is not to be changed."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._kept: dict[tuple[str, str], Account] = {}

    def forget(self) -> None:
        """Read everything anew."""
        self._kept.clear()

    def add(self, world: str, account: Account) -> None:
        self._transactions.write(
            "INSERT INTO account VALUES (?, ?, ?, ?, 0, 0, 0, 0, ?)",
            (world, account.id, account.provider, account.tier, account.created_ms),
        )

    def account(self, world: str, account: str) -> Account | None:
        """The account called *account*."""
        place = (world, account)
        found = self._kept.get(place)
        if found is None:
            row = self._transactions.one(f"{_SELECT} WHERE world = ? AND id = ?", place)
            if row is None:
                return None
            if len(self._kept) >= _KEPT_MAX:
                self._kept.clear()
            found = self._kept[place] = Account(*row)
        return found

    def accounts(self, world: str) -> list[Account]:
        """All accounts of a world, oldest first."""
        rows = self._transactions.all(
            f"{_SELECT} WHERE world = ? ORDER BY created_ms, id", (world,)
        )
        return [Account(*row) for row in rows]

    def set_tier(self, world: str, account: str, tier: str) -> None:
        self._kept.pop((world, account), None)
        self._transactions.write(
            "UPDATE account SET tier = ? WHERE world = ? AND id = ?", (tier, world, account)
        )

    def move_credits(
        self, world: str, account: str, granted: int, available: int, held: int, spent: int
    ) -> bool:
        """Add the four differences to the sums. False, and no change, if one would fall below 0."""
        cursor = self._transactions.write(
            "UPDATE account SET granted = granted + ?, available = available + ?,"
            " held = held + ?, spent = spent + ?"
            " WHERE world = ? AND id = ?"
            " AND available + ? >= 0 AND held + ? >= 0 AND spent + ? >= 0",
            (granted, available, held, spent, world, account, available, held, spent),
        )
        if cursor.rowcount != 1:
            return False
        kept = self._kept.get((world, account))
        if kept is not None:
            self._kept[(world, account)] = replace(
                kept,
                granted=kept.granted + granted,
                available=kept.available + available,
                held=kept.held + held,
                spent=kept.spent + spent,
            )
        return True

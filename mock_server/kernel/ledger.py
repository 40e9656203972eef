"""Credits: integers, double entry, append-only.

A movement adds an entry, which never changes, and moves the account's sums in the same transaction:
granted == available + held + spent, always. A hold settles once and a charge is refunded once; the
store checks this as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from .errors import MockError
from .rows import CREDITS_MAX, Account, Entry


class Movement(Enum):
    """The kinds of entries, each with its effect on (granted, available, held, spent)."""

    # The effects keep granted == available + held + spent, so no movement can break it.
    GRANT = ("grant", (1, 1, 0, 0))
    WITHDRAW = ("withdraw", (-1, -1, 0, 0))
    HOLD = ("hold", (0, -1, 1, 0))
    RELEASE = ("release", (0, 1, -1, 0))
    CAPTURE = ("capture", (0, 0, -1, 1))
    CHARGE = ("charge", (0, -1, 0, 1))
    REFUND = ("refund", (0, 1, 0, -1))

    def __init__(self, label: str, signs: tuple[int, int, int, int]) -> None:
        self.label = label
        self.signs = signs


class _Accounts(Protocol):
    def get(self, key: str, /) -> Account | None: ...
    def move(self, account: str, granted: int, available: int, held: int, spent: int) -> bool: ...


class _Entries(Protocol):
    def put(self, row: Entry, /) -> None: ...
    def of_job(self, account: str, job: str) -> Sequence[Entry]: ...


class LedgerRows(Protocol):
    """The rows of a world that its ledgers need."""

    @property
    def accounts(self) -> _Accounts: ...
    @property
    def entries(self) -> _Entries: ...
    def count(self, name: str) -> int: ...


class Ledger:
    """The ledgers of one world. *request* numbers the call that caused a movement."""

    def __init__(self, rows: LedgerRows) -> None:
        self._rows = rows

    def set_available(self, account: str, amount: int, at_ms: int) -> None:
        """Grant or withdraw the difference, so that *amount* is available.

        Raises:
            MockError: *amount* is negative or more than 2^53-1.
        """
        if not 0 <= amount <= CREDITS_MAX:
            raise MockError(f"credits must be between 0 and {CREDITS_MAX}, got {amount}")
        difference = amount - self._sums(account).available
        # An entry for the difference, so that the entries still add up to the balance.
        movement = Movement.GRANT if difference > 0 else Movement.WITHDRAW
        self._move(movement, account, abs(difference), at_ms, None, None)

    def hold(self, account: str, amount: int, at_ms: int, job: str, request: int | None) -> bool:
        """Hold *amount* for *job*. False, and no change, if less is available."""
        return self._move(Movement.HOLD, account, amount, at_ms, job, request)

    def charge(
        self, account: str, amount: int, at_ms: int, job: str | None, request: int | None
    ) -> bool:
        """Charge *amount* at once. False, and no change, if less is available."""
        return self._move(Movement.CHARGE, account, amount, at_ms, job, request)

    def settle(self, account: str, job: str, at_ms: int, *, succeeded: bool) -> None:
        """Settle the credits of a job: capture or release its hold, keep or refund its charge.

        A second call changes nothing.
        """
        lines = {line.kind: line.amount for line in self._rows.entries.of_job(account, job)}
        # A provider's module may settle a job before its last step, which then must not.
        if lines.keys() & {"capture", "release", "refund"}:
            return
        held, charged = lines.get("hold", 0), lines.get("charge", 0)
        if held:
            # What is held can always be moved on, so a failure here is ours and not a refusal.
            movement = Movement.CAPTURE if succeeded else Movement.RELEASE
            assert self._move(movement, account, held, at_ms, job, None)
        elif charged and not succeeded:
            assert self._move(Movement.REFUND, account, charged, at_ms, job, None)

    def charge_what_is_there(self, account: str, amount: int, at_ms: int, job: str) -> int:
        """Charge *amount*, or less if less is available; returns what was charged."""
        taken = min(amount, self._sums(account).available)
        self._move(Movement.CHARGE, account, taken, at_ms, job, None)
        return taken

    def refunded(self, account: str, job: str) -> int:
        """The credits that were released or refunded for *job*."""
        lines = self._rows.entries.of_job(account, job)
        return sum(line.amount for line in lines if line.kind in {"refund", "release"})

    def _sums(self, account: str) -> Account:
        sums = self._rows.accounts.get(account)
        assert sums is not None, account
        return sums

    def _move(
        self,
        movement: Movement,
        account: str,
        amount: int,
        at_ms: int,
        job: str | None,
        request: int | None,
    ) -> bool:
        assert 0 <= amount <= CREDITS_MAX, amount
        # An entry without an amount would be a line that no statement of a provider shows.
        if amount == 0:
            return True
        granted, available, held, spent = (sign * amount for sign in movement.signs)
        # The sums first: they refuse what is not available, and then there is no entry either.
        if not self._rows.accounts.move(account, granted, available, held, spent):
            return False
        seq = self._rows.count("entry")
        self._rows.entries.put(Entry(seq, account, at_ms, movement.label, amount, job, request))
        return True

"""The balances of a world against the lines of its ledger."""

from __future__ import annotations

from screentest.mock_server.store.working_set import WorkingSet

_SIGNS = {
    "grant": (1, 1, 0, 0),
    "withdraw": (-1, -1, 0, 0),
    "hold": (0, -1, 1, 0),
    "release": (0, 1, -1, 0),
    "capture": (0, 0, -1, 1),
    "charge": (0, -1, 0, 1),
    "refund": (0, 1, 0, -1),
}


def check_sums(rows: WorkingSet) -> None:
    """Raises unless each account has what its ledger adds up to."""
    with rows.transaction():
        for account in rows.accounts.of_world():
            sums = [*account.opening]
            for entry in rows.entries.of(account.id):
                for place, sign in enumerate(_SIGNS[entry.kind]):
                    sums[place] += sign * entry.amount
            assert sums == [account.granted, account.available, account.held, account.spent]

"""Money: every line moves the four sums as it says, and nothing is ever lost or made."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from screentest.mock_server.kernel.ledger import Ledger
from screentest.mock_server.kernel.rows import Account
from screentest.mock_server.store.store import Store


class LedgerMachine(RuleBasedStateMachine):
    """The ledger against a model of four integers and a list of open jobs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = Store().add("w")
        with self.rows.transaction():
            self.rows.accounts.put(Account("a", "p", "default", 0, 0, 0, 0, 0))
        self.ledger = Ledger(self.rows)
        self.available = self.held = self.spent = self.granted = self.jobs = 0
        self.open: dict[str, tuple[str, int]] = {}

    def _job(self) -> str:
        self.jobs += 1
        return f"job_{self.jobs}"

    @rule(amount=st.integers(0, 50))
    def set_available(self, amount: int) -> None:
        with self.rows.transaction():
            self.ledger.set_available("a", amount, 1)
        self.granted += amount - self.available
        self.available = amount

    @rule(amount=st.integers(1, 20))
    def hold(self, amount: int) -> None:
        job = self._job()
        with self.rows.transaction():
            is_held = self.ledger.hold("a", amount, 2, job, None)
        assert is_held == (amount <= self.available)
        if is_held:
            self.available -= amount
            self.held += amount
            self.open[job] = ("hold", amount)

    @rule(amount=st.integers(1, 20))
    def charge(self, amount: int) -> None:
        job = self._job()
        with self.rows.transaction():
            is_paid = self.ledger.charge("a", amount, 3, job, None)
        assert is_paid == (amount <= self.available)
        if is_paid:
            self.available -= amount
            self.spent += amount
            self.open[job] = ("charge", amount)

    @rule(pick=st.randoms(use_true_random=False), succeeded=st.booleans(), times=st.integers(1, 3))
    def settle(self, pick: st.DataObject, succeeded: bool, times: int) -> None:  # noqa: FBT001
        if not self.open:
            return
        job = pick.choice(sorted(self.open))  # type: ignore[attr-defined]  # a Random
        kind, amount = self.open.pop(job)
        with self.rows.transaction():
            for _ in range(times):
                self.ledger.settle("a", job, 4, succeeded=succeeded)
        if kind == "hold":
            self.held -= amount
        if kind == "hold" and succeeded:
            self.spent += amount
        elif kind == "hold":
            self.available += amount
        elif not succeeded:
            self.spent -= amount
            self.available += amount

    @invariant()
    def nothing_is_lost(self) -> None:
        with self.rows.transaction():
            kept = self.rows.accounts.get("a")
        assert kept is not None
        sums = (kept.granted, kept.available, kept.held, kept.spent)
        assert sums == (self.granted, self.available, self.held, self.spent)
        assert kept.granted == kept.available + kept.held + kept.spent

    @invariant()
    def sums_are_the_fold_of_the_lines(self) -> None:
        with self.rows.transaction():
            lines = self.rows.entries.of("a")
        total = {"grant": 0, "withdraw": 0, "hold": 0, "release": 0, "capture": 0}
        total |= {"charge": 0, "refund": 0}
        for line in lines:
            assert line.amount > 0
            total[line.kind] += line.amount
        assert self.held == total["hold"] - total["release"] - total["capture"]
        assert self.spent == total["capture"] + total["charge"] - total["refund"]


LedgerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLedger = LedgerMachine.TestCase

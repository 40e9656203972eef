"""Credits that the user's own command shows."""

from __future__ import annotations

import shlex
import sys

import pytest

from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.live import Live
from screentest.contract_tests.targets.needs import UnableError
from screentest.contract_tests.targets.replayed import Answer, Replayed
from screentest.contract_tests.targets.target import Identity
from screentest.specs.contracts.registry import load_contract


@pytest.mark.parametrize("key", ["k1", "k2"])
def test_a_command_shows_the_credits_of_each_account(key: str) -> None:
    code = "import os; print(dict(k1=7, k2=8)[os.environ['SCREENTEST_API_KEY']])"
    command = shlex.join([sys.executable, "-c", code])
    live = Live("http://127.0.0.1:1", Identity("owner"), balance_command=command)

    found = live.credits(Identity("owner", {"api_key": key}))

    assert (live.sees_credits, found) == (True, {"k1": 7, "k2": 8}[key])


@pytest.mark.parametrize("code", ["print('many')", "raise SystemExit(3)"])
def test_a_command_that_prints_no_number_judges_nothing(code: str) -> None:
    command = shlex.join([sys.executable, "-c", code])
    live = Live("http://127.0.0.1:1", Identity("owner"), balance_command=command)

    with pytest.raises(UnableError, match="--balance-command: "):
        live.credits(Identity("owner", {"api_key": "k"}))


def test_credits_that_were_read_are_replayed_once() -> None:
    live = Live(
        "http://127.0.0.1:1",
        Identity("owner"),
        balance_command=shlex.join([sys.executable, "-c", "print(7)"]),
    )
    read: list[Answer] = []
    guarded = Guarded(live, load_contract("ozor"), CreditBudget(None))
    guarded.on_answer = lambda wire, raw: read.append((wire, raw))
    guarded.credits(Identity("owner", {"api_key": "k"}))

    again = Replayed(guarded, read)

    assert again.credits(Identity("owner", {"api_key": "k"})) == 7
    with pytest.raises(UnableError, match="the server was not asked this"):
        again.credits(Identity("owner", {"api_key": "k"}))

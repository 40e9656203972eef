"""Whatever order things come in, an account's credits are what its jobs say."""

from __future__ import annotations

import pytest

from screentest.specs.checks import load_checks
from screentest.specs.contract import load_contract

from .in_process import InProcess, make_app
from .machine import machine_of, run_machine


def test_any_order_of_jobs_and_waits_keeps_the_books(target_name: str) -> None:
    provider, _, url = target_name.partition("=")
    if url:
        pytest.skip("only a server that can be steered is played with")
    contract = load_contract(provider)
    app = make_app(contract)

    machine = machine_of(contract, load_checks(provider), lambda: InProcess(app, contract))

    run_machine(machine)

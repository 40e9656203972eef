"""In any order of calls, an account's credits follow from its jobs."""

from __future__ import annotations

import pytest

from .runs.machine import machine_of, run_machine
from .runs.named_target import NamedTarget
from .targets.in_process import InProcessTarget
from .targets.mock_app import make_app


def test_any_order_of_jobs_and_waits_keeps_the_books(target: NamedTarget) -> None:
    if target.is_remote:
        pytest.skip("only a server that can be steered is played with")
    contract = target.contract
    app = make_app(contract)

    machine = machine_of(contract, target.checks, lambda: InProcessTarget(app, contract))

    run_machine(machine)

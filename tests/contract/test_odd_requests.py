"""A request that is written in another way means the same."""

from __future__ import annotations

import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from screentest.contract_tests.rules.judge import RuleVerdict
from screentest.contract_tests.scenarios.odd_requests import same_plans
from screentest.contract_tests.scenarios.verify import Result, scenarios_of, verify
from screentest.contract_tests.targets.callback import Inbox
from screentest.contract_tests.targets.guard import CreditBudget, Guarded
from screentest.contract_tests.targets.in_process import InProcessTarget
from screentest.contract_tests.targets.live import Live
from screentest.contract_tests.targets.mock_app import make_app
from screentest.contract_tests.targets.plain import PlainTarget
from screentest.contract_tests.targets.target import ANONYMOUS, OutgoingRequest
from screentest.specs.checks.checks_file import load_checks
from screentest.specs.contracts.registry import load_contract
from tests.loopback import listening

OPERATION = "generateTextToVideo"


def _edges(server: dict[str, str]) -> Result:
    """The edges of one operation at a server under the readings *server*, by the default ones."""
    theirs, ours = load_contract("ulazai", server), load_contract("ulazai")
    checks = load_checks(ours)
    mock = InProcessTarget(make_app(theirs), theirs, readings=server)
    target = Guarded(PlainTarget(mock), ours, CreditBudget(None))
    chosen = [it for it in scenarios_of(ours, checks) if it.name == f"edges of {OPERATION}"]
    return verify(ours, checks, lambda: target, chosen, is_open=True, is_shared=True)


def test_another_order_and_other_white_space_are_the_same_value() -> None:
    contract = load_contract("ulazai")
    plan = load_checks(contract).requests[OPERATION]

    (_, turned), (what, wider) = same_plans(contract, OPERATION, plan)

    assert turned.raw is not None
    assert json.loads(turned.raw) == plan.json
    assert [*json.loads(turned.raw)] == [*plan.fields][::-1]
    assert (what, wider.fields.keys() - plan.fields.keys()) == (
        "an unknown field",
        {"x_field_of_the_kit"},
    )


@pytest.mark.parametrize(
    ("server", "verdict"),
    [({}, RuleVerdict.KEPT), ({"ulazai.unknown_fields": "refuse"}, RuleVerdict.DIFFERS)],
)
def test_a_server_that_refuses_an_unknown_field_differs_and_breaks_nothing(
    server: dict[str, str], verdict: RuleVerdict
) -> None:
    result = _edges(server)

    assert result.judge.verdict(f"input.{OPERATION}") is verdict
    assert result.judge.findings == []


def test_an_answer_before_the_whole_body_was_read_counts() -> None:
    wire = OutgoingRequest("POST", "/", "", {}, b"x" * 20_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        answered = pool.submit(_answer_at_once, server)

        raw = Live(f"http://127.0.0.1:{server.getsockname()[1]}", ANONYMOUS).send(wire)

        answered.result()
    assert (raw.status, raw.body) == (402, b"{}")


def _answer_at_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(1_000)
        connection.sendall(b"HTTP/1.1 402 Payment Required\r\nContent-Length: 2\r\n\r\n{}")


def test_a_body_in_chunks_arrives_whole() -> None:
    inbox = Inbox()
    wire = OutgoingRequest("POST", "/", "", {"transfer-encoding": "chunked"}, b'{"prompt": "a"}')

    with listening(inbox) as port:
        Live(f"http://127.0.0.1:{port}", ANONYMOUS).send(wire)

    found = inbox.deliveries()[0]
    assert (
        found.body,
        found.headers.get("transfer-encoding"),
        "content-length" in found.headers,
    ) == (
        b'{"prompt": "a"}',
        "chunked",
        False,
    )

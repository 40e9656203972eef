"""The journal says which injected fault met a request, and what it left of the answer."""

from __future__ import annotations

import io

import pytest

from screentest.mock_server.cli.request_line import request_lines
from screentest.specs.json_types import Json
from tests.mock_client import Account


def _meet(account: Account, type_: str, **more: Json) -> Json:
    """Order a fault, run into it, and read what the journal says."""
    world = account.world
    injected = world.control.post(f"{world.path}/faults", json={"type": type_, **more})
    assert injected.status == 201, injected.text
    account.client.post("/api/v1/videos/generate", json={"prompt": "A lamp"})
    return world.requests()[-1]


@pytest.mark.parametrize(
    ("type_", "attributes", "sent"),
    [
        ("latency", {"delay_ms": 1}, "the answer, 1 ms late"),
        ("limit_data", {"bytes": 20}, "the first 20 bytes of the body"),
        ("slicer", {"size": 7}, "the body in pieces of 7 bytes"),
        ("malformed_json", {}, "the first half of the body"),
        ("wrong_content_type", {"content_type": "text/plain"}, "the body as text/plain"),
        ("empty", {}, "no body"),
    ],
)
def test_journal_says_what_left_of_a_spoilt_answer(
    ozor: Account, type_: str, attributes: Json, sent: str
) -> None:
    line = _meet(ozor, type_, attributes=attributes)

    assert line["faults"] == [{"id": "fault_1", "type": type_}]
    assert (line["response"]["status"], line["response"]["sent"]) == (200, sent)
    assert "reason" not in line


@pytest.mark.parametrize("type_", ["reset_peer", "timeout"])
@pytest.mark.parametrize("phase", ["before", "after_commit"])
def test_journal_says_that_an_answer_was_swallowed_and_by_what(
    ozor: Account, type_: str, phase: str
) -> None:
    attributes = {"delay_ms": 0} if type_ == "timeout" else {}

    line = _meet(ozor, type_, phase=phase, attributes=attributes)

    assert line["faults"] == [{"id": "fault_1", "type": type_}]
    assert (line["response"]["sent"], line["reason"]) == ("nothing", "fault:fault_1")


def test_ordered_error_is_named_with_its_type(ozor: Account) -> None:
    line = _meet(ozor, "http_error")

    assert line["faults"] == [{"id": "fault_1", "type": "http_error"}]
    assert line["reason"] == "fault:fault_1"
    assert "sent" not in line["response"]


def test_request_that_met_no_fault_says_nothing_of_any(ozor: Account) -> None:
    line = _meet(ozor, "http_error", nth=2)

    assert "faults" not in line
    assert "sent" not in line["response"]


def test_request_line_shows_no_status_where_nothing_was_sent(ozor: Account) -> None:
    line = _meet(ozor, "reset_peer", phase="after_commit")

    assert [*request_lines(line, io.StringIO())] == [
        "2026-01-01 00:00:00  POST    ozor  /api/v1/videos/generate  no answer  fault:fault_1  "
        "fault_1 reset_peer"
    ]


def test_request_line_shows_what_left_of_the_answer(ozor: Account) -> None:
    line = _meet(ozor, "limit_data", attributes={"bytes": 9})

    assert [*request_lines(line, io.StringIO())] == [
        "2026-01-01 00:00:00  POST    ozor  /api/v1/videos/generate  200  fault_1 limit_data  "
        "sent: the first 9 bytes of the body"
    ]
